"""A session: who we are on one server, a small pool of admin connections, and the lock that a pass may hold.

The pool is our own: psycopg_pool hides a refused login behind `PoolTimeout` and goes on connecting in threads for
five minutes, which is a lock-out policy's reason to lock the admin out.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

import attrs
import psycopg
from psycopg.pq import TransactionStatus
from psycopg.sql import Composed

from dbclaims.core.spi import Credentials, Endpoint, Installation, InvalidSpec, Terminal, Transient

from . import dial
from .errors import mapped
from .quoting import NAME_LIMIT

Connection = psycopg.Connection[Any]

MAINTENANCE_DATABASE = "postgres"
_SLOT_WAIT_S = 5.0


class Pool:
    """At most `slots` connections to one database, opened on demand, the last used one first. Thread-safe."""

    def __init__(self, connect: Callable[[], Connection], slots: int) -> None:
        self._connect = connect
        self._slots = threading.BoundedSemaphore(slots)
        self._idle: list[Connection] = []
        self._closed = False

    @contextmanager
    def checkout(self) -> Iterator[Connection]:
        """Lend a connection. Raises `Transient` (`ServerBusy`) when none comes free in time."""
        if not self._slots.acquire(timeout=_SLOT_WAIT_S):
            text = "every admin connection to this server is in use: wait, or raise its slots"
            raise Transient(text, reason="ServerBusy")
        try:
            connection = self._last_used() or self._connect()
            try:
                yield connection
            finally:
                self._take_back(connection)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close what is idle now, and the rest when it comes back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _last_used(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not _hung_up(connection):
                return connection
            connection.close()
        return None

    def _take_back(self, connection: Connection) -> None:
        clean = not connection.closed and connection.info.transaction_status is TransactionStatus.IDLE
        if clean and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()


@attrs.frozen
class Lock:
    """A database's lock as one connection holds it.

    Attributes:
        key: of the advisory lock.
        stranger: who holds it in our place; then we go on without it (PROTOCOL.md §4.7).
    """

    connection: Connection
    key: int
    stranger: str | None = None


@attrs.frozen
class Session:
    """One server, seen by one admin. `lock` is set inside `engine_lock`: then all goes over its connection."""

    endpoint: Endpoint
    admin: Credentials
    traits: Mapping[str, str]
    installation: Installation
    pool: Pool = attrs.field(repr=False)
    authority: dial.Authority = attrs.field(repr=False)
    lock: Lock | None = attrs.field(default=None, repr=False)

    @property
    def holder(self) -> str:
        """Name of the role that holds our databases."""
        return holder(self.installation.id)

    @contextmanager
    def maintenance(self) -> Iterator[Connection]:
        """An admin connection to the maintenance database."""
        with mapped(f"the admin {self.admin.username!r} on {self.where}"):
            if self.lock:
                yield self.lock.connection
            else:
                with self.pool.checkout() as connection:
                    yield connection

    @contextmanager
    def inside(self, database: str) -> Iterator[Connection]:
        """A new admin connection to a claim's database, closed at the end."""
        what = f"the admin {self.admin.username!r} in {database!r} on {self.where}"
        with mapped(what), closing(_as_admin(self, database)) as connection:
            yield connection

    @property
    def where(self) -> str:
        """Host and port, for sentences."""
        return f"{self.endpoint.host}:{self.endpoint.port}"

    def close(self) -> None:
        """Close the pool; a pass that still goes on opens what it needs and closes it."""
        self.pool.close()


def holder(installation: str) -> str:
    """The holder role's name. Raises `InvalidSpec` when the installation id makes it too long."""
    name = f"dbclaims_{installation}"
    if len(name.encode()) > NAME_LIMIT:
        raise InvalidSpec(f"the installation id {installation!r} is too long for a role name: choose a shorter one")
    return name


def open_session(
    endpoint: Endpoint, admin: Credentials, traits: Mapping[str, str], installation: Installation, slots: int
) -> Session:
    """Make a session. No network."""
    database = traits.get("maintenance_database", MAINTENANCE_DATABASE)
    pool = Pool(lambda: _as_admin(session, database), slots)
    session = Session(endpoint, admin, traits, installation, pool, dial.Authority(endpoint.tls))
    return session


def atomically(connection: Connection, statements: Sequence[Composed]) -> None:
    """Run the statements as one transaction in one round trip; either all of them happen or none.

    A pipeline is a transaction by itself up to its Sync (manual, "Pipelining"), so BEGIN and COMMIT are not sent.
    """
    with connection.pipeline():
        try:
            for statement in statements:
                connection.execute(statement)
        except BaseException as error:
            # Leaving a pipeline sends Sync, which would commit the half that was sent. Where the server itself refused
            # one, it has undone the rest and skips what comes until then; the connection, and its lock, go on.
            if not (isinstance(error, psycopg.Error) and error.sqlstate):
                connection.close()
            raise


def require_direct(session: Session, search_path: str, *, forgotten: bool = False) -> None:
    """Raise `Terminal` (`PoolerEndpoint`) when what a session was told at its start does not hold."""
    if forgotten or search_path.replace(" ", "") != "pg_catalog,pg_temp":
        raise Terminal(
            f"{session.where} is a connection pooler that forgets locks or settings between statements: "
            "give the server's direct address, and the pooler's as clientEndpoint",
            reason="PoolerEndpoint",
        )


def _as_admin(session: Session, database: str) -> Connection:
    return dial.connect(
        session.endpoint,
        session.authority,
        session.admin,
        database,
        options=dial.ADMIN_OPTIONS,
        auth=session.traits.get("auth", dial.SCRAM),
    )


def _hung_up(connection: Connection) -> bool:
    # An idle connection has nothing to say: whatever is readable is the server's farewell.
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN | select.POLLHUP)
    return bool(poller.poll(0))
