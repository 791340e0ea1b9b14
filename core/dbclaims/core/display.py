"""Where `dbclaims up` shows its rows: a live table on a terminal, a line for each change where the output is piped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live

from .table import Row, rendered


class Display(Protocol):
    """Shows the rows; notes are sentences about documents that were not taken over."""

    def show(self, shown: Sequence[Row], notes: Sequence[object]) -> None:
        """Show how things stand now."""
        ...


@contextmanager
def display(console: Console) -> Iterator[Display]:
    """The display that fits the console. While a table stands, what others write to stderr appears above it."""
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=False) as live:
            yield _Screen(live)
    else:
        yield _Lines(console)


class _Screen:
    def __init__(self, live: Live) -> None:
        self._live = live
        self._told: object = None

    def show(self, shown: Sequence[Row], notes: Sequence[object]) -> None:
        told = (list(shown), list(notes))
        if told != self._told:
            self._told = told
            self._live.update(rendered(shown, notes), refresh=True)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: set[str] = set()

    def show(self, shown: Sequence[Row], notes: Sequence[object]) -> None:
        lines = [*map(str, shown), *(f"not taken over: {note}" for note in notes)]
        for line in lines:
            if line not in self._told:
                self._console.out(line, highlight=False)
        self._told = set(lines)
