"""What is decided about a login, from what can be seen of it (PROTOCOL.md §4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dbclaims.core.rotation import (
    Decision,
    Overlap,
    Past,
    Published,
    Rules,
    Step,
    decide,
    next_rotation,
    other,
    overlap,
    why_due,
)
from dbclaims.core.spi import Database, DatabaseRef, Probe, Role, Verdict

ACCOUNTS = ("a", "b")
NOW = datetime(2026, 5, 1, tzinfo=UTC)
RULES = Rules(timedelta(hours=24), timedelta(minutes=10), timedelta(hours=2))
NONE = timedelta(0)


def published(username: str = "a", *, intact: bool = True) -> Published:
    return Published(username, "secret", "checksum", intact)


DECISIONS = {
    "nothing was ever published": (None, None, None, "", (Step.FIRST, "a")),
    "all is well": (published(), Past("a"), Verdict.ACCEPTED, "", (Step.KEEP, "a")),
    "all is well with the other account": (published("b"), Past("b"), Verdict.ACCEPTED, "", (Step.KEEP, "b")),
    "a rotation is due": (published(), Past("a"), Verdict.ACCEPTED, "due", (Step.ROTATE, "b")),
    "a rotation back is due": (published("b"), Past("b"), Verdict.ACCEPTED, "due", (Step.ROTATE, "a")),
    "the password is refused": (published(), Past("a"), Verdict.REFUSED, "", (Step.REPAIR, "a")),
    "the account is closed": (published(), Past("a"), Verdict.CLOSED, "", (Step.REPAIR, "a")),
    "a repair comes before a rotation": (published(), Past("a"), Verdict.REFUSED, "due", (Step.REPAIR, "a")),
    "a full server proves nothing": (published(), Past("a"), Verdict.FULL, "", (Step.KEEP, "a")),
    "an unknown answer proves nothing": (published(), Past("a"), Verdict.UNKNOWN, "", (Step.KEEP, "a")),
    "the status is lost": (published("b"), None, Verdict.ACCEPTED, "", (Step.KEEP, "b")),
    "the Secret is gone": (None, Past("a"), None, "", (Step.ROTATE, "b")),
    "the Secret was edited": (published(intact=False), Past("a"), None, "", (Step.ROTATE, "b")),
    "the name in it was edited too": (published("b", intact=False), Past("a"), None, "", (Step.ROTATE, "b")),
    "it names a stranger": (published("c", intact=False), Past("b"), None, "", (Step.ROTATE, "a")),
    "it names a stranger, and the status is lost": (published("c"), None, None, "", (Step.ROTATE, "a")),
    "it was edited, and the status is lost": (published("b", intact=False), None, None, "", (Step.ROTATE, "a")),
    "it was published just before a crash": (published("b"), Past("a"), Verdict.ACCEPTED, "", (Step.KEEP, "b")),
}


@pytest.mark.parametrize("case", DECISIONS.values(), ids=DECISIONS)
def test_the_step_follows_from_what_is_seen(
    case: tuple[Published | None, Past | None, Verdict | None, str, tuple[Step, str]],
) -> None:
    seen, past, verdict, due, (step, account) = case
    decision = decide(ACCOUNTS, seen, past, Probe(verdict) if verdict else None, due=due)
    assert (decision.step, decision.account) == (step, account)
    assert bool(decision.why) == (step is not Step.KEEP)


def test_a_due_rotation_says_why() -> None:
    assert decide(ACCOUNTS, published(), Past("a"), None, due="asked for") == Decision(Step.ROTATE, "b", "asked for")


def test_the_other_account_is_the_other_one() -> None:
    assert (other(ACCOUNTS, "a"), other(ACCOUNTS, "b")) == ("b", "a")


@pytest.mark.parametrize("uid", [f"uid-{number}" for number in range(50)])
def test_due_times_are_drawn_forward_by_a_tenth_at_most(uid: str) -> None:
    at = next_rotation(NOW, RULES, uid)
    assert at is not None
    assert NOW + RULES.interval * 0.9 <= at <= NOW + RULES.interval
    assert at == next_rotation(NOW, RULES, uid)


def test_due_times_of_a_fleet_are_spread() -> None:
    times = {next_rotation(NOW, RULES, f"uid-{number}") for number in range(100)}
    assert len(times) == 100
    assert max(filter(None, times)) - min(filter(None, times)) > RULES.interval * 0.08


def test_without_an_interval_a_login_rotates_only_on_demand() -> None:
    on_demand = Rules(NONE, RULES.grace, RULES.max_overlap)
    assert next_rotation(NOW, on_demand, "uid") is None
    assert why_due(Past("a", NOW), on_demand, "uid", "", NOW + timedelta(days=1000)) == ""
    assert why_due(Past("a", NOW), on_demand, "uid", "1", NOW)


DUE = {
    "nothing was published": (None, "1", timedelta(days=9), ""),
    "not yet": (Past("a", NOW), "", timedelta(hours=21), ""),
    "the interval has passed": (Past("a", NOW), "", timedelta(hours=24), "the interval has passed"),
    "a new token": (Past("a", NOW, "1"), "2", NONE, "asked for by annotation"),
    "a token that was answered": (Past("a", NOW, "1"), "1", NONE, ""),
    "a token that was taken away": (Past("a", NOW, "1"), "", NONE, ""),
    "the time of the last one is lost": (Past("a"), "", timedelta(days=9), ""),
}


@pytest.mark.parametrize(("past", "token", "later", "why"), DUE.values(), ids=DUE)
def test_a_rotation_is_due_once_per_interval_and_once_per_token(
    past: Past | None, token: str, later: timedelta, why: str
) -> None:
    assert why_due(past, RULES, "uid", token, NOW + later) == why


def database(*, login: bool = True, sessions: int = 0) -> Database:
    roles = {"a": Role("a", login=True), "b": Role("b", login=login, sessions=sessions)}
    return Database(DatabaseRef("orders", "orders_owner"), "orders_owner", held=True, mark=None, roles=roles)


OVERLAPS = {
    "closed already": (database(login=False), RULES, RULES.grace, NONE, None),
    "idle for too short a time": (database(), RULES, RULES.grace / 2, NONE, Overlap("b", close=False, overdue=False)),
    "idle for a whole grace": (database(), RULES, RULES.grace, NONE, Overlap("b", close=True, overdue=False)),
    "in use": (database(sessions=1), RULES, NONE, NONE, Overlap("b", close=False, overdue=False)),
    "in use for too long": (database(sessions=1), RULES, NONE, RULES.max_overlap, Overlap("b", False, overdue=True)),
    "in use for too long, and forced": (
        database(sessions=1),
        Rules(RULES.interval, RULES.grace, RULES.max_overlap, force=True),
        NONE,
        RULES.max_overlap,
        Overlap("b", close=True, overdue=True),
    ),
    "forced, but not yet": (
        database(sessions=1),
        Rules(RULES.interval, RULES.grace, RULES.max_overlap, force=True),
        NONE,
        NONE,
        Overlap("b", close=False, overdue=False),
    ),
    "idle after a long time": (database(), RULES, RULES.grace, RULES.max_overlap, Overlap("b", True, overdue=False)),
    "no grace at all": (
        database(),
        Rules(RULES.interval, NONE, RULES.max_overlap),
        NONE,
        NONE,
        Overlap("b", close=True, overdue=False),
    ),
}


@pytest.mark.parametrize(("seen", "rules", "quiet", "age", "expected"), OVERLAPS.values(), ids=OVERLAPS)
def test_the_old_account_is_closed_after_a_whole_idle_grace(
    seen: Database, rules: Rules, quiet: timedelta, age: timedelta, expected: Overlap | None
) -> None:
    assert overlap("a", ACCOUNTS, seen, rules, quiet, age) == expected


def test_an_account_that_does_not_exist_is_waited_for_by_nobody() -> None:
    empty = Database(DatabaseRef("orders", "orders_owner"), "orders_owner", held=True, mark=None)
    assert overlap("a", ACCOUNTS, empty, RULES, NONE, NONE) is None


def test_no_repr_shows_the_password() -> None:
    assert "secret" not in repr(published())
