"""A transaction pooler before a server: Debian's pgbouncer, which keeps no session state for its clients."""

import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from ..parts import MissingPart
from .postgres import Account, PostgresServer
from .process import ServerProcess, free_port, server_user


class PgBouncer:
    """pgbouncer in transaction mode before one server, for every database and every login of it.

    It shows the server's own certificate to clients and demands TLS from nobody. Start-up `options` are refused, as
    pgbouncer does by default; `settings={"ignore_startup_parameters": "options"}` makes it drop them in silence.

    Args:
        server: the server behind it.
        settings: lines of its configuration that win over ours.

    Attributes:
        host: the server's address.
        port: the pooler's own port.

    Raises:
        MissingPart: pgbouncer is not installed.
    """

    def __init__(self, server: PostgresServer, settings: Mapping[str, str] = MappingProxyType({})) -> None:
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
        if program is None:
            raise MissingPart("pgbouncer is not on this machine; apt-get install pgbouncer brings it")
        self._server = server
        self.host = server.host
        self.port = free_port(self.host)
        self._user = server_user()
        self._folder = Path(tempfile.mkdtemp(prefix="dbclaims-pgbouncer-"))
        configuration = self._write_files({**self._settings(), **settings})
        self._process = ServerProcess([program, str(configuration)], self._folder / "stderr.log", user=self._user)
        self._process.wait_until(lambda: "process up" in (self._folder / "stderr.log").read_text())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def dsn(self, account: Account | None = None, dbname: str = "postgres", **options: str | int) -> str:
        """Return the server's connection string with the pooler's port."""
        return self._server.dsn(account, dbname, **{"port": self.port, **options})

    def close(self) -> None:
        """End the pooler and remove its files."""
        self._process.stop(signal.SIGTERM)
        shutil.rmtree(self._folder)

    def _settings(self) -> dict[str, str]:
        return {
            "listen_addr": self.host,
            "listen_port": str(self.port),
            "unix_socket_dir": "",
            "pool_mode": "transaction",
            # After two clients were busy at once, the next statements of one client land on different backends.
            "default_pool_size": "2",
            "server_round_robin": "1",
            "auth_type": "scram-sha-256",
            "auth_file": str(self._folder / "users"),
            "auth_user": self._server.superuser.username,
            "client_tls_sslmode": "prefer",
            "client_tls_cert_file": str(self._folder / "server.crt"),
            "client_tls_key_file": str(self._folder / "server.key"),
            "server_tls_sslmode": "require",
        }

    def _write_files(self, settings: Mapping[str, str]) -> Path:
        admin = self._server.superuser
        lines = "\n".join(f"{name} = {value}" for name, value in settings.items())
        target = f"* = host={self.host} port={self._server.port}"
        self._write("users", f'"{admin.username}" "{admin.password}"\n'.encode())
        for name, content in self._server.certificate_files().items():
            self._write(name, content)
        if self._user:
            shutil.chown(self._folder, self._user)
        return self._write("pgbouncer.ini", f"[databases]\n{target}\n[pgbouncer]\n{lines}\n".encode())

    def _write(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        if self._user:
            shutil.chown(path, self._user)
        return path
