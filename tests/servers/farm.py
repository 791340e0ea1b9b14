"""Real servers behind a double's endpoints: each on a loopback address of its own, at its engine's usual port."""

from __future__ import annotations

import random
import secrets
import shutil
import socket
from contextlib import closing, suppress
from types import TracebackType
from typing import Protocol, Self

import attrs
import psycopg
from psycopg import sql

from dbclaims.conformance.doubles.farm import Machine

from .authority import Authority
from .installation import installation
from .mysql import MySQLServer
from .mysqlinstallation import mysql_installation
from .postgres import Copy, PostgresServer
from .scratch import scratch_folder

_ADMIN = "rds_superuser"
_NEWEST_MYSQL = "9.7"
"""Stands for every version of MySQL that a double offers: no other is at hand."""


class Plant(Protocol):
    """One server of the farm."""

    @property
    def server(self) -> PostgresServer | MySQLServer:
        """The server."""

    def create_admin(self, username: str) -> None:
        """Make the login that a cloud gives."""

    def set_password(self, username: str, password: str) -> None:
        """Change the admin's password, so that it never stands in the server's log."""


class ServerFarm:
    """A `Farm`; entering it is not needed, leaving it ends every server.

    Attributes:
        authority: who signs the certificates of all of them.
    """

    def __init__(self) -> None:
        self.authority = Authority("authority of the farm")
        self._plants: dict[str, Plant] = {}
        self._copies: dict[str, Copy] = {}
        self._folder = scratch_folder("farm")
        self._folder.chmod(0o755)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._plants):
            self.end(name)
        shutil.rmtree(self._folder)

    @property
    def bundle(self) -> str:
        """The authority's certificate, as AWS's bundle would hold it."""
        return self.authority.certificate.decode()

    def make(self, machine: Machine) -> str:
        """See `Farm.make`."""
        host = _free_address(machine.port)
        grow = grow_postgres if "postgres" in machine.engine else grow_mysql
        copy = self._copies[machine.source] if machine.source else None
        plant = self._plants[machine.name] = grow(machine, host, self.authority, copy)
        if copy is None:
            plant.create_admin(machine.username)
        plant.set_password(machine.username, machine.password)
        return host

    def set_password(self, name: str, username: str, password: str) -> None:
        """See `Farm.set_password`."""
        self._plants[name].set_password(username, password)

    def restart(self, name: str) -> None:
        """See `Farm.restart`."""
        self._plants[name].server.stop()
        self._plants[name].server.start()

    def snapshot(self, name: str, snapshot: str) -> None:
        """See `Farm.snapshot`."""
        self._copies[snapshot] = self._plants[name].server.copy(self._folder / secrets.token_hex(8))

    def end(self, name: str) -> None:
        """See `Farm.end`."""
        plant = self._plants.pop(name, None)
        if plant is not None:
            plant.server.close()


@attrs.frozen
class _Postgres:
    server: PostgresServer

    def create_admin(self, username: str) -> None:
        """A member of `rds_superuser`, and no superuser."""
        self.server.execute(f"CREATE ROLE {_ADMIN} CREATEDB CREATEROLE NOLOGIN")
        admin = sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE IN ROLE {}")
        self.server.execute(admin.format(sql.Identifier(username), sql.Identifier(_ADMIN)))

    def set_password(self, username: str, password: str) -> None:
        """As a verifier."""
        with psycopg.connect(self.server.dsn(), autocommit=True) as connection:
            verifier = connection.pgconn.encrypt_password(password.encode(), username.encode(), b"scram-sha-256")
            statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(username), sql.Literal(verifier.decode())))


@attrs.frozen
class _MySQL:
    server: MySQLServer

    def create_admin(self, username: str) -> None:
        """With the rights that hosted servers give."""
        self.server.create_admin(username)

    def set_password(self, username: str, password: str) -> None:
        """Behind the log's back."""
        with closing(self.server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_log_off = 1")
            cursor.execute("ALTER USER %s@'%%' IDENTIFIED BY %s", [username, password])


def grow_postgres(machine: Machine, host: str, authority: Authority, copy: Copy | None) -> Plant:
    """A PostgreSQL of the machine's major version."""
    found = installation(int(machine.version.split(".")[0]))
    return _Postgres(PostgresServer(found, host=host, port=machine.port, authority=authority, copy=copy))


def grow_mysql(machine: Machine, host: str, authority: Authority, copy: Copy | None) -> Plant:
    """A MariaDB of the machine's series, or a MySQL."""
    series = ".".join(machine.version.split(".")[:2])
    found = mysql_installation(f"mariadb-{series}" if machine.engine == "mariadb" else _NEWEST_MYSQL)
    return _MySQL(MySQLServer(found, host=host, port=machine.port, authority=authority, copy=copy))


def _free_address(port: int) -> str:
    """An address that nobody listens on, chosen at random to keep parallel runs apart."""
    while True:
        host = f"127.77.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
        with socket.socket() as probe, suppress(OSError):
            probe.bind((host, port))
            return host
