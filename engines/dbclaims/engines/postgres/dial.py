"""Opening connections: what libpq is told, and what a refused login's SQLSTATE was.

libpq drops the SQLSTATE of a refused login and leaves a sentence in the server's language. The sentences that an
English server says are known; for any other, one more attempt is traced, and the trace shows the code.
"""

from __future__ import annotations

import os
import re
import select
import tempfile
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import pq
from psycopg.abc import PQGen
from psycopg.conninfo import make_conninfo
from psycopg.errors import _WaitTimeout

from dbclaims.core.spi import TLS, Credentials, Endpoint, TLSMode

T = TypeVar("T")

SCRAM = "scram-sha-256"
CONNECT_TIMEOUT_S = 5

ANSWER_TIMEOUT_S = 9.5
"""Seconds for one answer: just more than `statement_timeout`, which a server that still lives keeps by itself."""

ADMIN_OPTIONS = (
    "-c role=none -c search_path=pg_catalog,pg_temp -c default_transaction_read_only=off"
    " -c statement_timeout=9s -c lock_timeout=2s -c idle_in_transaction_session_timeout=10s"
)
"""Start-up options beat ALTER DATABASE and ALTER ROLE … SET (PROTOCOL.md §1)."""

PROBE_OPTIONS = "-c search_path=pg_catalog,pg_temp -c statement_timeout=9s"

_ENGLISH = {
    r"password authentication failed": "28P01",
    r'role ".*" is not permitted to log in': "28000",
    r'role ".*" does not exist': "28000",
    r"no pg_hba.conf entry|pg_hba.conf rejects": "28000",
    r"too many connections|sorry, too many clients|remaining connection slots": "53300",
    r'database ".*" does not exist': "3D000",
    r'permission denied for database ".*"': "42501",
    r'database ".*" is not currently accepting connections': "55000",
    r"the database system is|not accepting connections": "57P03",
    r"terminating connection": "57P01",
}

_TRACED = re.compile(r'\tErrorResponse\t.*? C "(\w{5})"')


class Authority:
    """The certificate authority as libpq wants it: a path, to a private file that lives as long as this does.

    A session that is replaced may still be in use, and without the file its server would look like a false one.
    """

    def __init__(self, tls: TLS) -> None:
        self.path = _private_file(tls.ca) if tls.ca else "system" if tls.mode is TLSMode.VERIFY_FULL else None
        if tls.ca and self.path:
            weakref.finalize(self, Path(self.path).unlink, missing_ok=True)


def _private_file(text: str) -> str:
    with tempfile.NamedTemporaryFile("w", prefix="dbclaims-ca-", suffix=".crt", delete=False) as file:
        file.write(text)
    return file.name


class Line(psycopg.Connection[Any]):
    """A connection that is closed when an answer does not come in time.

    libpq has no such deadline, and `tcp_user_timeout` does not see a stopped server whose kernel acknowledges.
    """

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """See `psycopg.Connection.wait`. Raises `psycopg.OperationalError` without a SQLSTATE."""
        limit = ANSWER_TIMEOUT_S if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except _WaitTimeout as error:
            # What was asked may still be answered, so nothing more can be asked over this connection.
            self.close()
            raise psycopg.OperationalError(f"no answer within {limit:g} s") from error


def connect(
    endpoint: Endpoint, authority: Authority, login: Credentials, database: str, *, options: str, auth: str
) -> Line:
    """Log in, in autocommit mode. Raises `psycopg.OperationalError`; its `sqlstate` is set where it is known."""
    parameters: dict[str, Any] = {
        "host": endpoint.host,
        "port": endpoint.port,
        "user": login.username,
        "password": login.password,
        "dbname": database,
        "sslmode": endpoint.tls.mode.value,
        "gssencmode": "disable",
        "require_auth": auth,
        "options": options,
        "application_name": "dbclaims",
        "client_encoding": "UTF8",
        "connect_timeout": CONNECT_TIMEOUT_S,
        "tcp_user_timeout": 10_000,
    }
    if authority.path:
        parameters["sslrootcert"] = authority.path
    try:
        return Line.connect(autocommit=True, **parameters)
    except psycopg.OperationalError as error:
        error.sqlstate = error.sqlstate or _english(str(error)) or _traced(error, parameters)
        raise


def _english(message: str) -> str | None:
    return next((state for words, state in _ENGLISH.items() if re.search(words, message)), None)


def _traced(error: psycopg.OperationalError, parameters: Mapping[str, Any]) -> str | None:
    """The SQLSTATE of one more attempt, when the server got as far as asking for the password."""
    if not (error.pgconn and error.pgconn.used_password):
        return None
    # Only here: psycopg never frees the stream that it opens for a trace (4 KiB each).
    descriptor = os.memfd_create("dbclaims-trace")
    try:
        attempt = pq.PGconn.connect_start(make_conninfo(**parameters).encode())
        _play(attempt, descriptor)
        found = _TRACED.search(os.pread(descriptor, 1 << 16, 0).decode(errors="replace"))
        return found[1] if found else None
    finally:
        os.close(descriptor)


def _play(attempt: pq.abc.PGconn, descriptor: int) -> None:
    deadline = time.monotonic() + CONNECT_TIMEOUT_S
    if attempt.status != pq.ConnStatus.BAD:
        attempt.trace(descriptor)
        while (wants := attempt.connect_poll()) in (pq.PollingStatus.READING, pq.PollingStatus.WRITING):
            poller = select.poll()
            poller.register(attempt.socket, select.POLLIN if wants == pq.PollingStatus.READING else select.POLLOUT)
            if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
                break
        attempt.untrace()
    attempt.finish()
