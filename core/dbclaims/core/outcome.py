"""What the core does with each error: one row for each, here and nowhere else. Pure.

| raised | conditions | queue |
|---|---|---|
| `NotReady` | waiting | after `retry_after`, or 5 s; no failure |
| `Unreachable` | waiting; `unproven` once it has lasted 60 s | backoff, or after `retry_after` |
| `Transient` | waiting; `unproven` likewise where its reason is one of `UNPROVEN` | backoff, or after `retry_after` |
| `Terminal` | refused | at the next event, or after `retry_after`, or one resync |
| `SpecError` | refused | at the next event |
| anything else | waiting, `PluginBug` | backoff |

A `StoreError` has no row: it says nothing of the claim, and where it could be written is what failed. The queue's
own backoff takes it (`controller`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs

from . import conditions
from .api import Condition, SpecError
from .conditions import Conditions
from .controller import Result
from .spi import NotReady, SPIError, Terminal, Transient, Unreachable

UNKNOWN_AFTER = timedelta(seconds=60)
"""How long a backend must have been silent before Ready becomes Unknown (API.md, "Conditions")."""

UNPROVEN = frozenset({"ConnectionLimitReached", "LoginUnproven"})
"""Reasons that the published login got an answer which proves nothing (PROTOCOL.md §4.5)."""

_SOON = 5.0


@attrs.frozen
class Failure:
    """An error as it is shown and as it is queued.

    Attributes:
        silent: whether nothing is known of the published login.
        broken: whether the published login is known not to work, so that Ready must say so.
    """

    reason: str
    message: str
    result: Result
    final: bool = False
    silent: bool = False
    broken: bool = False

    def conditions(self, before: tuple[Condition, ...], generation: int, now: datetime) -> Conditions:
        """The conditions that say it."""
        if self.final and self.broken:
            return conditions.refused_at_birth(before, generation, self.reason, self.message)
        if self.final:
            return conditions.refused(before, generation, self.reason, self.message)
        if self.broken:
            return conditions.making(before, generation, self.reason, self.message)
        if self.silent and waited(before, self.reason, now) >= UNKNOWN_AFTER:
            return conditions.unproven(before, generation, self.reason, self.message)
        return conditions.waiting(before, generation, self.reason, self.message)


def failure_of(error: Exception, resync: float, *, broken: bool = False) -> Failure:
    """The row of an error. `resync` is how long a refused object rests, in seconds."""
    if isinstance(error, SpecError):
        return Failure(error.reason, str(error), Result(resync), final=True, broken=broken)
    if not isinstance(error, SPIError):
        message = f"{type(error).__name__} in a plugin; the controller's log has the traceback, please report it"
        return Failure("PluginBug", message, Result(backoff=True), broken=broken)
    return Failure(
        error.reason,
        error.message,
        _result(error, resync),
        final=isinstance(error, Terminal),
        silent=isinstance(error, Unreachable) or error.reason in UNPROVEN,
        broken=broken,
    )


def _result(error: SPIError, resync: float) -> Result:
    if isinstance(error, NotReady):
        return Result(error.retry_after if error.retry_after is not None else _SOON)
    if isinstance(error, Terminal):
        return Result(error.retry_after or resync)
    if isinstance(error, Transient) and error.retry_after is not None:
        return Result(error.retry_after)
    return Result(backoff=True)


def waited(before: tuple[Condition, ...], reason: str, now: datetime) -> timedelta:
    """For how long Synced has had this reason; nothing where it had another."""
    synced = conditions.find(before, "Synced")
    return now - synced.last_transition_time if synced and synced.reason == reason else timedelta()
