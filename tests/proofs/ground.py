"""What a world stands on: a real server, and what a proof asks of it whatever its engine is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any, Protocol

import psycopg
import pymysql
from psycopg.conninfo import make_conninfo

from tests.servers.mysql import MySQLServer
from tests.servers.postgres import Account, PostgresServer

Rows = list[tuple[Any, ...]]


class Ground(Protocol):
    """A server of some engine.

    Attributes:
        engine: the plugin's name.
        server: where it listens, and who signs for it.
        damage: a statement with which a DBA spoils the login `{user}`.
    """

    engine: str
    server: Any
    damage: str

    def run(self, secret: Mapping[str, str], statement: str) -> Rows:
        """Run a statement as an application does, with a published Secret; raises the driver's error."""
        ...

    def logs_in(self, secret: Mapping[str, str]) -> bool:
        """Whether this credential works, and as whom it is meant to."""
        ...

    def read(self, database: str, statement: str) -> Rows:
        """Ask the server as its superuser."""
        ...

    def databases(self, tag: str) -> set[str]:
        """The databases whose names begin so."""
        ...

    def open_logins(self, tag: str) -> set[str]:
        """The accounts whose names begin so and that are let in."""
        ...

    def clear(self, tag: str) -> None:
        """Drop whatever has this tag."""
        ...


class PostgresGround:
    """See `Ground`."""

    engine = "postgres"
    damage = "ALTER ROLE \"{user}\" PASSWORD 'a DBA was here' CONNECTION LIMIT 3"

    def __init__(self, server: PostgresServer) -> None:
        self.server = server

    def run(self, secret: Mapping[str, str], statement: str) -> Rows:
        """By the `uri`."""
        dsn = make_conninfo(secret["uri"], sslrootcert=str(self.server.ca_file))
        with psycopg.connect(dsn, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def logs_in(self, secret: Mapping[str, str]) -> bool:
        """It acts as the role that owns the data, or that the RoleClaim stands for."""
        try:
            return self.run(secret, "SELECT session_user <> current_user") == [(True,)]
        except (psycopg.OperationalError, KeyError):
            return False

    def read(self, database: str, statement: str) -> Rows:
        """In that database."""
        return self.server.execute(statement, dbname=database)

    def databases(self, tag: str) -> set[str]:
        """By the catalogue."""
        return self._named("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", tag)

    def open_logins(self, tag: str) -> set[str]:
        """Roles with LOGIN."""
        return self._named("SELECT rolname FROM pg_roles WHERE rolcanlogin AND starts_with(rolname, %s)", tag)

    def clear(self, tag: str) -> None:
        """Databases first, which hold on to their owners."""
        for name in self.databases(tag):
            self.server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        # The admin's and the holder's names only contain it.
        names = self._named("SELECT rolname FROM pg_roles WHERE strpos(rolname, %s) > 0", tag)
        if names:
            self.server.execute("DROP ROLE " + ", ".join(f'"{name}"' for name in names))

    def _named(self, query: str, tag: str) -> set[str]:
        return {name for (name,) in self.server.execute(query, [tag])}


class MySQLGround:
    """See `Ground`; MariaDB keeps an account's lock in another place."""

    engine = "mysql"
    damage = "ALTER USER '{user}'@'%' IDENTIFIED BY 'a DBA was here' WITH MAX_USER_CONNECTIONS 3"

    def __init__(self, server: MySQLServer) -> None:
        self.server = server

    def run(self, secret: Mapping[str, str], statement: str) -> Rows:
        """By the keys that the `uri` is made of: the driver reads none."""
        login = Account(secret["username"], secret["password"])
        with closing(self.server.connect(login, secret["database"])) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def logs_in(self, secret: Mapping[str, str]) -> bool:
        """It is let in, and into its database."""
        try:
            return self.run(secret, "SELECT DATABASE()") == [(secret["database"],)]
        except (pymysql.OperationalError, KeyError):
            return False

    def read(self, database: str, statement: str) -> Rows:
        """In that database."""
        with closing(self.server.connect(database=database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def databases(self, tag: str) -> set[str]:
        """By the catalogue."""
        return self._named("SELECT schema_name FROM information_schema.schemata WHERE LEFT(schema_name, %s) = %s", tag)

    def open_logins(self, tag: str) -> set[str]:
        """Accounts that are not locked."""
        place, lock = "mysql.user", "account_locked = 'Y'"
        if self.server.is_mariadb:
            place, lock = "mysql.global_priv", "JSON_VALUE(Priv, '$.account_locked') IN ('1', 'true')"
        return self._named(f"SELECT User FROM {place} WHERE COALESCE(NOT {lock}, TRUE) AND LEFT(User, %s) = %s", tag)

    def clear(self, tag: str) -> None:
        """Databases and accounts, whose names begin with the tag or end with it."""
        for name in self.databases(tag):
            self.server.execute(f"DROP DATABASE `{name}`")
        for (name,) in self.server.execute("SELECT User FROM mysql.user WHERE User LIKE %s", [f"%{tag}%"]):
            self.server.execute("DROP USER %s", [name])

    def _named(self, query: str, tag: str) -> set[str]:
        return {name for (name,) in self.server.execute(query, [len(tag), tag])}


def ground(server: PostgresServer | MySQLServer) -> Ground:
    """The ground that a server is."""
    return PostgresGround(server) if isinstance(server, PostgresServer) else MySQLGround(server)
