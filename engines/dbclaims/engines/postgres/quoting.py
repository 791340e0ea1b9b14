"""The one way in which a name or a text becomes SQL: composed, never concatenated, and refused rather than changed.

PostgreSQL cuts names of more than 63 bytes with no more than a notice, so that two claims would meet in one
database; here such a name is an error.
"""

from __future__ import annotations

from psycopg import sql

from dbclaims.core.spi import InvalidSpec

NAME_LIMIT = 63
"""Bytes of a name in UTF-8 (NAMEDATALEN - 1)."""


def identifier(name: str) -> sql.Identifier:
    """A name as SQL. Raises `InvalidSpec` for one that the server would cut or could not hold."""
    size = len(_encoded(name))
    if not 0 < size <= NAME_LIMIT:
        raise InvalidSpec(
            f"the name {name[:80]!r} has {size} bytes, PostgreSQL takes 1 to {NAME_LIMIT}: choose another"
        )
    return sql.Identifier(name)


def text(value: str) -> sql.Literal:
    """A text as SQL. Raises `InvalidSpec` for one that the server could not hold."""
    _encoded(value)
    return sql.Literal(value)


def names(values: tuple[str, ...]) -> sql.Composed:
    """Several names with commas between."""
    return sql.SQL(", ").join(identifier(value) for value in values)


def _encoded(value: str) -> bytes:
    try:
        encoded = value.encode()
    except UnicodeEncodeError as error:
        raise InvalidSpec(f"{value[:80]!r} is not valid Unicode: choose another name") from error
    if b"\0" in encoded:
        raise InvalidSpec(f"{value[:80]!r} holds a NUL character: choose another name")
    return encoded
