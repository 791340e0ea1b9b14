"""The YAML that programs write into a kubeconfig, and no more of it: whatever else there is in YAML is left to PyYAML.

Importing PyYAML is a quarter of the time of `kubectl claims list`. So this reads maps and lists in blocks, and scalars
on one line that can mean but one thing; at the first doubt it is `NotPlain`. What it does read, it reads as PyYAML
would: a test holds the two against each other.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any

_ENTRY = re.compile(r"([A-Za-z][A-Za-z0-9_.-]{0,99}):(?: +(.+))?")
_WORD = re.compile(r"(?:-{0,2}[A-Za-z]|/)[A-Za-z0-9_./@+=-]*(?::+[A-Za-z0-9_./@+=-]+)*")
_QUOTED = re.compile(r"""(["'])((?:(?!\1|\\)[ -~])*)\1""")
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}
_DOUBTFUL = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

Lines = deque[tuple[int, str]]
"""What is left to read: how deep a line is indented, and its text."""


class NotPlain(Exception):
    """There is more in it than this reads; PyYAML knows."""


def read_plain(content: bytes) -> Any:
    """The document as PyYAML's safe loader gives it. Raises `NotPlain`."""
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError as error:
        raise NotPlain from error
    rows = ((row, row.strip(" ")) for row in text.split("\n"))
    lines = deque((len(row) - len(row.lstrip(" ")), said) for row, said in rows if said and not said.startswith("#"))
    if not lines:
        raise NotPlain
    found = _block(lines)
    if lines:
        raise NotPlain
    return found


def _block(lines: Lines) -> Any:
    """The map or the list that begins here; its first line says how deep it is."""
    depth, text = lines[0]
    return _list(lines, depth) if text.startswith("- ") else _map(lines, depth)


def _map(lines: Lines, depth: int) -> dict[str, Any]:
    found = {}
    while lines and lines[0][0] == depth and not lines[0][1].startswith("- "):
        entry = _ENTRY.fullmatch(lines.popleft()[1])
        if entry is None or entry[1].lower() in _DOUBTFUL:
            raise NotPlain
        found[entry[1]] = _scalar(entry[2]) if entry[2] else _below(lines, depth)
    return found


def _below(lines: Lines, depth: int) -> Any:
    """What belongs to a key that has nothing behind it: a list may stand as deep as the key itself."""
    if lines and (lines[0][0] > depth or (lines[0][0] == depth and lines[0][1].startswith("- "))):
        return _block(lines)
    return None


def _list(lines: Lines, depth: int) -> list[Any]:
    found = []
    while lines and lines[0][0] == depth and lines[0][1].startswith("- "):
        text = lines[0][1]
        item = text[1:].lstrip(" ")
        if _ENTRY.fullmatch(item):
            # The map begins behind the dash, as if that were more space.
            lines[0] = (depth + len(text) - len(item), item)
            found.append(_block(lines))
        else:
            lines.popleft()
            found.append(_scalar(item))
    return found


def _scalar(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text in ("{}", "[]"):
        return {} if text == "{}" else []
    if quoted := _QUOTED.fullmatch(text):
        return quoted[2]
    if _WORD.fullmatch(text) and text.lower() not in _DOUBTFUL:
        return text
    raise NotPlain
