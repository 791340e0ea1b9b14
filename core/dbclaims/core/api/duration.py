"""Durations as people write them: `"12h"`, `"1h30m"`, `"0s"`, `"7d"`.

The syntax is Go's for whole hours, minutes and seconds, in that order, so that CEL's `duration()` reads it. Days stand
alone, for CEL does not know them and a rule turns them into hours (`rules.seconds_in_cel`).
"""

from __future__ import annotations

import re
from datetime import timedelta

# Six digits of hours are 114 years: every sum fits CEL's duration (292 years) and a datetime of ours.
PATTERN = r"^([0-9]{1,5}d|([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?)$"
MAX_LENGTH = 21
SENTENCE = 'is not a duration: write "12h", "1h30m", "0s" or "7d"'

_PARTS = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
_WHOLE = re.compile(PATTERN[1:-1])


def parse_duration(text: str) -> timedelta:
    """Read a duration.

    Raises:
        ValueError: it is none; the message says how one is written.
    """
    parts = _PARTS.fullmatch(text) if text and _WHOLE.fullmatch(text) else None
    if parts is None:
        raise ValueError(f"{text!r} {SENTENCE}")
    days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def format_duration(value: timedelta) -> str:
    """Write a duration of whole seconds; the shortest text that `parse_duration` reads back.

    Raises:
        ValueError: the duration is negative.
    """
    if value < timedelta(0):
        raise ValueError(f"{value} is negative; a duration is zero or more")
    minutes, seconds = divmod(int(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours and not (hours % 24 or minutes or seconds):
        return f"{hours // 24}d" if hours > 24 else f"{hours}h"
    units = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in units if number) or "0s"
