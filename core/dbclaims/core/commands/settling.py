"""When `dbclaims up --once` has come to its end."""

from __future__ import annotations

from collections.abc import Sequence

from ..clock import Clock
from ..table import Row

PATIENCE = 10.0
"""Seconds without progress, with nothing in work, after which nothing more comes by itself: five tries of a backoff."""

LONGEST_PASS = 60.0
"""Seconds without progress after which a pass in work counts for nothing any more."""


class Settling:
    """Watches the rows for progress."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: Sequence[Row] | None = None
        self._moved = clock.monotonic()

    def is_over(self, found: Sequence[Row], *, idle: bool) -> bool:
        """Whether every row is good or waits for a person, with nothing in work; or nothing moves any more."""
        if found != self._rows:
            self._rows, self._moved = found, self._clock.monotonic()
        if idle and all(row.over for row in found):
            return True
        return self._clock.monotonic() - self._moved >= (PATIENCE if idle else LONGEST_PASS)
