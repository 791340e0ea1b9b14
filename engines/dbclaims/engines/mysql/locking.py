"""One controller at a time per database: a named lock of the server, held by one connection.

Names are server-wide and any login may take any, so ours are an HMAC that nobody can guess; a login cannot read them
either. GET_LOCK is per server: behind several primaries (Galera) it guards one address only.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import attrs
import pymysql

from dbclaims.core.spi import DatabaseRef, Installation, Transient

from .dial import Line
from .session import Lock, Session

WAIT_S = 2

_HOLDER = "SELECT USER AS name FROM information_schema.processlist WHERE ID = IS_USED_LOCK(%s)"


def key(installation: Installation, database: str) -> str:
    """The lock's name for a database: within the 64 characters that MySQL takes."""
    return "dbclaims:" + hmac.digest(installation.lock_key, database.encode(), "sha256").hex()[:32]


@contextmanager
def locked(session: Session, ref: DatabaseRef) -> Iterator[Session]:
    """Hold the lock and yield the session to use meanwhile. Raises `Transient` (`LockHeld`) for one of ours."""
    with session.maintenance() as line:
        lock = _take(session, line, ref)
        try:
            yield attrs.evolve(session, lock=lock)
        finally:
            _release(lock)


def _take(session: Session, line: Line, ref: DatabaseRef) -> Lock:
    name = key(session.installation, ref.name)
    if line.row("SELECT GET_LOCK(%s, %s) AS taken", [name, WAIT_S])["taken"] == 1:
        return Lock(line, name)
    holders = [row["name"] for row in line.rows(_HOLDER, [name])]
    if holders and holders[0] != session.admin.username:
        return Lock(line, name, holders[0])
    raise Transient(f"another controller works on database {ref.name!r}: wait", reason="LockHeld", retry_after=5.0)


def _release(lock: Lock) -> None:
    if lock.stranger is None and lock.line.open:
        with suppress(pymysql.MySQLError):
            if lock.line.row("SELECT RELEASE_LOCK(%s) AS released", [lock.name])["released"] == 1:
                return
        # Whatever it still holds ends with the connection.
        if lock.line.open:
            lock.line.close()
