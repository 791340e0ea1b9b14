"""Which conditions say what: one function for each row of API.md's table, all pure.

Each function takes what stands in the status now and returns the whole new set, without times; `merge` adds those.
`Ready` speaks of the published login and carries the last generation that was made real (0: none yet), so that
`kubectl wait --for=condition=Ready` does not pass on a refused edit. Every other condition carries the generation that
was looked at. `Reconciling` and `Stalled` stand only while they hold, as kstatus wants it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from attrs import evolve

from .api import EPOCH, Condition, ConditionStatus, fresh_conditions

TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN

Conditions = tuple[Condition, ...]


def find(conditions: Iterable[Condition], type_: str) -> Condition | None:
    """The condition of a type, or None."""
    return next((each for each in conditions if each.type == type_), None)


def is_live(conditions: Iterable[Condition]) -> bool:
    """Whether some generation was made real, so that somebody may depend on the published login."""
    return _ready_of(conditions).observed_generation > 0


def merge(old: Iterable[Condition], new: Iterable[Condition], now: datetime) -> Conditions:
    """The new set with its times: the old one where the status is the same, else `now`, in whole seconds."""
    before = {each.type: each for each in old}
    return tuple(_timed(before.get(each.type), each, now.replace(microsecond=0)) for each in new)


def fresh() -> Conditions:
    """Nobody has looked yet; the CRD's default says the same."""
    return fresh_conditions()


def making(before: Sequence[Condition], generation: int, reason: str, message: str) -> Conditions:
    """The database is being made, or the published login is being repaired: it does not work now."""
    ready = _ready(FALSE, _made(before), reason, message)
    return (ready, *_behind(generation, reason, message), _reconciling(generation, reason, message))


def ready(generation: int, message: str) -> Conditions:
    """The generation was made real and the published login works; also while a rotation goes on."""
    return (
        _ready(TRUE, generation, "Available", message),
        Condition(type="Synced", status=TRUE, reason="Available", message=message, observed_generation=generation),
    )


def refused_edit(before: Sequence[Condition], generation: int, reason: str, message: str) -> Conditions:
    """A live claim received an edit that cannot be carried out: what was published goes on as it is."""
    return (_ready_of(before), *_behind(generation, reason, message), _stalled(generation, reason, message))


def refused_at_birth(before: Sequence[Condition], generation: int, reason: str, message: str) -> Conditions:
    """A claim that cannot be carried out, and never was."""
    ready = _ready(FALSE, _made(before), reason, message)
    return (ready, *_behind(generation, reason, message), _stalled(generation, reason, message))


def refused(before: Sequence[Condition], generation: int, reason: str, message: str) -> Conditions:
    """Nothing will help until somebody changes something: `refused_edit` of a live claim, else `refused_at_birth`."""
    row = refused_edit if is_live(before) else refused_at_birth
    return row(before, generation, reason, message)


def waiting(before: Sequence[Condition], generation: int, reason: str, message: str) -> Conditions:
    """Something outside is missing or failed and may come by itself: `making` or, of a live claim, Ready as it is.

    A live claim is in order although the pass failed, so neither Reconciling nor Stalled says otherwise.
    """
    if not is_live(before):
        return making(before, generation, reason, message)
    return (_ready_of(before), *_behind(generation, reason, message))


def unproven(before: Sequence[Condition], generation: int, reason: str, message: str) -> Conditions:
    """Two probes at least 60 s apart proved nothing, most often for want of an answer: nobody knows of the login."""
    return (_ready(UNKNOWN, _made(before), reason, message), *_behind(generation, reason, message))


def paused(before: Sequence[Condition], generation: int, message: str) -> Conditions:
    """Nothing in the backend is changed while the annotation stands."""
    return (_ready_of(before), *_behind(generation, "Paused", message))


def deleting(before: Sequence[Condition], generation: int, message: str, reason: str = "Deleting") -> Conditions:
    """The object is meant to go; the reason may name what it waits for, such as `Protected`."""
    return (_ready_of(before), *_behind(generation, reason, message))


def warned(conditions: Conditions, generation: int, warnings: Iterable[tuple[str, str]]) -> Conditions:
    """With a condition for each warning (reason, message): its type is its reason, and it stands while it holds."""
    return conditions + tuple(
        Condition(type=reason, status=TRUE, reason=reason, message=message, observed_generation=generation)
        for reason, message in sorted(warnings)
    )


def _timed(old: Condition | None, new: Condition, now: datetime) -> Condition:
    if old is None or old.status != new.status or old.last_transition_time == EPOCH:
        return evolve(new, last_transition_time=now)
    return evolve(new, last_transition_time=old.last_transition_time)


def _ready_of(before: Iterable[Condition]) -> Condition:
    return find(before, "Ready") or fresh_conditions()[0]


def _made(before: Iterable[Condition]) -> int:
    return _ready_of(before).observed_generation


def _ready(status: ConditionStatus, made: int, reason: str, message: str) -> Condition:
    return Condition(type="Ready", status=status, reason=reason, message=message, observed_generation=made)


def _behind(generation: int, reason: str, message: str) -> Conditions:
    synced = Condition(type="Synced", status=FALSE, reason=reason, message=message, observed_generation=generation)
    return (synced,)


def _reconciling(generation: int, reason: str, message: str) -> Condition:
    return Condition(type="Reconciling", status=TRUE, reason=reason, message=message, observed_generation=generation)


def _stalled(generation: int, reason: str, message: str) -> Condition:
    return Condition(type="Stalled", status=TRUE, reason=reason, message=message, observed_generation=generation)
