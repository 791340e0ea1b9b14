"""The code blocks and links of a Markdown page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

REPOSITORY = Path(__file__).parents[2]
README = REPOSITORY / "README.md"
PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md")), REPOSITORY / "tests/README.md"]
"""Every page; its blocks are held to the code."""

FENCE = re.compile(r"^[ >]*```", re.MULTILINE)
"""What opens or closes a block, wherever Markdown lets it."""

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"Save this as\s+`([^`]+)`:\n\n\Z")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_ANCHOR = re.compile(r'<a id="([^"]+)">')


@frozen
class Block:
    """A fenced block.

    Attributes:
        place: the page and the line, for a failing test.
        language: the word after the fence.
        file: where the page asks people to save it; empty where it does not.
    """

    place: str
    language: str
    text: str
    file: str = ""


def blocks(*languages: str) -> Iterator[Block]:
    """Every block of every page in these languages; without one, all of them."""
    for page in PAGES:
        yield from (block for block in blocks_of(page) if not languages or block.language in languages)


def blocks_of(page: Path, heading: str = "") -> Iterator[Block]:
    """The blocks of a page in their order, or those below one of its headings (`"## In a cluster"`)."""
    text = page.read_text()
    begin, end = _section(text, heading) if heading else (0, len(text))
    for found in _BLOCK.finditer(text, begin, end):
        line = text.count("\n", 0, found.start()) + 1
        asked = _FILE.search(text, 0, found.start())
        yield Block(f"{page.name}:{line}", found[1], found[2], asked[1] if asked else "")


def _section(text: str, heading: str) -> tuple[int, int]:
    """Where a section begins and ends: at the next heading of its level or a higher one. Raises `ValueError`."""
    begin = text.index(f"\n{heading}\n") + 1
    level = heading.partition(" ")[0]
    headings = re.compile(rf"^#{{1,{len(level)}}} ", re.MULTILINE)
    following = headings.search(_BLOCK.sub(_blank, text), begin + len(heading))
    return begin, following.start() if following else len(text)


def _blank(block: re.Match[str]) -> str:
    """A block's length of nothing, since a comment in a shell looks like a heading."""
    return " " * len(block[0])


def prose(page: Path) -> str:
    """A page without its blocks."""
    return _BLOCK.sub("", page.read_text())


def links(page: Path) -> list[str]:
    """The targets of a page's links."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """What a link into the page may name: headings as GitHub slugs them, and anchors of our own."""
    text = prose(page)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text)}
    return slugs | set(_ANCHOR.findall(text))
