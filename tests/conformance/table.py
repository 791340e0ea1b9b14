"""The table of mutants in docs/conformance.md."""

from __future__ import annotations

from collections.abc import Iterator

from .mutants import engines, providers

BEGIN, END = "<!-- mutants: written by `make docs` -->\n", "<!-- end of mutants -->"


def tabled(page: str) -> str:
    """The page with its table made anew. Raises `ValueError` where the markers are missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"docs/conformance.md needs {BEGIN.strip()} and {END} around the table of mutants")
    rows = "\n".join(_rows())
    return f"{before}{BEGIN}\n{rows}\n\n{END}{after}"


def _rows() -> Iterator[str]:
    yield "| mutant | its mistake | killed by |"
    yield "|---|---|---|"
    for kind, module in (("provider", providers), ("engine", engines)):
        for each in module.MUTANTS:
            yield f"| {kind} {each.name} | {each.mistake} | `{each.killed_by}` |"
