"""Whose is a database that stands under the wished name, and may it be taken? Pure (PROTOCOL.md §2)."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from .api import Adoptable
from .spi import RELEASED, Database, Mark, NotOwned


def is_adoption(ours: Mark, observed: Database, *, adopt: bool, adoptable: Sequence[Adoptable]) -> bool:
    """Whether this database is somebody else's that we may take over; False when it is ours already.

    Raises `NotOwned` when it is not ours and the consent is missing. An unmarked database that belongs to our holder
    role is ours, half made.
    """
    mark = observed.mark
    if (mark is None and observed.held) or (mark is not None and mark.same_owner(ours)):
        return False
    if not observed.present and mark is None:
        return False
    if adopt and (_renamed(ours, mark) or _listed(ours, observed, adoptable)):
        return True
    raise NotOwned(_way_out(observed.ref.name, adopt))


def _renamed(ours: Mark, mark: Mark | None) -> bool:
    """A released database of the same namespace under another name: the claim was renamed."""
    if mark is None or mark.state != RELEASED:
        return False
    return (mark.installation, mark.kind, mark.nsuid) == (ours.installation, ours.kind, ours.nsuid)


def _listed(ours: Mark, observed: Database, adoptable: Sequence[Adoptable]) -> bool:
    return any(
        _matches(observed.ref.name, entry.databases)
        and _matches(ours.ns, entry.namespaces)
        and _comes_from(ours, observed.mark, entry)
        for entry in adoptable
    )


def _comes_from(ours: Mark, mark: Mark | None, entry: Adoptable) -> bool:
    """A mark of another installation or namespace must be named in `from`; so must nothing else."""
    if mark is None or (mark.installation, mark.nsuid) == (ours.installation, ours.nsuid):
        return True
    return entry.from_ is not None and (entry.from_.installation, entry.from_.namespace) == (mark.installation, mark.ns)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _way_out(database: str, adopt: bool) -> str:
    if adopt:
        return (
            f"database {database!r} exists and is not this claim's, and the class does not list it as adoptable here; "
            "ask the platform team for an entry in the class's spec.adoptable, or choose another name"
        )
    return (
        f"database {database!r} exists and is not this claim's; choose another spec.databaseName, or take it over with "
        "spec.adopt: true if the class lists it as adoptable"
    )
