"""Engine `mysql`: every MySQL and MariaDB that `tests/servers` finds, with the rights that hosted servers give."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from typing import Any

import pymysql

from dbclaims.conformance.harness import EngineHarness, Run
from dbclaims.core.spi import TLS, Credentials, Endpoint
from tests.servers.mysql import MySQLServer
from tests.servers.mysqlinstallation import mysql_installation

_STATE = (
    "SELECT * FROM mysql.db ORDER BY user, host, db",
    "SELECT schema_name, default_collation_name FROM information_schema.schemata ORDER BY schema_name",
)


class Backend:
    """One server."""

    refusal = pymysql.MySQLError
    traits: Mapping[str, str] = {}

    def __init__(self, server: MySQLServer) -> None:
        self._server = server
        self.endpoint = Endpoint(server.host, server.port, TLS(ca=server.ca_file.read_text()))
        account = server.create_admin()
        self.admin = Credentials(account.username, account.password)

    def state(self) -> object:
        """Accounts with their marks, rights and databases."""
        accounts = "mysql.global_priv" if self._server.is_mariadb else "mysql.user"
        with closing(self._server.connect()) as connection:
            statements = (f"SELECT * FROM {accounts} ORDER BY user, host", *_STATE)  # noqa: S608 - one of two tables
            return [_rows(connection, statement) for statement in statements]

    def execute(self, statement: str) -> None:
        """As root."""
        self._server.execute(statement)

    @contextmanager
    def login(self, secret: Mapping[str, str]) -> Iterator[Run]:
        """By the Secret's keys, which is how this driver connects."""
        connection = pymysql.connect(
            host=secret["host"],
            port=int(secret["port"]),
            user=secret["username"],
            password=secret["password"],
            database=secret["database"],
            ssl=ssl.create_default_context(cadata=secret["ca.crt"]),
            autocommit=True,
        )
        try:
            yield lambda statement: _rows(connection, statement)
        finally:
            if connection.open:
                connection.close()

    def sever(self) -> None:
        """End the admin's sessions."""
        find = "SELECT id FROM information_schema.processlist WHERE user = %s"
        for (number,) in self._server.execute(find, [self.admin.username]):
            self._server.execute("KILL %s", [number])

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Stopped."""
        self._server.stop()
        try:
            yield
        finally:
            self._server.start()


def _rows(connection: pymysql.Connection[Any], statement: str) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return tuple(cursor.fetchall())


@contextmanager
def _backend(version: str) -> Iterator[Backend]:
    with MySQLServer(mysql_installation(version)) as server:
        yield Backend(server)


_SERVERS: dict[str, Callable[[], AbstractContextManager[Backend]]] = {
    version: partial(_backend, version) for version in ("9.7", "mariadb-10.11", "mariadb-11.8")
}

_ATTACKS = (
    "ALTER USER `{owner}`@'%' ATTRIBUTE '{{\"dbclaims\": \"x\"}}'",
    "ALTER USER `{owner}`@'%' REQUIRE SUBJECT 'x'",
    "ALTER USER `{account}`@'%' WITH MAX_USER_CONNECTIONS 0",
    "ALTER USER `{other}`@'%' ACCOUNT UNLOCK",
    "SET PASSWORD FOR `{other}`@'%' = 'stolen'",
    "DROP USER `{other}`@'%'",
    "DROP USER `{owner}`@'%'",
    "GRANT SELECT ON `{database}`.* TO `{other}`@'%'",
    "GRANT PROXY ON `{other}`@'%' TO `{account}`@'%'",
    "SELECT * FROM mysql.user",
    "SELECT 1 INTO OUTFILE '/tmp/dbclaims-attack'",
    "SET GLOBAL max_connections = 1",
    "SHUTDOWN",
)

_DAMAGES = {
    "the password was changed": ("ALTER USER `{account}`@'%' IDENTIFIED BY 'somebody-elses'",),
    "the login was disabled": ("ALTER USER `{account}`@'%' ACCOUNT LOCK",),
    "the rights were taken": ("REVOKE ALL PRIVILEGES ON `{database}`.* FROM `{account}`@'%'",),
    "the other account was dropped": ("DROP USER `{other}`@'%'",),
}

HARNESS = EngineHarness(_SERVERS, _ATTACKS, _DAMAGES)
