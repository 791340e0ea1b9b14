"""Who is connected."""

from __future__ import annotations

from collections.abc import Mapping

from dbclaims.core.spi import DatabaseRef

from .session import Session

_STATEMENT = """
SELECT usename, pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE usename = ANY(%s) GROUP BY usename
"""


def count(session: Session, ref: DatabaseRef) -> Mapping[str, int]:
    """Open connections by role, on whatever database; 0 for a role that has none or does not exist."""
    names = [ref.owner, *ref.roles]
    with session.maintenance() as connection:
        rows = connection.execute(_STATEMENT, [names]).fetchall()
    return {**dict.fromkeys(names, 0), **dict(rows)}
