"""A circuit breaker: remembers why a backend could not be used, and until when it is not asked again."""

from __future__ import annotations

import threading

from .clock import Clock
from .spi import SPIError

SHORTEST = 5.0
LONGEST = 30.0
"""Seconds between two attempts on a backend that fails. The longer one is the promise that a mended server or Secret
is found without a nudge (DESIGN.md §5)."""


class Breaker:
    """Open after a failure, for a time that doubles with each; closed by the first success."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._error: SPIError | None = None
        self._until = 0.0
        self._failures = 0

    def check(self) -> None:
        """Raise the remembered error while the breaker is open, with the seconds that are left."""
        with self._lock:
            left = self._until - self._clock.monotonic()
            if self._error is not None and left > 0:
                # A copy, since several threads raise it and each adds its own traceback.
                raise type(self._error)(self._error.message, reason=self._error.reason, retry_after=left)

    def trip(self, error: SPIError) -> None:
        """Open. Failures that overlap count once: they began before anybody knew."""
        with self._lock:
            now = self._clock.monotonic()
            if now >= self._until:
                self._failures += 1
            self._error = error
            self._until = now + min(LONGEST, SHORTEST * 2 ** (self._failures - 1))

    def reset(self) -> None:
        """Close."""
        with self._lock:
            self._error, self._failures, self._until = None, 0, 0.0
