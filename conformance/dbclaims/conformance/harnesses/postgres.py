"""Engine `postgres`: real servers of every version that `tests/servers` finds, with an admin that is no superuser."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from typing import Any

import psycopg

from dbclaims.conformance.harness import EngineHarness, Run
from dbclaims.core.spi import TLS, Credentials, Endpoint
from tests.servers.installation import installation
from tests.servers.postgres import PostgresServer

_STATE = """
SELECT jsonb_build_array(
  (SELECT jsonb_agg(to_jsonb(r) ORDER BY r.rolname) FROM (SELECT a.rolname, a.rolsuper, a.rolcreaterole, a.rolcreatedb,
     a.rolcanlogin, a.rolconnlimit, a.rolpassword, shobj_description(a.oid, 'pg_authid') AS comment,
     ARRAY(SELECT m.roleid::regrole::text FROM pg_auth_members m WHERE m.member = a.oid ORDER BY 1) AS member_of
     FROM pg_authid a) r),
  (SELECT jsonb_agg(to_jsonb(d) ORDER BY d.datname) FROM (SELECT datname, datdba, datacl, datconnlimit, datallowconn,
     shobj_description(oid, 'pg_database') AS comment FROM pg_database) d),
  (SELECT jsonb_agg(to_jsonb(s) ORDER BY s.setdatabase, s.setrole) FROM pg_db_role_setting s))
"""

_SEVER = """
SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
WHERE usename = %s AND pid <> pg_backend_pid() AND application_name = 'dbclaims'
"""


class Backend:
    """One server.

    Attributes:
        admin: CREATEROLE and CREATEDB, no more; or the superuser.
    """

    refusal = psycopg.Error
    traits: Mapping[str, str] = {}

    def __init__(self, server: PostgresServer, *, superuser: bool) -> None:
        self._server = server
        self.endpoint = Endpoint(server.host, server.port, TLS(ca=server.ca_file.read_text()))
        account = server.superuser if superuser else server.create_admin()
        self.admin = Credentials(account.username, account.password)
        self._watcher: psycopg.Connection[Any] | None = None

    def state(self) -> object:
        """Roles, databases, settings, rights and comments."""
        if self._watcher is None:
            self._watcher = psycopg.connect(self._server.dsn(), autocommit=True)
        return self._watcher.execute(_STATE).fetchone()

    def execute(self, statement: str) -> None:
        """As superuser."""
        self._server.execute(statement)

    @contextmanager
    def login(self, secret: Mapping[str, str]) -> Iterator[Run]:
        """By the Secret's `dsn`; the CA is mounted where the application wants it."""
        ca = str(self._server.ca_file)
        with closing(psycopg.connect(secret["dsn"], sslrootcert=ca, autocommit=True)) as connection:
            yield lambda statement: _rows(connection, statement)

    def sever(self) -> None:
        """End the admin's sessions."""
        with psycopg.connect(self._server.dsn(), autocommit=True) as connection:
            connection.execute(_SEVER, [self.admin.username])

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Stopped."""
        self._watcher = None
        self._server.stop()
        try:
            yield
        finally:
            self._server.start()


def _rows(connection: psycopg.Connection[Any], statement: str) -> Sequence[tuple[Any, ...]]:
    cursor = connection.execute(statement.encode())
    return cursor.fetchall() if cursor.description else []


@contextmanager
def _backend(version: int, *, superuser: bool = False) -> Iterator[Backend]:
    with PostgresServer(installation(version)) as server:
        yield Backend(server, superuser=superuser)


_SERVERS: dict[str, Callable[[], AbstractContextManager[Backend]]] = {
    **{str(version): partial(_backend, version) for version in (14, 15, 16, 17, 18)},
    "17-superuser": partial(_backend, 17, superuser=True),
}

_ATTACKS = (
    "COMMENT ON DATABASE \"{database}\" IS 'dbclaims/1 installation=x kind=DatabaseClaim nsuid=x ns=x name=x uid=x'",
    "COMMENT ON ROLE \"{owner}\" IS 'dbclaims/1 installation=x kind=DatabaseClaim nsuid=x ns=x name=x uid=x'",
    'DROP DATABASE "{database}"',
    'ALTER DATABASE "{database}" OWNER TO "{account}"',
    'ALTER DATABASE "{database}" RENAME TO "stolen"',
    'ALTER DATABASE "{database}" SET role = "{owner}"',
    'ALTER DATABASE "{database}" SET search_path = evil',
    'ALTER DATABASE "{database}" CONNECTION LIMIT 0',
    'ALTER ROLE "{account}" CONNECTION LIMIT 1000',
    'ALTER ROLE "{account}" SET role = none',
    'ALTER ROLE "{account}" IN DATABASE "{database}" SET role = none',
    'ALTER ROLE "{account}" SUPERUSER',
    'ALTER ROLE "{owner}" LOGIN',
    "ALTER ROLE \"{other}\" PASSWORD 'stolen'",
    'GRANT "{owner}" TO PUBLIC',
    'DROP ROLE "{other}"',
    "SELECT pg_read_file('/etc/passwd')",
    "COPY (SELECT 1) TO PROGRAM 'id'",
)

_DAMAGES = {
    "the password was changed": ("ALTER ROLE \"{account}\" PASSWORD 'somebody-elses'",),
    "the login was disabled": ('ALTER ROLE "{account}" NOLOGIN',),
    "the membership was lost": ('REVOKE "{owner}" FROM "{account}"',),
    "the role setting was lost": ('ALTER ROLE "{account}" RESET ALL',),
    "the other account was dropped": ('DROP ROLE "{other}"',),
    "the mark was lost": ('COMMENT ON DATABASE "{database}" IS NULL',),
    "the database was opened to everybody": ('GRANT CONNECT ON DATABASE "{database}" TO PUBLIC',),
}

HARNESS = EngineHarness(_SERVERS, _ATTACKS, _DAMAGES, extension="citext")
