"""What a login may do: the presets of PROTOCOL.md §1 as lists of privileges, and as the server's own table has them.

A preset is granted to each account by name, never through a role: what a login defines (a view, a routine, an event)
must go on working when it is locked, and that counts the definer's own privileges. Never ALL, which hosted admins may
not give, and never with GRANT OPTION.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbclaims.core.spi import Access, Login

_READER = ("SELECT", "SHOW VIEW")
_WRITER = (*_READER, "INSERT", "UPDATE", "DELETE", "EXECUTE", "LOCK TABLES", "CREATE TEMPORARY TABLES")
_OWNER = (
    *_WRITER,
    "CREATE",
    "DROP",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "CREATE VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "EVENT",
    "TRIGGER",
)

PRESETS: Mapping[Access, frozenset[str]] = {
    Access.READER: frozenset(_READER),
    Access.WRITER: frozenset(_WRITER),
    Access.OWNER: frozenset(_OWNER),
}
"""Privileges on the database, by preset."""

_COLUMNS = {"Create_tmp_table_priv": "CREATE TEMPORARY TABLES", "Grant_priv": "GRANT OPTION"}
"""Columns of `mysql.db` that are not named after their privilege."""


def wanted(login: Login, owner: str) -> frozenset[str]:
    """What each account of a login is to have. A database is one schema: the highest access of any counts."""
    if login.role == owner:
        return PRESETS[Access.OWNER]
    if not login.grants:
        return frozenset()
    return PRESETS[max(login.grants.values(), key=lambda access: access.rank)]


def held(row: Mapping[str, Any]) -> frozenset[str]:
    """The privileges in a row of `mysql.db`."""
    return frozenset(_word(column) for column, value in row.items() if column.endswith("_priv") and value == "Y")


def listed(privileges: frozenset[str]) -> str:
    """Privileges as SQL, in one order."""
    return ", ".join(sorted(privileges))


def _word(column: str) -> str:
    return _COLUMNS.get(column) or column.removesuffix("_priv").replace("_", " ").upper()
