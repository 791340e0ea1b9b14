"""Every row of API.md's table of situations, what kstatus and `kubectl wait` make of it, and how times are kept."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dbclaims.core import conditions
from dbclaims.core.api import DatabaseClaimStatus, to_document
from dbclaims.core.api.reasons import REASONS
from dbclaims.core.conditions import Conditions

from .kstatus import kstatus, wait_passes

NOW = datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)
BORN = conditions.fresh()
LIVE = conditions.ready(1, "It works.")
REPAIRED = conditions.making(LIVE, 1, "Repairing", "Its password is set again.")
LOST = conditions.unproven(LIVE, 1, "BackendUnreachable", "pg does not answer.")


def claim(held: Conditions, generation: int, *, observed: int | None = None, deleting: bool = False) -> dict[str, Any]:
    status = DatabaseClaimStatus(observed_generation=generation if observed is None else observed, conditions=held)
    metadata = {"generation": generation, **({"deletionTimestamp": "2026-11-20T10:00:00Z"} if deleting else {})}
    return {"metadata": metadata, "status": to_document(status)}


def row(held: Conditions) -> dict[str, str]:
    return {each.type: str(each.status) for each in held}


READY = {"Ready": "True", "Synced": "True"}

ROWS = [
    ("fresh", BORN, {"Ready": "Unknown", "Synced": "Unknown"}, "InProgress"),
    (
        "being made",
        conditions.making(BORN, 2, "Creating", "x"),
        {"Ready": "False", "Synced": "False", "Reconciling": "True"},
        "InProgress",
    ),
    (
        "being repaired",
        conditions.making(LIVE, 2, "Repairing", "x"),
        {"Ready": "False", "Synced": "False", "Reconciling": "True"},
        "InProgress",
    ),
    ("ready", conditions.ready(2, "x"), READY, "Current"),
    (
        "refused edit on a live claim",
        conditions.refused(LIVE, 2, "InvalidSpec", "x"),
        {"Ready": "True", "Synced": "False", "Stalled": "True"},
        "Failed",
    ),
    (
        "refused at birth",
        conditions.refused(BORN, 2, "InvalidSpec", "x"),
        {"Ready": "False", "Synced": "False", "Stalled": "True"},
        "Failed",
    ),
    (
        "unreachable",
        conditions.unproven(LIVE, 2, "BackendUnreachable", "x"),
        {"Ready": "Unknown", "Synced": "False"},
        "InProgress",
    ),
    (
        "waiting, live",
        conditions.waiting(LIVE, 2, "SecretMissing", "x"),
        {"Ready": "True", "Synced": "False"},
        "Current",
    ),
    (
        "waiting, at birth",
        conditions.waiting(BORN, 2, "ClassNotFound", "x"),
        {"Ready": "False", "Synced": "False", "Reconciling": "True"},
        "InProgress",
    ),
    ("paused", conditions.paused(LIVE, 2, "x"), {"Ready": "True", "Synced": "False"}, "Current"),
    ("paused while lost", conditions.paused(LOST, 2, "x"), {"Ready": "Unknown", "Synced": "False"}, "InProgress"),
]


@pytest.mark.parametrize(("situation", "held", "expected", "verdict"), ROWS, ids=[each[0] for each in ROWS])
def test_a_situation_shows_as_the_table_says_and_kstatus_reads_it_right(
    situation: str, held: Conditions, expected: dict[str, str], verdict: str
) -> None:
    assert row(held) == expected
    observed = -1 if situation == "fresh" else 2
    assert kstatus(claim(held, 2, observed=observed)) == verdict


@pytest.mark.parametrize(("situation", "held", "expected", "verdict"), ROWS, ids=[each[0] for each in ROWS])
def test_every_situation_is_in_progress_for_a_generation_nobody_has_looked_at(
    situation: str, held: Conditions, expected: dict[str, str], verdict: str
) -> None:
    assert kstatus(claim(held, 3, observed=2)) == "InProgress"
    assert not wait_passes(claim(held, 3, observed=2), "Ready")


@pytest.mark.parametrize("before", [BORN, LIVE, REPAIRED, LOST], ids=["fresh", "live", "repaired", "lost"])
def test_deleting_leaves_ready_as_it_is_and_is_terminating(before: Conditions) -> None:
    held = conditions.deleting(before, 2, "x")
    assert conditions.find(held, "Ready") == conditions.find(before, "Ready")
    assert row(held)["Synced"] == "False"
    assert kstatus(claim(held, 2, deleting=True)) == "Terminating"


Situation = Callable[[Conditions, int, str, str], Conditions]


@pytest.mark.parametrize("situation", [conditions.refused, conditions.waiting])
def test_waiting_for_ready_does_not_pass_on_an_edit_that_was_not_made(situation: Situation) -> None:
    assert wait_passes(claim(LIVE, 1), "Ready")
    assert not wait_passes(claim(situation(LIVE, 2, "InvalidSpec", "x"), 2), "Ready")


def test_a_lost_live_claim_is_not_born_again_by_a_bad_edit() -> None:
    held = conditions.refused(LOST, 2, "InvalidSpec", "x")
    assert row(held) == {"Ready": "Unknown", "Synced": "False", "Stalled": "True"}


def test_the_last_generation_made_real_survives_every_situation() -> None:
    for before in (LIVE, REPAIRED, LOST):
        for situation in (conditions.making, conditions.refused, conditions.waiting):
            ready = conditions.find(situation(before, 7, "Creating", "x"), "Ready")
            assert ready is not None
            assert ready.observed_generation == 1


def test_a_time_stays_while_the_status_does_and_moves_when_it_changes() -> None:
    first = conditions.merge(BORN, conditions.making(BORN, 1, "Creating", "x"), NOW)
    assert {each.last_transition_time for each in first} == {NOW.replace(microsecond=0)}
    later = NOW + timedelta(minutes=1)
    second = conditions.merge(first, conditions.making(first, 1, "Creating", "another step"), later)
    assert {each.last_transition_time for each in second} == {NOW.replace(microsecond=0)}
    third = conditions.merge(second, conditions.ready(1, "x"), later)
    assert {each.type: each.last_transition_time for each in third} == {
        "Ready": later.replace(microsecond=0),
        "Synced": later.replace(microsecond=0),
    }
    assert conditions.merge(third, conditions.ready(1, "x"), later + timedelta(days=1)) == third


def test_warnings_stand_beside_the_four_and_go_with_their_cause() -> None:
    held = conditions.warned(LIVE, 1, [("PublicSchemaOpen", "b"), ("InsecureTLS", "a")])
    assert row(held) == READY | {"InsecureTLS": "True", "PublicSchemaOpen": "True"}
    assert kstatus(claim(held, 1)) == "Current"
    assert conditions.merge(held, LIVE, NOW)[2:] == ()


SOURCES = [
    path for folder in ("core", "providers", "engines") for path in Path(__file__).parents[2].glob(f"{folder}/**/*.py")
]
_ERRORS = "NotReady|Transient|Unreachable|Terminal|InvalidSpec|Unsupported|NotOwned|Refused"
NAMED = re.compile(
    rf"""(?:\breason=|default_reason(?:: [\w\[\]]+)? = |\((?:{_ERRORS}), |Finding\(\s*)"([A-Z][A-Za-z]+)\""""
)


def test_every_reason_that_the_code_names_has_a_meaning_and_a_way_out() -> None:
    named = {(reason, path.name) for path in SOURCES for reason in NAMED.findall(path.read_text())}
    assert len(named) > 10
    assert {pair for pair in named if pair[0] not in REASONS} == set()


def test_every_reason_is_one_word_with_two_sentences() -> None:
    for name, reason in REASONS.items():
        assert re.fullmatch(r"[A-Z][A-Za-z]+", name)
        assert reason.meaning.endswith(".")
        assert reason.way_out.endswith(".")
