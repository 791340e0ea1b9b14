"""The work queue: each key once, never twice at the same time, the urgent before the rest, and nobody for ever last.

The semantics are client-go's and controller-runtime's (framework.md §2.3) with two additions: lanes age, where the
original starves its lowest lane, and a key whose backend is busy is parked (see `dbclaims.core.bulkhead`).

A key is in one of these places: delayed (not before a time), ready (in a lane), parked, processing; and dirty if it was
added while processing, which makes it ready again when that pass is done.
"""

from __future__ import annotations

import heapq
import random
import threading
from collections import deque
from enum import IntEnum

from attrs import define, field

from .bulkhead import Bulkhead
from .clock import Clock
from .metrics import QueueMetrics

FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 300.0
JITTER = 0.1
OVERDUE = 30.0


class Lane(IntEnum):
    """How urgent a key is; the smaller the sooner."""

    EDIT = 0
    REQUEUE = 1
    RESYNC = 2


@define
class _Item:
    """A key that is ready or parked; `since` is the monotonic time at which it became ready."""

    lane: Lane
    since: float


@define
class _Lanes:
    """The ready keys, first in first out within each lane."""

    items: dict[str, _Item] = field(factory=dict)
    _order: dict[Lane, deque[str]] = field(factory=lambda: {lane: deque() for lane in Lane})
    _turn: int = 0

    def push(self, key: str, item: _Item, *, first: bool = False) -> None:
        """Add a key that is in no lane, at the end or in front."""
        self.items[key] = item
        order = self._order[item.lane]
        order.appendleft(key) if first else order.append(key)

    def raise_to(self, key: str, lane: Lane) -> None:
        """Move a ready key to a more urgent lane, never to a less urgent one; it keeps its age."""
        item = self.items[key]
        if lane < item.lane:
            # Its place in the old lane is passed over when it comes up.
            self.push(key, _Item(lane, item.since))

    def pop(self, now: float) -> tuple[str, _Item] | None:
        """Take the next key: the most urgent, but every eighth time (every second, if it is overdue) the oldest."""
        heads = [head for lane in Lane if (head := self._head(lane))]
        if not heads:
            return None
        self._turn += 1
        # Of several as old, the least urgent.
        oldest = min(reversed(heads), key=lambda head: head[1].since)
        # Not every time for overdue ones: behind a backlog of minutes an edit would wait as long as the backlog.
        every = 2 if now - oldest[1].since > OVERDUE else 8
        key, item = oldest if self._turn % every == 0 else heads[0]
        self._order[item.lane].popleft()
        del self.items[key]
        return key, item

    def _head(self, lane: Lane) -> tuple[str, _Item] | None:
        order = self._order[lane]
        while order:
            item = self.items.get(order[0])
            if item is not None and item.lane is lane:
                return order[0], item
            order.popleft()
        return None


class WorkQueue:
    """A queue of keys for the workers of one controller; threads may share it.

    Args:
        bulkhead: slots per backend; it belongs to this queue alone.
    """

    def __init__(
        self, *, clock: Clock, rng: random.Random, metrics: QueueMetrics, bulkhead: Bulkhead | None = None
    ) -> None:
        self._clock, self._rng, self._metrics = clock, rng, metrics
        self._bulkhead = bulkhead or Bulkhead(_no_target)
        self._changed = threading.Condition()
        self._ready = _Lanes()
        self._parked: dict[str, _Item] = {}
        self._delayed: dict[str, tuple[float, Lane]] = {}
        self._due: list[tuple[float, str]] = []
        self._processing: dict[str, float] = {}
        self._dirty: dict[str, Lane] = {}
        self._failures: dict[str, int] = {}
        self._stopped = False
        metrics.observe(self._depth, [lane.name for lane in Lane], self._unfinished, self.longest_running)

    def add(self, key: str, lane: Lane = Lane.EDIT) -> None:
        """Make the key ready now; a delay that it had is over, since the pass decides anew."""
        with self._changed:
            self._delayed.pop(key, None)
            self._add(key, lane)
            self._changed.notify()

    def add_after(self, key: str, seconds: float, lane: Lane = Lane.REQUEUE, *, exact: bool = False) -> None:
        """Make the key ready in `seconds`, give or take a tenth unless `exact`; the earliest of several counts."""
        delay = seconds if exact else seconds * (1 + self._rng.uniform(-JITTER, JITTER))
        with self._changed:
            due = self._clock.monotonic() + delay
            known = self._delayed.get(key)
            if known is not None and known[0] <= due:
                return
            self._delayed[key] = (due, lane)
            heapq.heappush(self._due, (due, key))
            self._changed.notify()

    def add_backoff(self, key: str, *, at_least: float = 0.0) -> None:
        """Make the key ready after its backoff: 0.5 s, doubled with each failure in a row, at most 300 s."""
        with self._changed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
        # The exponent is bounded, since a float is not.
        self._metrics.retries.inc()
        self.add_after(key, max(at_least, min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(failures, 16))))

    def forget(self, key: str) -> None:
        """The key's failures are over; its next backoff is the first again."""
        with self._changed:
            self._failures.pop(key, None)

    def failures(self, key: str) -> int:
        """How often in a row the key has failed."""
        return self._failures.get(key, 0)

    def get(self, timeout: float | None = None) -> str | None:
        """Wait at most `timeout` seconds for a key to work on; None if there is none, or the queue is shut down.

        Whoever gets a key calls `done` with it.
        """
        deadline = None if timeout is None else self._clock.monotonic() + timeout
        with self._changed:
            while not self._stopped:
                if key := self._take():
                    # The others may be waiting without knowing of what became due or delayed since.
                    self._changed.notify()
                    return key
                now = self._clock.monotonic()
                if deadline is not None and now >= deadline:
                    return None
                self._clock.wait(self._changed, self._pause(now, deadline))
            return None

    def done(self, key: str) -> None:
        """The pass over the key has ended; if it was added meanwhile it is ready again."""
        with self._changed:
            self._metrics.worked.observe(self._clock.monotonic() - self._processing.pop(key))
            self._release(key)
            if (lane := self._dirty.pop(key, None)) is not None:
                self._add(key, lane)
            # All, since `drain` may wait here too.
            self._changed.notify_all()

    def shut_down(self) -> None:
        """Hand out nothing more; what waits is found again by the next process."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def drain(self, seconds: float) -> bool:
        """After `shut_down`: wait at most `seconds` for the keys in work; return whether all are done."""
        deadline = self._clock.monotonic() + seconds
        with self._changed:
            while self._processing and (left := deadline - self._clock.monotonic()) > 0:
                self._clock.wait(self._changed, left)
            return not self._processing

    def __len__(self) -> int:
        """Keys that are ready or parked; delayed ones and those in work do not count."""
        with self._changed:
            self._promote(self._clock.monotonic())
            return len(self._ready.items) + len(self._parked)

    def is_idle(self) -> bool:
        """Whether nothing is ready, parked or in work; a delay that is not over yet does not count."""
        with self._changed:
            self._promote(self._clock.monotonic())
            return not (self._ready.items or self._parked or self._processing)

    def longest_running(self) -> float:
        """Seconds that the longest pass in work has taken so far."""
        with self._changed:
            return self._clock.monotonic() - min(self._processing.values()) if self._processing else 0.0

    def _add(self, key: str, lane: Lane) -> None:
        if key in self._processing:
            self._dirty[key] = min(lane, self._dirty.get(key, lane))
        elif key in self._ready.items:
            self._ready.raise_to(key, lane)
        elif key in self._parked:
            self._reconsider(key)
        else:
            self._metrics.adds.inc()
            self._ready.push(key, _Item(lane, self._clock.monotonic()))

    def _reconsider(self, key: str) -> None:
        """An edit may have moved a parked key to another backend."""
        if self._bulkhead.reconsider(key):
            self._ready.push(key, self._parked.pop(key))

    def _take(self) -> str | None:
        now = self._clock.monotonic()
        self._promote(now)
        while popped := self._ready.pop(now):
            key, item = popped
            if not self._bulkhead.enter(key):
                self._parked[key] = item
                continue
            self._processing[key] = now
            self._metrics.waited.observe(now - item.since)
            return key
        return None

    def _release(self, key: str) -> None:
        if woken := self._bulkhead.leave(key):
            self._ready.push(woken, self._parked.pop(woken), first=True)

    def _promote(self, now: float) -> None:
        """Make ready whose time has come."""
        while self._due and self._due[0][0] <= now:
            due, key = heapq.heappop(self._due)
            # What is in the heap may have been brought forward or dropped since.
            if (known := self._delayed.get(key)) and known[0] == due:
                del self._delayed[key]
                self._add(key, known[1])

    def _pause(self, now: float, deadline: float | None) -> float | None:
        ends = [end for end in (deadline, self._due[0][0] if self._due else None) if end is not None]
        return max(0.0, min(ends) - now) if ends else None

    def _depth(self, lane: str) -> float:
        with self._changed:
            waiting = [*self._ready.items.values(), *self._parked.values()]
            return sum(item.lane.name == lane for item in waiting)

    def _unfinished(self) -> float:
        with self._changed:
            now = self._clock.monotonic()
            return sum(now - since for since in self._processing.values())


def _no_target(_: str) -> None:
    """Without a bulkhead no key has a backend."""
