"""Rows under columns, as kubectl prints them: three spaces between, no line cut, in a pipe as on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .screen import Screen

_GAP = "   "
_JUDGED = ("READY",)


class Row(NamedTuple):
    """One object: its cells, and its metadata where that was asked for."""

    cells: tuple[str, ...]
    metadata: dict[str, Any]


class Table(NamedTuple):
    """Columns by name, with the rows."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def lines(
    columns: Sequence[str], rows: Sequence[Sequence[str]], screen: Screen, *, heads: bool = True
) -> Iterator[str]:
    """The lines of a table; no space stands at an end of one."""
    heads_row = [[name.upper() for name in columns]] if heads else []
    shown = [*heads_row, *rows]
    widths = [max((len(row[at]) for row in shown), default=0) for at in range(len(columns))]
    judged = [at for at, name in enumerate(columns) if name.upper() in _JUDGED]
    for number, row in enumerate(shown):
        body = number >= len(heads_row)
        cells = (
            screen.verdict(cell, width) if body and at in judged else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        line = _GAP.join(cells).rstrip()
        yield line if body else screen.paint(line, "strong")


def show(screen: Screen, columns: Sequence[str], rows: Iterable[Sequence[str]], *, heads: bool = True) -> None:
    """Print a table; an empty cell is a dash, so that `awk` finds every column."""
    filled = [[cell or "-" for cell in row] for row in rows]
    for line in lines(columns, filled, screen, heads=heads):
        screen.say(line)
