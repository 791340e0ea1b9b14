"""Tables and lists of words in Markdown, and pages of which a part is made anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

Lines = Iterator[str]
"""Parts of a page, joined by newlines."""


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A Markdown table, ready to be followed by a blank line."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines) + "\n"


def remade(page: str, begin: str, end: str, body: str) -> str:
    """The page with what stands between two markers made anew. Raises `ValueError` where one is missing."""
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the page needs {begin} and {end} around the part that is written from the code")
    return f"{before}{begin}\n\n{body}\n{end}{after}"


def words(names: Iterable[str]) -> str:
    """Names in alphabetical order, or that there are none."""
    return ", ".join(f"`{name}`" for name in sorted(map(str, names))) or "none"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
