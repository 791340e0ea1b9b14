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
    """Columns by name, with the rows.

    Attributes:
        version: of the state that it shows; empty where nobody can be asked for what comes after.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    version: str = ""


def widths_of(
    columns: Sequence[str], rows: Sequence[Sequence[str]], least: Sequence[int] = (), *, heads: bool = True
) -> list[int]:
    """How wide each column is to be. Pure."""
    shown = [*([columns] if heads else []), *rows]
    wanted = [max((len(row[at]) for row in shown), default=0) for at in range(len(columns))]
    return [max(pair) for pair in zip(wanted, least or wanted, strict=True)]


def lines(
    columns: Sequence[str], rows: Sequence[Sequence[str]], screen: Screen, widths: Sequence[int], *, heads: bool = True
) -> Iterator[str]:
    """The lines of a table; no space stands at an end of one."""
    # One template for every row: with a thousand of them, a call for each cell is what `list` would spend its time on.
    shape, names = _GAP.join(f"{{:<{width}}}" for width in widths), [name.upper() for name in columns]
    if heads:
        yield screen.paint(shape.format(*names).rstrip(), "strong")
    judged = [at for at, name in enumerate(names) if name in _JUDGED]
    for row in rows:
        cells = list(row)
        for at in judged:
            cells[at] = screen.verdict(cells[at], widths[at])
        yield shape.format(*cells).rstrip()


def show(screen: Screen, columns: Sequence[str], rows: Iterable[Sequence[str]], *, heads: bool = True) -> None:
    """Print a table; an empty cell is a dash, so that `awk` finds every column."""
    filled = [[cell or "-" for cell in row] for row in rows]
    for line in lines(columns, filled, screen, widths_of(columns, filled, heads=heads), heads=heads):
        screen.say(line)
