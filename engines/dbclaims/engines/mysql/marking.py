"""The marks that we write on accounts, and what they say besides whose it is.

There are no transactions here, so the owner's mark says `making` until everything stands. Every mark names its database
by a digest (`on=`), so that all accounts of a database are found, also those of RoleClaims that the core forgot.
"""

from __future__ import annotations

import hashlib
import re

import attrs

from dbclaims.core.spi import HELD, Mark

MAKING = "making"
"""The state of a database that is not complete yet: what is found under its name is ours only while it is empty."""

IDENTITY = re.compile(r"^dbclaims/1 .*\bidentity=(\S+)", re.MULTILINE)
"""The server's own id in the mark of a holder account."""

_ON = "on"


def digest(database: str) -> str:
    """A database's name as marks hold it: short, and without a blank."""
    return hashlib.sha256(database.encode()).hexdigest()[:16]


def written(mark: Mark, database: str, before: str = "") -> str:
    """The mark of an owner or a role as text, in place of the one that stands; all else that stands is kept."""
    old = Mark.read(before)
    people = "\n".join(line for line in before.splitlines() if Mark.read(line) is None)
    return attrs.evolve(mark, extra={**(old.extra if old else {}), _ON: digest(database)}).onto(people)


def of_account(mark: Mark, database: str, state: str = HELD) -> str:
    """The mark of an account that logs in: whose it is never changes while it exists."""
    return attrs.evolve(mark, state=state, extra={_ON: digest(database)}).write()


def is_on(mark: Mark | None, database: str) -> bool:
    """Whether the mark says that its account was made for this database."""
    return mark is not None and mark.extra.get(_ON) == digest(database)


def search(database: str) -> str:
    """The LIKE pattern of every mark for this database."""
    return f"%{_ON}={digest(database)}%"
