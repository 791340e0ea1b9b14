"""A clock that stands still until a test moves it."""

import threading
from datetime import UTC, datetime, timedelta


class FakeClock:
    """`dbclaims.core.clock.Clock` under a test's control; advancing wakes whoever's time has come."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start, self._passed = start, 0.0
        self._lock = threading.Lock()
        self._waiting: dict[int, tuple[threading.Condition, float]] = {}

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        me = threading.get_ident()
        with self._lock:
            # Registered while the caller holds the condition: advance() cannot notify before the wait has begun.
            self._waiting[me] = (condition, float("inf") if seconds is None else self._passed + seconds)
        if seconds is None or seconds > 0:
            condition.wait()
        with self._lock:
            self._waiting.pop(me, None)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        with self._lock:
            self._passed += seconds
            due = [condition for condition, until in self._waiting.values() if until <= self._passed]
        for condition in due:
            with condition:
                condition.notify_all()

    def waiters(self) -> int:
        """How many threads wait on this clock; one whose time has come, and who has not woken yet, does not."""
        with self._lock:
            return sum(until > self._passed for _, until in self._waiting.values())
