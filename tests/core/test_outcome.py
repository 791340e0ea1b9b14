"""What becomes of an error: its conditions and the key's next pass, one row for each class."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dbclaims.core import conditions
from dbclaims.core.api import Condition, Problem, SpecError
from dbclaims.core.controller import Result
from dbclaims.core.outcome import UNKNOWN_AFTER, failure_of
from dbclaims.core.spi import NotReady, Refused, Terminal, Transient, Unreachable
from tests.proofs.wire import Killed

NOW = datetime(2026, 5, 1, tzinfo=UTC)
RESYNC = 600.0
LIVE = conditions.merge((), conditions.ready(1, "works"), NOW)
FRESH = conditions.fresh()
BACKOFF = Result(backoff=True)

ROWS: dict[str, tuple[Exception, Result, str, str]] = {
    "not ready": (NotReady("wait"), Result(5.0), "True", ""),
    "not ready for so long": (NotReady("wait", retry_after=30.0), Result(30.0), "True", ""),
    "transient": (Transient("failed"), BACKOFF, "True", ""),
    "transient for so long": (Transient("failed", retry_after=7.0), Result(7.0), "True", ""),
    "unreachable": (Unreachable("silence"), BACKOFF, "True", ""),
    "terminal": (Terminal("no"), Result(RESYNC), "", "True"),
    "terminal for so long": (Terminal("no", retry_after=30.0), Result(30.0), "", "True"),
    "refused": (Refused("no right"), Result(RESYNC), "", "True"),
    "a bug": (KeyError("x"), BACKOFF, "True", ""),
}


def held(found: tuple[Condition, ...], type_: str) -> str:
    condition = conditions.find(found, type_)
    return condition.status if condition else ""


@pytest.mark.parametrize(("error", "result", "reconciling", "stalled"), ROWS.values(), ids=ROWS)
def test_an_error_has_one_row(error: Exception, result: Result, reconciling: str, stalled: str) -> None:
    failure = failure_of(error, RESYNC)
    assert failure.result == result
    at_birth, later = failure.conditions(FRESH, 1, NOW), failure.conditions(LIVE, 2, NOW)
    assert (held(at_birth, "Reconciling"), held(at_birth, "Stalled")) == (reconciling, stalled)
    assert (held(at_birth, "Ready"), held(later, "Ready")) == ("False", "True")
    assert held(later, "Synced") == "False"
    assert held(later, "Stalled") == stalled


@pytest.mark.parametrize("error", [error for error, *_ in ROWS.values()], ids=ROWS)
def test_a_broken_login_is_never_called_ready(error: Exception) -> None:
    assert held(failure_of(error, RESYNC, broken=True).conditions(LIVE, 1, NOW), "Ready") == "False"


def test_a_bug_of_a_plugin_is_named_without_its_words() -> None:
    failure = failure_of(ValueError("password=hunter2"), RESYNC)
    assert failure.reason == "PluginBug"
    assert "hunter2" not in failure.message


def test_what_ends_the_process_is_no_error_of_a_claim() -> None:
    assert not isinstance(Killed(), Exception)


def test_a_backend_that_stays_silent_makes_the_login_unknown() -> None:
    failure = failure_of(Unreachable("silence"), RESYNC)
    first = conditions.merge(LIVE, failure.conditions(LIVE, 1, NOW), NOW)
    soon, late = NOW + UNKNOWN_AFTER - timedelta(seconds=1), NOW + UNKNOWN_AFTER
    assert held(failure.conditions(first, 1, soon), "Ready") == "True"
    assert held(failure.conditions(first, 1, late), "Ready") == "Unknown"


def test_silence_after_another_trouble_begins_anew() -> None:
    other = failure_of(Transient("failed"), RESYNC).conditions(LIVE, 1, NOW)
    before = conditions.merge(LIVE, other, NOW)
    failure = failure_of(Unreachable("silence"), RESYNC)
    assert held(failure.conditions(before, 1, NOW + timedelta(days=1)), "Ready") == "True"


def test_a_document_that_breaks_a_rule_is_refused() -> None:
    failure = failure_of(SpecError([Problem("spec.schemas", "InvalidSpec", "too many")]), RESYNC)
    assert (failure.result, failure.final) == (Result(RESYNC), True)
