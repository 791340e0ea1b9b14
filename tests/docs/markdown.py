"""Tables and lists of words in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

Lines = Iterator[str]
"""Parts of a page, joined by newlines."""


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A Markdown table, ready to be followed by a blank line."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines) + "\n"


def words(names: Iterable[str]) -> str:
    """Names in alphabetical order, or that there are none."""
    return ", ".join(f"`{name}`" for name in sorted(map(str, names))) or "none"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
