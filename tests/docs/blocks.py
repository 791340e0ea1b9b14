"""The code blocks and links of a Markdown page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted((REPOSITORY / "docs").rglob("*.md"))
"""The pages whose blocks are held to the code; README.md has tests of its own."""

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_ANCHOR = re.compile(r'<a id="([^"]+)">')


@frozen
class Block:
    """A fenced block.

    Attributes:
        place: the page and the line, for a failing test.
        language: the word after the fence.
    """

    place: str
    language: str
    text: str


def blocks(*languages: str) -> Iterator[Block]:
    """Every block of every page in these languages; without one, all of them."""
    for page in PAGES:
        text = page.read_text()
        for found in _BLOCK.finditer(text):
            if not languages or found[1] in languages:
                line = text.count("\n", 0, found.start()) + 1
                yield Block(f"{page.name}:{line}", found[1], found[2])


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
