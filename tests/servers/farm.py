"""Real PostgreSQL servers behind a double's endpoints: each on a loopback address of its own, at its usual port."""

from __future__ import annotations

import random
import secrets
import shutil
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from dbclaims.conformance.doubles.farm import Machine

from .authority import Authority
from .installation import installation
from .postgres import Copy, PostgresServer

_ADMIN = "rds_superuser"


class PostgresFarm:
    """A `Farm`; entering it is not needed, leaving it ends every server.

    Attributes:
        authority: who signs the certificates of all of them.
        servers: those that run now, by name.
    """

    def __init__(self) -> None:
        self.authority = Authority("authority of the farm")
        self.servers: dict[str, PostgresServer] = {}
        self._copies: dict[str, Copy] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="dbclaims-farm-"))
        self._folder.chmod(0o755)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self.servers):
            self.end(name)
        shutil.rmtree(self._folder)

    @property
    def bundle(self) -> str:
        """The authority's certificate, as AWS's bundle would hold it."""
        return self.authority.certificate.decode()

    def make(self, machine: Machine) -> str:
        """See `Farm.make`. The admin is a member of `rds_superuser`, and no superuser."""
        if not machine.engine.endswith(("postgres", "postgresql")):
            raise NotImplementedError(f"the farm grows no {machine.engine}")
        host = _free_address(machine.port)
        major = int(machine.version.split(".")[0])
        copy = self._copies[machine.source] if machine.source else None
        server = PostgresServer(installation(major), host=host, port=machine.port, authority=self.authority, copy=copy)
        self.servers[machine.name] = server
        if copy is None:
            server.execute(f"CREATE ROLE {_ADMIN} CREATEDB CREATEROLE NOLOGIN")
            admin = sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE IN ROLE {}")
            server.execute(admin.format(sql.Identifier(machine.username), sql.Identifier(_ADMIN)))
        self.set_password(machine.name, machine.username, machine.password)
        return host

    def set_password(self, name: str, username: str, password: str) -> None:
        """See `Farm.set_password`."""
        server = self.servers[name]
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            # As a verifier, so that it never stands in the server's log.
            verifier = connection.pgconn.encrypt_password(password.encode(), username.encode(), b"scram-sha-256")
            statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(username), sql.Literal(verifier.decode())))

    def restart(self, name: str) -> None:
        """See `Farm.restart`."""
        self.servers[name].stop()
        self.servers[name].start()

    def snapshot(self, name: str, snapshot: str) -> None:
        """See `Farm.snapshot`."""
        self._copies[snapshot] = self.servers[name].copy(self._folder / secrets.token_hex(8))

    def end(self, name: str) -> None:
        """See `Farm.end`."""
        server = self.servers.pop(name, None)
        if server is not None:
            server.close()


def _free_address(port: int) -> str:
    """An address that nobody listens on, chosen at random to keep parallel runs apart."""
    while True:
        host = f"127.77.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
        with socket.socket() as probe, suppress(OSError):
            probe.bind((host, port))
            return host
