"""A weekly maintenance window in UTC, such as `Sun:03:00-Sun:04:00`. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK = timedelta(days=7)


def is_open(window: str, now: datetime) -> bool:
    """Whether disruptive steps may begin now."""
    start, end = (_offset(edge) for edge in window.split("-"))
    return (_since_monday(now) - start) % _WEEK < (end - start) % _WEEK


def opens_in(window: str, now: datetime) -> timedelta:
    """How long until the window opens next; a week where it has just opened."""
    start, _ = (_offset(edge) for edge in window.split("-"))
    return (start - _since_monday(now)) % _WEEK or _WEEK


def _offset(edge: str) -> timedelta:
    day, hours, minutes = edge.split(":")
    return timedelta(days=_DAYS.index(day), hours=int(hours), minutes=int(minutes))


def _since_monday(now: datetime) -> timedelta:
    return timedelta(
        days=now.weekday(), hours=now.hour, minutes=now.minute, seconds=now.second, microseconds=now.microsecond
    )
