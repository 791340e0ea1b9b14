"""A disposable MySQL or MariaDB server with TLS and a general log that tests can count in.

Example::

    with MySQLServer(mysql_installation("9.7")) as server:
        admin = server.create_admin("dbclaims_admin")
        server.execute("SELECT 1")
"""

from __future__ import annotations

import secrets
import shutil
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pymysql
from pymysql.cursors import Cursor

from .authority import Authority
from .mysqlinstallation import MySQLInstallation
from .mysqllog import GeneralLog
from .postgres import Account, Copy
from .process import ServerFailed, ServerProcess, free_port, server_user
from .scratch import scratch_folder

EXAMPLE_HOST = "mysql.example.internal"
"""The documented example host: its name is in every server's certificate."""

RDS_RIGHTS = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, "
    "CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, "
    "CREATE USER, EVENT, TRIGGER"
)
"""What a hosted server gives its admin, without any dynamic privilege: less than any that was seen (`bare`)."""


class MySQLServer:
    """One server with its own data directory, CA, port and superuser; making it starts it.

    Args:
        installation: which MySQL or MariaDB.
        host: the address to listen on, anywhere in 127.0.0.0/8.
        port: the port; None chooses a free one, kept over restarts.
        options: further options of the server's command line.
        authority: who signs the server's certificate; None makes an authority of the server's own.
        copy: data to begin with, instead of an empty server; the superuser is the one in it.

    Attributes:
        superuser: the login `root` with a random password.
        ca_file: PEM of the CA that signed the server's certificate.
    """

    def __init__(
        self,
        installation: MySQLInstallation,
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        options: Sequence[str] = (),
        authority: Authority | None = None,
        copy: Copy | None = None,
    ) -> None:
        self.installation = installation
        self.host = host
        self.port = port or free_port(host)
        self.superuser = copy.superuser if copy else Account("root", secrets.token_urlsafe(24))
        self._folder = scratch_folder("mysql")
        self._data = self._folder / "data"
        self._log = self._folder / "server.log"
        self._general = self._data / "general.log"
        self.ca_file = self._folder / "ca.crt"
        self._user = server_user()
        self._options = tuple(options)
        try:
            self._make(authority or Authority(f"authority of {self.host}:{self.port}"), copy)
            self.start()
            (self._data / "init.sql").unlink(missing_ok=True)
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
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB."""
        return self.installation.is_mariadb

    def start(self) -> None:
        """Start the server on its port and return when it accepts connections.

        Raises:
            ServerFailed: it did not come up; the message carries the end of its log.
        """
        self._process = ServerProcess(self._command(), self._log, user=self._user)
        try:
            self._process.wait_until(self._accepts)
        except ServerFailed:
            self._process.kill()
            raise

    def stop(self) -> None:
        """Stop the server in good order; `start` brings it back with its data."""
        self._process.stop()

    def copy(self, folder: Path) -> Copy:
        """Copy the data to a new folder; the server is stopped for it and goes on afterwards."""
        self.stop()
        subprocess.run(["cp", "-a", self._data, folder], check=True)
        self.start()
        return Copy(folder, self.superuser)

    def close(self) -> None:
        """Stop the server and remove its data."""
        self._process.resume()
        self._process.kill()
        shutil.rmtree(self._folder)

    def pause(self) -> None:
        """Freeze the server: connections open (the kernel accepts them), and nothing answers."""
        self._process.pause()

    def resume(self) -> None:
        """Let a paused server go on."""
        self._process.resume()

    def connect(
        self, account: Account | None = None, database: str | None = None, **options: Any
    ) -> pymysql.Connection[Cursor]:
        """Connect with a verified certificate, as the superuser where no account is given, in autocommit mode."""
        who = account or self.superuser
        context = ssl.create_default_context(cafile=str(self.ca_file))
        settings = {"ssl": context, "autocommit": True, "charset": "utf8mb4", "connect_timeout": 10, **options}
        return pymysql.connect(
            host=self.host, port=self.port, user=who.username, password=who.password, database=database, **settings
        )

    def execute(self, statement: str, arguments: Sequence[object] | None = None) -> tuple[tuple[Any, ...], ...]:
        """Run one statement as superuser in a connection of its own and return its rows."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return cursor.fetchall()

    def create_admin(self, name: str = "dbclaims_admin", further: Sequence[str] = ()) -> Account:
        """Make the login that dbclaims asks for; `further` names dynamic privileges to add."""
        account = self.create_login(name)
        self.execute(f"GRANT {RDS_RIGHTS} ON *.* TO {name}@'%' WITH GRANT OPTION")
        for privilege in further:
            self.execute(f"GRANT {privilege} ON *.* TO {name}@'%'")
        return account

    def create_login(self, name: str) -> Account:
        """Make a login without rights and with a random password; the log is told nothing of it."""
        account = Account(name, secrets.token_urlsafe(24))
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_log_off = 1")
            cursor.execute("CREATE USER %s@'%%' IDENTIFIED BY %s", [name, account.password])
        return account

    def log_position(self) -> int:
        """Return where the general log ends now, for `log_since`."""
        return self._general.stat().st_size

    def log_since(self, position: int = 0) -> GeneralLog:
        """Return what the server did since a position of `log_position`."""
        whole = self._general.read_bytes()
        return GeneralLog.parse(whole[:position].decode(errors="replace"), whole[position:].decode(errors="replace"))

    def _command(self) -> list[str]:
        data = self._data
        certificates = {"ssl-ca": self.ca_file, "ssl-cert": data / "server.crt", "ssl-key": data / "server.key"}
        return [
            *self.installation.command,
            *(f"--{name}={path}" for name, path in certificates.items()),
            f"--datadir={data}",
            f"--port={self.port}",
            f"--bind-address={self.host}",
            f"--socket={data}/s",
            f"--pid-file={data}/pid",
            f"--general-log-file={self._general}",
            "--log-output=FILE",
            "--skip-name-resolve",
            "--skip-log-bin",
            *([] if self.is_mariadb else ["--mysqlx=OFF", "--performance-schema=OFF", "--secure-file-priv=NULL"]),
            *([f"--init-file={data}/init.sql"] if (data / "init.sql").exists() else ["--general-log=ON"]),
            *self._options,
        ]

    def _accepts(self) -> bool:
        try:
            self.connect().close()
        except pymysql.err.OperationalError:
            return False
        return self._general.exists()

    def _make(self, authority: Authority, copy: Copy | None) -> None:
        # The server's user must pass through; the data directory itself is 0700.
        self._folder.chmod(0o755)
        if copy:
            subprocess.run(["cp", "-a", copy.folder, self._data], check=True)
        else:
            self.installation.initialise(self._data)
            self._write("init.sql", self._first_words().encode())
        pair = authority.issue(EXAMPLE_HOST, "localhost", "127.0.0.1", self.host)
        self.ca_file.write_bytes(authority.certificate)
        self._write("server.crt", pair.certificate)
        self._write("server.key", pair.key)

    def _first_words(self) -> str:
        # The log begins when the password is set: it holds no line with it.
        return (
            f"CREATE USER root@'%' IDENTIFIED BY '{self.superuser.password}';\n"
            "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;\n"
            # A template's own roots have no password.
            "DROP USER IF EXISTS root@localhost, root@'127.0.0.1', root@'::1';\n"
            "SET GLOBAL general_log = ON;\n"
        )

    def _write(self, name: str, content: bytes) -> None:
        """A file that only the server's user reads."""
        path = self._data / name
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_bytes(content)
        if self._user:
            shutil.chown(path, self._user)
