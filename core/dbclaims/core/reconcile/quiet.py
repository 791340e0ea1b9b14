"""Since when old logins have been without a session."""

from __future__ import annotations

from datetime import timedelta

from ..clock import Clock


class Quiet:
    """Since when each login's old account has been seen without a session.

    A restart forgets it, and a full grace begins anew; so it does with each publication, whoever published.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[str, tuple[str, float]] = {}

    def seen(self, owner: str, publication: str, sessions: int) -> timedelta:
        """Note how many sessions the old account has now; return for how long it has had none."""
        if sessions:
            self.forget(owner)
            return timedelta(0)
        now = self._clock.monotonic()
        if self._since.get(owner, ("", now))[0] != publication:
            self.forget(owner)
        _, since = self._since.setdefault(owner, (publication, now))
        return timedelta(seconds=now - since)

    def forget(self, owner: str) -> None:
        """No account of this owner is waited for."""
        self._since.pop(owner, None)
