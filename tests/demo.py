"""`make demo`: a claim's whole life on a disposable PostgreSQL, each step seen from outside and ticked off.

Nothing is asked of the machine but what `make` installs: the server is this machine's PostgreSQL or a pinned one from
npm, with TLS and an admin that may create roles and databases and no more. `dbclaims up` runs as a process of its own,
and whatever is ticked off was found in its files or by logging in to the server.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from .overlay import edit, write_examples
from .parts import MissingPart
from .published import CLIENT, Published, WrongUser
from .servers.installation import any_installation
from .servers.postgres import PostgresServer
from .servers.process import ServerFailed, ServerProcess

T = TypeVar("T")

GRACE = 3
PATIENCE = 30.0
_COMMAND = Path(sys.executable).with_name("dbclaims")


class NotSeen(Exception):
    """A step of the demo that did not come about; the message says which."""


class Demo:
    """One run: a directory with the examples, and `dbclaims up` over it."""

    def __init__(self, server: PostgresServer, directory: Path, up: ServerProcess) -> None:
        self._server, self._directory, self._up = server, directory, up
        self._began = time.monotonic()

    def run(self) -> None:
        """Every step, in order. Raises `NotSeen`."""
        first = self._wait("a Secret", lambda: self._secret("orders-db"))
        self._tick(f"the claim became database {first.values['database']!r} and a Secret with login {first.username}")
        self._tick(f"{CLIENT}, verify-full, with that Secret: {first.log_in()}")
        reader = self._wait("a RoleClaim's Secret", lambda: self._secret("orders-reports", "bi"))
        self._tick(f"the RoleClaim of namespace bi, by grant: {reader.log_in()}")
        second = self._rotate(first)
        # Asked as superuser first: each try of the old login would begin its grace anew.
        self._wait("the old login's end", lambda: self._is_closed(first) and first.is_refused())
        self._tick(f"{GRACE} s after its last session the old login is closed; the new one: {second.log_in()}")
        self._delete(second)

    def _rotate(self, first: Published) -> Published:
        edit(self._directory / "databaseclaim.yaml", _rotated)
        second = self._wait("another login", lambda: self._other(first))
        self._tick(f"the annotation dbclaims.io/rotate brought login {second.username} into the same Secret")
        self._tick(f"both work: {second.log_in()} | {first.log_in()}")
        return second

    def _delete(self, last: Published) -> None:
        (self._directory / "databaseclaim.yaml").unlink()
        self._wait("a word about the vanished document", lambda: "its document is gone" in self._up.log.read_text())
        self._tick("the document is gone, and under Delete that is no wish yet: the database stays")
        command = [str(_COMMAND), "delete", "DatabaseClaim/orders", "-n", "shop", str(self._directory)]
        subprocess.run(command, check=True, capture_output=True)
        self._wait("the database's end", lambda: not self._databases())
        self._wait("the Secret's end", lambda: not self._folder("orders-db").exists())
        self._wait("the login's end", last.is_refused)
        self._tick("dbclaims delete DatabaseClaim/orders: database, logins and Secret are gone")

    def _is_closed(self, login: Published) -> bool:
        return self._server.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", [login.username]) == [
            (False,)
        ]

    def _databases(self) -> list[tuple[Any, ...]]:
        return self._server.execute("SELECT 1 FROM pg_database WHERE datname = 'orders'")

    def _other(self, first: Published) -> Published | None:
        found = self._secret("orders-db")
        return found if found and found.username != first.username else None

    def _secret(self, name: str, namespace: str = "shop") -> Published | None:
        with suppress(FileNotFoundError):
            return Published.from_files(self._folder(name, namespace))
        return None

    def _folder(self, name: str, namespace: str = "shop") -> Path:
        return self._directory / ".dbclaims/secrets" / namespace / name

    def _wait(self, what: str, look: Callable[[], T | None]) -> T:
        """Look until there is something to see."""
        found: list[T] = []

        def seen() -> bool:
            found[:] = [each] if (each := look()) else []
            return bool(found)

        try:
            self._up.wait_until(seen, PATIENCE)
        except ServerFailed as error:
            raise NotSeen(f"✗ {what} did not come: {error}") from error
        return found[0]

    def _tick(self, text: str) -> None:
        print(f"✓ {time.monotonic() - self._began:5.1f} s  {text}", flush=True)


def main() -> int:
    """Run the demo; the exit code is 0 only if every step was seen."""
    try:
        installation = any_installation()
    except MissingPart as missing:
        print(f"no PostgreSQL to be had: {missing}", file=sys.stderr)
        return 1
    print(f"PostgreSQL {installation.release} with TLS, disposable; the examples of tests/examples; dbclaims up")
    if not shutil.which("psql"):
        print(f"psql is not on this machine, so logins are tried with {CLIENT} instead")
    with PostgresServer(installation) as server, tempfile.TemporaryDirectory(prefix="dbclaims-demo-") as work:
        directory = Path(work, "databases")
        directory.mkdir()
        write_examples(directory, server, server.create_admin())
        edit(directory / "databaseclass.yaml", _quickened)
        up = ServerProcess([str(_COMMAND), "up", str(directory)], Path(work, "up.log"))
        try:
            Demo(server, directory, up).run()
        except (NotSeen, PermissionError, WrongUser) as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            up.stop()
    print("✓ every step was seen")
    return 0


def _quickened(class_: dict[str, Any]) -> None:
    class_["spec"]["rotation"]["grace"] = f"{GRACE}s"


def _rotated(claim: dict[str, Any]) -> None:
    claim["metadata"]["annotations"] = {"dbclaims.io/rotate": "now"}


if __name__ == "__main__":
    sys.exit(main())
