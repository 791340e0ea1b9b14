"""Opening connections: what the driver is told, and what it is kept from saying.

The driver gives a server the password in clear text when the server asks for it, and there is no `require_auth` to
forbid it; TLS with a checked certificate is the whole defence, so without one that plugin is refused here.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import CR
from pymysql.cursors import DictCursor

from dbclaims.core.spi import TLS, Credentials, Endpoint, TLSMode, Unsupported

from .dialect import Dialect

if TYPE_CHECKING:
    _Connection = Connection[DictCursor]
else:
    # Generic in its stubs only.
    _Connection = Connection

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 9.0
"""Seconds for one answer; a wait for a lock in the server ends before."""

ADMIN_SETTINGS = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES', autocommit = 1, lock_wait_timeout = 5, innodb_lock_wait_timeout = 5"
)
"""Said first: a global sql_mode, init_connect or autocommit would reach our sessions, and a lock's wait is a year."""

Arguments = Sequence[object] | Mapping[str, object] | None

_CLEAR = frozenset({b"mysql_clear_password", b"dialog", b"mysql_old_password"})
"""Plugins of the protocol that hand the password, or as good as that, to whoever asks."""


class Line(_Connection):
    """A connection whose answers are rows by column name, and that gives nobody a password in clear text."""

    # What the driver has and its stubs lack.
    server_version: str
    server_thread_id: tuple[int]
    _sock: socket.socket

    def __init__(self, *, trusted: bool, **options: Any) -> None:
        self._trusted = trusted
        super().__init__(cursorclass=DictCursor, **options)
        # The handshake has the shorter deadline; from now on the answers' own counts.
        self._read_timeout = ANSWER_TIMEOUT_S

    @property
    def dialect(self) -> Dialect:
        """Which of the two servers this is."""
        return Dialect("mariadb" in self.server_version.lower())

    @property
    def greeted_as(self) -> int:
        """The connection's id in the server's greeting; a pooler that shares connections has another, or none."""
        return self.server_thread_id[0]

    @property
    def hung_up(self) -> bool:
        """Whether the server said farewell: an idle connection has nothing else to say."""
        poller = select.poll()
        poller.register(self._sock, select.POLLIN | select.POLLHUP)
        return bool(poller.poll(0))

    def rows(self, statement: str, arguments: Arguments = None) -> list[dict[str, Any]]:
        """Run a statement and return its rows."""
        with self.cursor() as cursor:
            cursor.execute(statement, arguments)
            return list(cursor.fetchall())

    def row(self, statement: str, arguments: Arguments = None) -> dict[str, Any]:
        """Run a statement that has exactly one row."""
        [found] = self.rows(statement, arguments)
        return found

    def run(self, statement: str) -> None:
        """Run a statement that changes something. It is complete: nothing is put into it any more."""
        with self.cursor() as cursor:
            cursor.execute(statement)

    def _process_auth(self, plugin_name: bytes, auth_packet: Any, handler: Any = None) -> Any:
        if plugin_name in _CLEAR and not self._trusted:
            text = f"the server asks for the password by {plugin_name.decode()}, and its certificate was not checked"
            raise pymysql.OperationalError(CR.CR_SSL_CONNECTION_ERROR, text)
        return super()._process_auth(plugin_name, auth_packet, handler)  # type: ignore[misc]


def connect(endpoint: Endpoint, login: Credentials, database: str | None, *, admin: bool) -> Line:
    """Log in. Raises `pymysql.MySQLError`, and `Unsupported` where TLS is off and the RSA library is missing."""
    context = _context(endpoint.tls)
    try:
        return Line(
            trusted=endpoint.tls.mode is TLSMode.VERIFY_FULL,
            host=endpoint.host,
            port=endpoint.port,
            user=login.username,
            password=login.password,
            database=database,
            ssl=context,
            ssl_disabled=context is None,
            charset="utf8mb4",
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=CONNECT_TIMEOUT_S,
            write_timeout=CONNECT_TIMEOUT_S,
            init_command=ADMIN_SETTINGS if admin else None,
            autocommit=None,
            program_name="dbclaims",
        )
    except RuntimeError as error:
        # The driver's word for: without TLS this login needs an RSA library.
        text = f"a login on {endpoint.host}:{endpoint.port} without TLS needs RSA: use TLS, or pip install cryptography"
        raise Unsupported(text) from error
    except (IndexError, ValueError, AssertionError) as error:
        raise pymysql.OperationalError(CR.CR_SERVER_LOST, "what answers does not speak MySQL's protocol") from error


def _context(tls: TLS) -> ssl.SSLContext | None:
    if tls.mode is TLSMode.DISABLE:
        return None
    context = ssl.create_default_context(cadata=tls.ca)
    context.check_hostname = tls.mode is TLSMode.VERIFY_FULL
    if tls.mode is TLSMode.REQUIRE:
        context.verify_mode = ssl.CERT_NONE
    return context
