"""The list of source files at the end of `docs/architecture.md`: each with the first line of its docstring."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from .blocks import REPOSITORY
from .markdown import remade

BEGIN, END = "<!-- made by `make docs` -->", "<!-- end -->"

ROOTS = (
    "core/dbclaims/core",
    "providers/dbclaims/providers",
    "engines/dbclaims/engines",
    "conformance/dbclaims/conformance",
)


def listed(page: str) -> str:
    """The page with its list made anew. Raises `ValueError` where the markers are missing."""
    return remade(page, BEGIN, END, "\n".join(_folders()))


def _folders() -> Iterator[str]:
    files = sorted(path for root in ROOTS for path in (REPOSITORY / root).rglob("*.py"))
    for folder in dict.fromkeys(path.parent for path in files):
        lines = [f"- `{path.name}`: {first_line(path)}\n" for path in files if path.parent == folder]
        yield f"`{folder.relative_to(REPOSITORY)}/`\n\n{''.join(lines)}"


def first_line(path: Path) -> str:
    """What a file says of itself first."""
    text = ast.get_docstring(ast.parse(path.read_text()))
    return text.splitlines()[0] if text else ""
