"""The table of mutants in docs/conformance.md."""

from __future__ import annotations

from tests.docs.markdown import remade, table

from .mutants import engines, providers

BEGIN, END = "<!-- mutants: written by `make docs` -->", "<!-- end of mutants -->"


def tabled(page: str) -> str:
    """The page with its table made anew. Raises `ValueError` where the markers are missing."""
    rows = [
        (f"{kind} {each.name}", each.mistake, f"`{each.killed_by}`")
        for kind, module in (("provider", providers), ("engine", engines))
        for each in module.MUTANTS
    ]
    return remade(page, BEGIN, END, table(("mutant", "its mistake", "killed by"), rows))
