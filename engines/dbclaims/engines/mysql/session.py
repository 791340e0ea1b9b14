"""A session: who we are on one server, a small pool of admin connections, and the lock that a pass may hold."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs

from dbclaims.core.spi import Credentials, Endpoint, Installation, Terminal, Transient

from . import dial
from .dial import Line
from .errors import mapped
from .quoting import ACCOUNT_LIMIT

_SLOT_WAIT_S = 5.0


class Pool:
    """At most `slots` admin connections, opened on demand, the last used one first. Thread-safe."""

    def __init__(self, connect: Callable[[], Line], slots: int) -> None:
        self._connect = connect
        self._slots = threading.BoundedSemaphore(slots)
        self._idle: list[Line] = []
        self._closed = False

    @contextmanager
    def checkout(self) -> Iterator[Line]:
        """Lend a connection. Raises `Transient` (`ServerBusy`) when none comes free in time."""
        if not self._slots.acquire(timeout=_SLOT_WAIT_S):
            text = "every admin connection to this server is in use: wait, or raise its slots"
            raise Transient(text, reason="ServerBusy")
        try:
            line = self._last_used() or self._connect()
            try:
                yield line
            finally:
                self._take_back(line)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close what is idle now, and the rest when it comes back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _last_used(self) -> Line | None:
        while self._idle:
            line = self._idle.pop()
            if not line.hung_up:
                return line
            line.close()
        return None

    def _take_back(self, line: Line) -> None:
        if self._closed and line.open:
            line.close()
        elif line.open:
            self._idle.append(line)


@attrs.frozen
class Lock:
    """A database's lock as one connection holds it.

    Attributes:
        name: of the lock.
        stranger: who holds it in our place; then we go on without it (PROTOCOL.md §4.7).
    """

    line: Line
    name: str
    stranger: str | None = None


@attrs.frozen
class Session:
    """One server, seen by one admin. `lock` is set inside `engine_lock`: then all goes over its connection."""

    endpoint: Endpoint
    admin: Credentials
    installation: Installation
    pool: Pool = attrs.field(repr=False)
    lock: Lock | None = attrs.field(default=None, repr=False)

    @property
    def holder(self) -> str:
        """Name of the account that carries the server's identity."""
        name = f"dbclaims_{self.installation.id}"
        if len(name) <= ACCOUNT_LIMIT:
            return name
        return f"dbclaims_{hashlib.sha256(self.installation.id.encode()).hexdigest()}"[:ACCOUNT_LIMIT]

    @contextmanager
    def maintenance(self) -> Iterator[Line]:
        """An admin connection, which has no database of its own."""
        with mapped(f"the admin {self.admin.username!r} on {self.where}"):
            if self.lock:
                yield self.lock.line
            else:
                with self.pool.checkout() as line:
                    yield line

    @property
    def where(self) -> str:
        """Host and port, for sentences."""
        return f"{self.endpoint.host}:{self.endpoint.port}"

    def close(self) -> None:
        """Close the pool."""
        self.pool.close()


def open_session(endpoint: Endpoint, admin: Credentials, installation: Installation, slots: int) -> Session:
    """Make a session. No network."""
    pool = Pool(lambda: dial.connect(endpoint, admin, None, admin=True), slots)
    return Session(endpoint, admin, installation, pool)


def require_direct(session: Session, *, forgotten: bool) -> None:
    """Raise `Terminal` (`PoolerEndpoint`) when what stands behind the address changes between statements."""
    if forgotten:
        raise Terminal(
            f"{session.where} is a connection pooler that forgets locks or settings between statements: "
            "give the server's direct address, and the pooler's as clientEndpoint",
            reason="PoolerEndpoint",
        )
