"""Writes what `docs/` and the chart say from the code: `python -m tests.docs.generate [--check]`.

That is the whole of reference.md, the list of files in architecture.md, tables in conformance.md, provider-aws.md,
install.md and versions.md, and the chart's CRDs, rights and dashboard. With `--check` nothing is written; the exit
code is 1 where something is out of date. `make docs` and `make check` call it.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.aws.table import tabled as fields_tabled
from tests.conformance.table import tabled
from tests.operate.dashboard import DASHBOARD, rendered

from . import chart, versions
from .blocks import REPOSITORY
from .reference import reference
from .tree import listed

REFERENCE = REPOSITORY / "docs" / "reference.md"
ARCHITECTURE = REPOSITORY / "docs" / "architecture.md"
CONFORMANCE = REPOSITORY / "docs" / "conformance.md"
PROVIDER_AWS = REPOSITORY / "docs" / "provider-aws.md"
INSTALL = REPOSITORY / "docs" / "install.md"
VERSIONS = REPOSITORY / "docs" / "versions.md"


def main(arguments: Sequence[str]) -> int:
    """Write the pages that differ, or with `--check` name them; the exit code."""
    check = "--check" in arguments
    old = [page for page, wanted in _pages() if _differs(page, wanted, write=not check)]
    for page in old:
        print(f"{page.name} is out of date; run `make docs` and commit it" if check else f"wrote {page.name}")
    return int(check and bool(old))


def _pages() -> Iterator[tuple[Path, str]]:
    yield REFERENCE, reference()
    yield ARCHITECTURE, listed(ARCHITECTURE.read_text())
    yield CONFORMANCE, tabled(CONFORMANCE.read_text())
    yield DASHBOARD, rendered()
    yield PROVIDER_AWS, fields_tabled(PROVIDER_AWS.read_text())
    yield INSTALL, chart.tabled(INSTALL.read_text())
    yield VERSIONS, versions.tabled(VERSIONS.read_text())
    yield from chart.files()


def _differs(page: Path, wanted: str, *, write: bool) -> bool:
    """Whether a page is not what it should be; then it is written, or the difference is printed."""
    standing = page.read_text() if page.exists() else ""
    if wanted == standing:
        return False
    if write:
        page.write_text(wanted)
    else:
        sys.stdout.writelines(difflib.unified_diff(standing.splitlines(True), wanted.splitlines(True), n=0))
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
