"""The one way in which a name or a text becomes SQL, and a name becomes the pattern that a GRANT reads.

Backticks quote in every sql_mode. A text is only safe under the sql_mode that `dial` sets on every admin connection:
with NO_BACKSLASH_ESCAPES a backslash would be one.
"""

from __future__ import annotations

import re

from pymysql.converters import escape_string

from dbclaims.core.spi import InvalidSpec

NAME_LIMIT = 64
"""Characters of a database's name."""

ACCOUNT_LIMIT = 32
"""Characters of an account's name: MySQL's limit (MariaDB takes 128)."""


def identifier(name: str) -> str:
    """A database's name as SQL. Raises `InvalidSpec` for one that the server would refuse or change."""
    if not 0 < len(name) <= NAME_LIMIT or name != name.rstrip():
        raise InvalidSpec(
            f"the name {name[:80]!r} is empty, longer than {NAME_LIMIT} or ends in white space: choose another"
        )
    return _backticks(name)


def account(name: str) -> str:
    """An account of ours as SQL: it may connect from everywhere. Raises `InvalidSpec`."""
    # MySQL 9.7 answers OK to a name that ends in a line feed and keeps it without (found by the fuzz).
    if not 0 < len(name) <= ACCOUNT_LIMIT or name != name.strip():
        raise InvalidSpec(
            f"the account {name[:80]!r} has no 1 to {ACCOUNT_LIMIT} characters, or white space at an end: "
            "choose another name"
        )
    return f"{_backticks(name)}@'%'"


def accounts(names: tuple[str, ...]) -> str:
    """Several accounts with commas between."""
    return ", ".join(account(name) for name in names)


def text(value: str) -> str:
    """A text as SQL."""
    return f"'{escape_string(_checked(value))}'"


def pattern(name: str, *, literal: bool) -> str:
    """The schema name that a GRANT must be given to mean `name` alone.

    A GRANT reads it as a pattern unless the server runs with `partial_revokes` (`literal`).
    """
    return name if literal else re.sub(r"([\\_%])", r"\\\1", name)


def granted(spelling: str) -> str:
    """A spelling, as `pattern` made it or as the server keeps it, as SQL. It may be longer than a name."""
    return _backticks(spelling)


def _backticks(name: str) -> str:
    if any(letter > "\uffff" for letter in name):
        # MySQL answers OK and keeps a question mark in its place; MariaDB refuses.
        raise InvalidSpec(f"the name {name[:80]!r} holds a letter beyond Unicode's first plane: choose another")
    return f"`{_checked(name).replace('`', '``')}`"


def _checked(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidSpec(f"{value[:80]!r} is not valid Unicode: choose another name") from error
    if "\0" in value:
        raise InvalidSpec(f"{value[:80]!r} holds a NUL character: choose another name")
    return value
