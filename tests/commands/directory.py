"""A directory for `dbclaims up`, and the command run on it as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from tests.overlay import write, write_examples
from tests.published import Published
from tests.servers.postgres import PostgresServer
from tests.servers.process import ServerProcess

COMMAND = Path(sys.executable).with_name("dbclaims")


def dbclaims(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [str(COMMAND), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)


class Directory:
    """One directory.

    Attributes:
        server: the one that its examples name, once it is filled.
    """

    server: PostgresServer

    def __init__(self, path: Path) -> None:
        self.path = path

    def filled(self, server: PostgresServer) -> Directory:
        """With the examples in it."""
        self.server = server
        write_examples(self.path, server, server.create_admin())
        return self

    def once(self, *options: str) -> subprocess.CompletedProcess[str]:
        """`dbclaims up DIR --once`."""
        return dbclaims("up", self.path, "--once", *options)

    def up(self, log: Path) -> ServerProcess:
        """`dbclaims up DIR` until it is stopped."""
        return ServerProcess([str(COMMAND), "up", str(self.path)], log, environment=os.environ)

    def document(self, name: str) -> dict[str, Any]:
        """The one document of a file."""
        found: dict[str, Any] = yaml.safe_load((self.path / name).read_text())
        return found

    def write(self, name: str, *documents: dict[str, Any]) -> None:
        """Write a file."""
        write(self.path / name, *documents)

    def published(self, name: str = "orders-db", namespace: str = "shop") -> Published | None:
        """A published Secret as it is now."""
        with suppress(FileNotFoundError):
            return Published.from_files(self.path / ".dbclaims/secrets" / namespace / name)
        return None

    def databases(self) -> list[str]:
        """The databases on the server, but for its own."""
        own = "SELECT datname FROM pg_database WHERE datname !~ '^(postgres|template.)$' ORDER BY 1"
        return [name for (name,) in self.server.execute(own)]

    def fingerprint(self) -> dict[str, tuple[int, int, int]]:
        """Every file and folder, with all that a write would change."""
        paths = [self.path, *self.path.rglob("*")]
        stats = {str(path): path.lstat() for path in paths}
        return {path: (at.st_mtime_ns, at.st_ctime_ns, at.st_ino) for path, at in stats.items()}
