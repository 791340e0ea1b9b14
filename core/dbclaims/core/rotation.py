"""What to do about a login: keep it, make it, rotate it, repair it. Pure (PROTOCOL.md §4).

Everything is decided from what can be seen: the published Secret, the two accounts in the server, the answer of a
probe, and the login's last status. Nothing about progress is stored.
"""

from __future__ import annotations

import enum
import hashlib
from datetime import datetime, timedelta

import attrs

from .spi import Database, Probe, Verdict

_SPREAD = 0.10
"""Due times are drawn forward by up to this share of the interval, so that a fleet does not rotate at once."""


class Step(enum.Enum):
    """What a login needs now."""

    KEEP = "keep"
    FIRST = "first"
    """Nothing was ever published: make a password, set it, publish it."""
    ROTATE = "rotate"
    """Make a new password on the idle account and publish that one; the other goes on working."""
    REPAIR = "repair"
    """Set the published Secret's own password again: the server was proved to refuse it."""


@attrs.frozen
class Rules:
    """The rotation rules that hold for one login, merged from claim and class. A zero interval: only on demand."""

    interval: timedelta
    grace: timedelta
    max_overlap: timedelta
    force: bool = False


@attrs.frozen
class Published:
    """What the published Secret holds.

    Attributes:
        checksum: over all of it, so that another publication has another one.
        intact: whether that is the one it was published with; False after an edit by hand.
    """

    username: str
    password: str = attrs.field(repr=False)
    checksum: str
    intact: bool = True


@attrs.frozen
class Past:
    """A login's last status: who was published, since when, and for which value of the rotate annotation."""

    username: str
    since: datetime | None = None
    token: str = ""


@attrs.frozen
class Decision:
    """What to do, on which account, and why (for the event and `status.pending`)."""

    step: Step
    account: str
    why: str = ""


def decide(
    accounts: tuple[str, str],
    published: Published | None,
    past: Past | None,
    probe: Probe | None,
    *,
    due: str,
) -> Decision:
    """Choose the step. `due` says why a rotation is wanted, or is empty."""
    if published is None and past is None:
        return Decision(Step.FIRST, accounts[0], "no login was published yet")
    if published is None:
        assert past is not None
        return Decision(Step.ROTATE, other(accounts, past.username), "the published Secret is gone")
    if not published.intact or published.username not in accounts:
        # The name in it may be part of the edit, so the status is asked first.
        names = (past.username if past else "", published.username)
        gone = next((name for name in names if name in accounts), accounts[1])
        return Decision(Step.ROTATE, other(accounts, gone), "the published Secret was edited")
    if probe is not None and probe.verdict in (Verdict.REFUSED, Verdict.CLOSED):
        return Decision(Step.REPAIR, published.username, "the server refuses the published login")
    if due:
        return Decision(Step.ROTATE, other(accounts, published.username), due)
    return Decision(Step.KEEP, published.username)


def other(accounts: tuple[str, str], name: str) -> str:
    """The account that is not this one."""
    return accounts[1] if name == accounts[0] else accounts[0]


def next_rotation(since: datetime, rules: Rules, uid: str) -> datetime | None:
    """When the login is due; None when it rotates only on demand."""
    if not rules.interval:
        return None
    share = int.from_bytes(hashlib.sha256(uid.encode()).digest()[:4]) / 2**32
    return since + rules.interval - share * _SPREAD * rules.interval


def why_due(past: Past | None, rules: Rules, uid: str, token: str, now: datetime) -> str:
    """Why a rotation is due now, or empty. `token` is the rotate annotation's value."""
    if past is None:
        return ""
    if token and token != past.token:
        return "asked for by annotation"
    at = next_rotation(past.since, rules, uid) if past.since else None
    return "the interval has passed" if at is not None and now >= at else ""


@attrs.frozen
class Overlap:
    """The old account while it still may log in.

    Attributes:
        close: whether it may be closed now.
        overdue: whether it was used for longer than the rules allow.
    """

    account: str
    close: bool
    overdue: bool


def overlap(
    current: str, accounts: tuple[str, str], observed: Database, rules: Rules, quiet: timedelta, age: timedelta
) -> Overlap | None:
    """The state of the old account, or None where it is closed already.

    Args:
        quiet: for how long it has been seen without a session, counted by this process.
        age: how long ago the current account was published.
    """
    old = observed.roles.get(other(accounts, current))
    if old is None or not old.login:
        return None
    over = age >= rules.max_overlap and old.sessions > 0
    close = (old.sessions == 0 and quiet >= rules.grace) or (over and rules.force)
    return Overlap(old.name, close=close, overdue=over)
