"""Sphinx's configuration: the pages become a site as they stand in the repository (`make site`).

The repository is the source, and README.md its front page, so that one link works both where the files are read and on
the site. None of our code is imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

project = "dbclaims"
extensions = ["myst_parser"]
root_doc = "README"
include_patterns = ["*.md", "docs/**"]
# Without this, Sphinx would walk through every environment and cache below the repository.
exclude_patterns = [".*", "site", "charts", "conformance", "core", "engines", "providers", "tests"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = project
html_copy_source = False
html_extra_path = ["index.html"]

_TOUR = re.compile(r"^- \*\*(.+?)\*\*: (.+(?:\n  .+)*)", re.MULTILINE)
_PAGE = re.compile(r"\]\(([\w/-]+)\.md\)")
_ANCHOR = re.compile(r'<a id="([^"]+)">')


def setup(app: Any) -> None:
    """Called by Sphinx at its start."""
    app.connect("source-read", add_contents)
    app.connect("doctree-read", add_anchors)


def add_contents(_app: object, name: str, source: list[str]) -> None:
    """Make tables of contents of the list that ends README.md; the runbooks hang on the page that lists them."""
    if name == "README":
        source[0] += "".join(_contents(_PAGE.findall(pages), caption) for caption, pages in _TOUR.findall(source[0]))
    elif name == "docs/operating":
        source[0] += _contents(["runbooks/*"])


def _contents(pages: Iterable[str], caption: str = "") -> str:
    titled = f":caption: {caption}\n" if caption else ""
    return "\n".join(("\n```{toctree}", f":hidden:\n:glob:\n{titled}", *pages, "```\n"))


def add_anchors(app: Any, document: Any) -> None:
    """Let links find the anchors that a page sets by itself; MyST knows those of headings alone."""
    slugs = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for raw in document.findall(lambda node: node.tagname == "raw"):
        slugs |= {anchor: (0, anchor, anchor) for anchor in _ANCHOR.findall(raw.astext())}
