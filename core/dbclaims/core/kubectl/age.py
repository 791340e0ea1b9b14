"""Lengths of time in kubectl's words: `85s`, `3m20s`, `5h`, `12d`."""

from __future__ import annotations

from datetime import datetime, timedelta

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def age(length: timedelta) -> str:
    """As `kubectl get` prints it: two units while the second one matters, then one."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    if seconds < 3 * _HOUR:
        return _two(seconds, _MINUTE, "m", 1, "s", most=10)
    if seconds < 2 * _DAY:
        return _two(seconds, _HOUR, "h", _MINUTE, "m", most=8)
    if seconds < 730 * _DAY:
        return _two(seconds, _DAY, "d", _HOUR, "h", most=8)
    return _two(seconds, 365 * _DAY, "y", _DAY, "d", most=8)


def since(moment: str, now: datetime) -> str:
    """How long ago a moment of the API is; a dash where there is none."""
    return age(now - parsed(moment)) if moment else "-"


def parsed(moment: str) -> datetime:
    """A moment as the API writes it."""
    return datetime.fromisoformat(moment)


def _two(seconds: int, unit: int, name: str, part: int, part_name: str, *, most: int) -> str:
    whole, rest = divmod(seconds, unit)
    parts = rest // part
    return f"{whole}{name}{parts}{part_name}" if whole < most and parts else f"{whole}{name}"
