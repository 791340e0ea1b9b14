"""Printing: tables of what was measured, and each aim with whether it was met."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field
from rich.console import Console
from rich.table import Table


@define
class Report:
    """What one run of `make bench` found out. Printed as it is found, and the aims once more at the end."""

    console: Console = field(factory=lambda: Console(width=140, soft_wrap=True))
    _aims: list[tuple[str, str, str, bool]] = field(factory=list)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table; the first column is text, all others are figures."""
        table = Table(title=title, title_justify="left")
        for number, column in enumerate(columns):
            table.add_column(column, justify="right" if number else "left", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        self.console.print()
        self.console.print(table)

    def aim(self, what: str, found: float, most: float, unit: str = "") -> None:
        """Note a figure that is to be at most `most`."""
        self._aims.append((what, f"{found:.2f}{unit}", f"<= {most:g}{unit}", found <= most))

    def finish(self) -> None:
        """Print every aim."""
        rows = [(what, found, aim, "met" if met else "NOT MET") for what, found, aim, met in self._aims]
        self.table("aims (peer-cost.md §6)", ("what", "found", "aim", ""), rows)
