"""Time as a dependency: everything that waits or dates asks a `Clock`, so that tests step time and never sleep."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from. All durations are seconds."""

    def now(self) -> datetime:
        """The wall clock, in UTC: for timestamps that others read, never for measuring."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that never run backwards: for measuring."""
        ...

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Wait on `condition`, which the caller holds, for at most `seconds` (None: until notified).

        May return early for no reason, as `threading.Condition.wait` may: callers look at their state in a loop.
        """
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """See `Clock.wait`."""
        condition.wait(seconds)


class StopSignal:
    """A flag that is raised once and wakes whoever waits for it, on the injected clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # An RLock, since a signal handler may set the flag in the very thread that waits for it.
        self._changed = threading.Condition(threading.RLock())
        self._set = False

    def is_set(self) -> bool:
        """Whether the flag has been raised."""
        return self._set

    def set(self) -> None:
        """Raise the flag; may be repeated, and is safe in a signal handler."""
        with self._changed:
            self._set = True
            self._changed.notify_all()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait at most `seconds` (None: for ever) for the flag; return whether it is raised."""
        deadline = None if seconds is None else self._clock.monotonic() + seconds
        with self._changed:
            while not self._set:
                left = None if deadline is None else deadline - self._clock.monotonic()
                if left is not None and left <= 0:
                    break
                self._clock.wait(self._changed, left)
            return self._set
