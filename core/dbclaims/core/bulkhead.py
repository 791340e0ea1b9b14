"""Slots per backend, so that a dead database or a throttled account holds only its own.

Three of four systems measured stop for good on one silent host (peer-cost.md §4); with slots, the workers that it can
hold are few, and its other keys wait aside and in order without one.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable

log = logging.getLogger(__name__)

Target = Callable[[str], str | None]


class Bulkhead:
    """At most `slots` keys per target are in work; further ones are parked, first come first served.

    Not thread-safe: the work queue calls it under its own lock.

    Args:
        target_of: the backend of a key, None for no limit; quick, without side effects, must not call the queue.
        slots: per target.
        observe: told (target, slots in use) after every change.
    """

    def __init__(self, target_of: Target, *, slots: int = 4, observe: Callable[[str, int], None] | None = None) -> None:
        self._target, self._slots = target_of, slots
        self._observe = observe
        # A key's target may change while it is in work, so what it holds is remembered.
        self._holds: dict[str, str] = {}
        self._in_use: dict[str, int] = {}
        self._parked: dict[str, OrderedDict[str, None]] = {}
        self._waits_for: dict[str, str] = {}

    def enter(self, key: str) -> bool:
        """Take a slot for the key, or park it. A key that `leave` woke has its slot already."""
        if key in self._holds:
            return True
        target = self._target_of(key)
        if target is None:
            return True
        if self._in_use.get(target, 0) >= self._slots:
            self._park(key, target)
            return False
        self._take(key, target)
        return True

    def leave(self, key: str) -> str | None:
        """Give the key's slot back; return the parked key that has it now and may run."""
        target = self._holds.pop(key, None)
        if target is None:
            return None
        self._count(target, -1)
        return self._wake(target)

    def is_parked(self, key: str) -> bool:
        """Whether the key waits for a slot."""
        return key in self._waits_for

    def reconsider(self, key: str) -> bool:
        """Take a parked key out if its target is another by now; return whether it is out."""
        target = self._waits_for.get(key)
        if target is None or self._target_of(key) == target:
            return False
        self._unpark(key, target)
        return True

    def _target_of(self, key: str) -> str | None:
        try:
            return self._target(key)
        except Exception:
            # A key must not be lost to a bug in somebody's function; without a slot it still makes progress.
            log.exception("target of key failed", extra={"key": key})
            return None

    def _park(self, key: str, target: str) -> None:
        self._parked.setdefault(target, OrderedDict())[key] = None
        self._waits_for[key] = target

    def _unpark(self, key: str, target: str) -> None:
        del self._waits_for[key]
        del self._parked[target][key]
        if not self._parked[target]:
            del self._parked[target]

    def _wake(self, target: str) -> str | None:
        waiting = self._parked.get(target)
        if not waiting:
            return None
        key = next(iter(waiting))
        self._unpark(key, target)
        self._take(key, target)
        return key

    def _take(self, key: str, target: str) -> None:
        self._holds[key] = target
        self._count(target, +1)

    def _count(self, target: str, by: int) -> None:
        in_use = self._in_use.get(target, 0) + by
        self._in_use[target] = in_use
        if not in_use:
            del self._in_use[target]
        if self._observe:
            self._observe(target, in_use)
