"""One controller at a time per database: a session-level advisory lock on the maintenance database.

The key is an HMAC, so that no login can guess it and sit on it; one that reads it in `pg_locks` may delay us for
`lock_timeout`, and no longer (PROTOCOL.md §4.7). A lock that a transaction pooler forgot shows in the next `observe`.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import attrs
import psycopg
from psycopg.errors import LockNotAvailable

from dbclaims.core.spi import DatabaseRef, Installation, Transient

from .session import Connection, Lock, Session

_HOLDER = """
SELECT a.usename FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND l.classid::bigint << 32 | l.objid::bigint = %s
"""


def key(installation: Installation, database: str) -> int:
    """The advisory lock's key for a database: 64 bits, signed."""
    digest = hmac.digest(installation.lock_key, database.encode(), "sha256")
    return int.from_bytes(digest[:8], "big", signed=True)


@contextmanager
def locked(session: Session, ref: DatabaseRef) -> Iterator[Session]:
    """Hold the lock and yield the session to use meanwhile. Raises `Transient` (`LockHeld`) for one of ours."""
    with session.maintenance() as connection:
        lock = _take(session, connection, ref)
        try:
            yield attrs.evolve(session, lock=lock)
        finally:
            _release(lock)


def _take(session: Session, connection: Connection, ref: DatabaseRef) -> Lock:
    number = key(session.installation, ref.name)
    try:
        connection.execute("SELECT pg_catalog.pg_advisory_lock(%s)", [number])
        return Lock(connection, number)
    except LockNotAvailable:
        stranger = connection.execute(_HOLDER, [number]).fetchone()
    if stranger and stranger[0] != session.admin.username:
        return Lock(connection, number, stranger[0])
    raise Transient(f"another controller works on database {ref.name!r}: wait", reason="LockHeld", retry_after=5.0)


def _release(lock: Lock) -> None:
    if lock.stranger is None and not lock.connection.closed:
        with suppress(psycopg.Error):
            if lock.connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s)", [lock.key]).fetchone() == (True,):
                return
        # Whatever it still holds ends with the connection.
        lock.connection.close()
