"""A disposable PostgreSQL server with TLS, SCRAM and a log that tests can count in.

Example::

    with PostgresServer(installation(17)) as server:
        admin = server.create_admin("dbclaims_admin")
        with psycopg.connect(server.dsn(admin)) as connection: ...
"""

import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Literal, Self

import psycopg
from attrs import field, frozen
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.canary import CANARY

from .authority import Authority
from .installation import Installation
from .process import ServerFailed, ServerProcess, free_port, server_user
from .scratch import scratch_folder
from .serverlog import LINE_PREFIX, ServerLog

# The documented example host: its certificate name is in every server's certificate.
EXAMPLE_HOST = "pg.example.internal"
_STOP_SIGNALS = MappingProxyType({"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT})
_LOGGING = MappingProxyType({"log_statement": "all", "log_connections": "on", "log_line_prefix": LINE_PREFIX})
_SMALL = MappingProxyType({"shared_buffers": "16MB", "max_connections": "200", "log_timezone": "UTC"})
_RECKLESS = MappingProxyType({"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"})


@frozen
class Account:
    """A login on a server.

    Attributes:
        username: the role's name.
        password: its password, never printed.
    """

    username: str
    password: str = field(repr=False)


@frozen
class Copy:
    """A server's data at rest.

    Attributes:
        folder: the data directory.
        superuser: the superuser in it.
    """

    folder: Path
    superuser: Account


class PostgresServer:
    """One server with its own data directory, CA, port and superuser; making it starts it.

    Args:
        installation: which PostgreSQL.
        host: the address to listen on, anywhere in 127.0.0.0/8.
        port: the port; None chooses a free one, kept over restarts.
        settings: lines of postgresql.conf that win over ours.
        access: lines of pg_hba.conf that come before ours (`host all all 127.0.0.0/8 scram-sha-256`).
        authority: who signs the server's certificate; None makes an authority of the server's own.
        copy: data to begin with, instead of an empty server; the superuser is the one in it.
        durable: True leaves fsync and its like on; tests do without.

    Attributes:
        superuser: the login `postgres` with a random password.
        ca_file: PEM of the CA that signed the server's certificate, whose names are the address, 127.0.0.1,
            localhost and pg.example.internal.
    """

    def __init__(
        self,
        installation: Installation,
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
        access: Sequence[str] = (),
        durable: bool = False,
        authority: Authority | None = None,
        copy: Copy | None = None,
    ) -> None:
        self.installation = installation
        self.host = host
        self.port = port or free_port(host)
        self.superuser = copy.superuser if copy else Account("postgres", secrets.token_urlsafe(24))
        self._folder = scratch_folder(f"pg{installation.major}")
        self._data = self._folder / "data"
        self._log = self._folder / "server.log"
        self.ca_file = self._folder / "ca.crt"
        self._user = server_user()
        try:
            self._make({**_SMALL, **_LOGGING, **({} if durable else _RECKLESS), **settings}, access, authority, copy)
            self.start()
        except BaseException:
            shutil.rmtree(self._folder)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def running(self) -> bool:
        """Whether the server's first process lives (a paused one does)."""
        return self._process.running

    def start(self) -> None:
        """Start the server on its port and return when it accepts connections.

        Raises:
            ServerFailed: it did not come up; the message carries the end of its log.
        """
        self._pid_file.unlink(missing_ok=True)
        command = [str(self.installation.programs / "postgres"), "-D", str(self._data)]
        self._process = ServerProcess(command, self._log, user=self._user)
        try:
            self._process.wait_until(self._accepts)
        except ServerFailed:
            self._process.kill()
            raise

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """Stop the server as `pg_ctl stop -m` does; `start` brings it back with its data."""
        self._process.stop(_STOP_SIGNALS[mode])

    def kill(self) -> None:
        """End every process of the server at once, as a power cut would; `start` runs crash recovery."""
        self._process.kill()

    def copy(self, folder: Path) -> Copy:
        """Copy the data to a new folder; the server is stopped for it and goes on afterwards."""
        running = self.running
        if running:
            self.stop()
        subprocess.run(["cp", "-a", self._data, folder], check=True)
        if running:
            self.start()
        return Copy(folder, self.superuser)

    def close(self) -> None:
        """Stop the server and remove its data."""
        self._process.stop(signal.SIGQUIT)
        CANARY.examine(f"the log of a PostgreSQL {self.installation.major}", self._log.read_text(errors="replace"))
        shutil.rmtree(self._folder)

    def pause(self) -> None:
        """Freeze the server: connections open (the kernel accepts them), and nothing answers."""
        self._process.pause()

    def resume(self) -> None:
        """Let a paused server go on."""
        self._process.resume()

    def become_replica(self) -> None:
        """Restart the server as a standby that waits for a primary: it answers, and refuses every write."""
        self.stop()
        (self._data / "standby.signal").touch()
        self.start()

    def dsn(self, account: Account | None = None, dbname: str = "postgres", **options: str | int) -> str:
        """Return a libpq connection string with verify-full; the superuser's where no account is given.

        Options are libpq's and win: `host="pg.example.internal"`, `sslmode="disable"`, `application_name=…`.
        """
        who = account or self.superuser
        tls: dict[str, str | int] = {"sslmode": "verify-full", "sslrootcert": str(self.ca_file)}
        # hostaddr makes any host name reach this server, without a line in /etc/hosts.
        place: dict[str, str | int] = {"host": self.host, "hostaddr": self.host, "port": self.port}
        login: dict[str, str | int] = {
            "user": who.username,
            "password": who.password,
            "dbname": dbname,
            "connect_timeout": 10,
        }
        return make_conninfo("", **{**tls, **place, **login, **options})

    def execute(
        self,
        statement: str | sql.SQL | sql.Composed,
        parameters: Sequence[object] | None = None,
        *,
        dbname: str = "postgres",
    ) -> list[tuple[Any, ...]]:
        """Run one statement as superuser in its own autocommit connection and return its rows."""
        with psycopg.connect(self.dsn(dbname=dbname), autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def create_admin(self, name: str = "dbclaims_admin") -> Account:
        """Make the login that dbclaims asks for, with CREATEROLE and CREATEDB and no more."""
        return self.create_login(name, "CREATEROLE CREATEDB")

    def create_login(self, name: str, attributes: str = "") -> Account:
        """Make a login with a random password and the given role attributes (SQL, as in CREATE ROLE).

        The password goes over as a SCRAM verifier, so that it never stands in the server's log.
        """
        account = Account(name, secrets.token_urlsafe(24))
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            verifier = connection.pgconn.encrypt_password(account.password.encode(), name.encode(), b"scram-sha-256")
            statement = sql.SQL("CREATE ROLE {} LOGIN " + attributes + " PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(name), verifier.decode()))
        return account

    def certificate_files(self) -> dict[str, bytes]:
        """Return the server's certificate and key, for a pooler or proxy that stands in its place."""
        return {name: (self._data / name).read_bytes() for name in ("server.crt", "server.key")}

    def log_position(self) -> int:
        """Return where the server's log ends now, for `log_since`."""
        return self._log.stat().st_size

    def log_since(self, position: int = 0) -> ServerLog:
        """Return what the server did since a position of `log_position`."""
        with self._log.open("rb") as log:
            log.seek(position)
            return ServerLog.parse(log.read().decode(errors="replace"))

    @property
    def _pid_file(self) -> Path:
        return self._data / "postmaster.pid"

    def _accepts(self) -> bool:
        # The last line of postmaster.pid is the server's own word; a trial connection would stand in its log.
        return self._pid_file.exists() and self._pid_file.read_text().rstrip().endswith("ready")

    def _make(
        self, settings: Mapping[str, str], access: Sequence[str], authority: Authority | None, copy: Copy | None
    ) -> None:
        # The server's user must pass through; the data directory itself is 0700.
        self._folder.chmod(0o755)
        if copy:
            subprocess.run(["cp", "-a", copy.folder, self._data], check=True)
        else:
            self.installation.initialise(self._data)
            self._set_password()
        with (self._data / "postgresql.conf").open("a") as file:
            file.write("".join(f"{name} = '{value}'\n" for name, value in {**self._place(), **settings}.items()))
        lines = [*access, "host all all 127.0.0.0/8 scram-sha-256", "host replication all 127.0.0.0/8 scram-sha-256"]
        (self._data / "pg_hba.conf").write_text("\n".join(lines) + "\n")
        self._write_certificates(authority or Authority(f"authority of {self.host}:{self.port}"))

    def _place(self) -> dict[str, str]:
        return {"listen_addresses": self.host, "port": str(self.port), "unix_socket_directories": "", "ssl": "on"}

    def _set_password(self) -> None:
        # In single-user mode the password goes in through a pipe: it is in no argument list, file or log.
        subprocess.run(
            [self.installation.programs / "postgres", "--single", "-F", "-D", self._data, "postgres"],
            input=f"ALTER ROLE postgres PASSWORD '{self.superuser.password}'".encode(),
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            user=self._user,
            extra_groups=[] if self._user else None,
        )

    def _write_certificates(self, authority: Authority) -> None:
        pair = authority.issue(EXAMPLE_HOST, "localhost", "127.0.0.1", self.host)
        self.ca_file.write_bytes(authority.certificate)
        (self._data / "server.crt").write_bytes(pair.certificate)
        key = self._data / "server.key"
        key.touch(mode=0o600)
        key.write_bytes(pair.key)
        if self._user:
            shutil.chown(key, self._user)
