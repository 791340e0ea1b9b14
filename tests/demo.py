"""`make demo`: a claim's whole life on a disposable PostgreSQL, each step seen from outside and ticked off.

Nothing is asked of the machine but what `make` installs: the server is this machine's PostgreSQL or a pinned one from
npm, with TLS and an admin that may create roles and databases and no more. `dbclaims up` runs as a process of its own,
and whatever is ticked off was found in its files or by logging in to the server.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from .overlay import edit, write_examples
from .parts import MissingPart
from .servers.installation import any_installation
from .servers.postgres import PostgresServer
from .servers.process import ServerFailed, ServerProcess

T = TypeVar("T")

GRACE = 3
PATIENCE = 30.0
_COMMAND = Path(sys.executable).with_name("dbclaims")
_VARIABLES = {"PGHOST": "host", "PGPORT": "port", "PGDATABASE": "database", "PGUSER": "username"}
_VARIABLES |= {"PGPASSWORD": "password", "PGSSLMODE": "sslmode"}
_QUESTION = "SELECT session_user || ' as ' || current_user"


class NotSeen(Exception):
    """A step of the demo that did not come about; the message says which."""


class Secret:
    """A published Secret as a client sees it: the files of one version."""

    def __init__(self, folder: Path) -> None:
        # Through ..data once, so that no two keys come from two versions.
        self._version = (folder / "..data").resolve(strict=True)
        self.values = {path.name: path.read_text() for path in self._version.iterdir()}

    @property
    def username(self) -> str:
        """The login's name."""
        return self.values["username"]

    @contextmanager
    def environment(self) -> Iterator[Mapping[str, str]]:
        """The variables of libpq for this login; its CA lies in a file as long as the block runs."""
        with tempfile.NamedTemporaryFile("w", suffix=".crt") as authority:
            authority.write(self.values["ca.crt"])
            authority.flush()
            login = {variable: self.values[key] for variable, key in _VARIABLES.items()}
            yield {**os.environ, **login, "PGSSLROOTCERT": authority.name, "PGCONNECT_TIMEOUT": "5"}


def log_in(secret: Secret) -> str:
    """Log in with psql, or with psycopg where there is none; return who the server says we are.

    Raises:
        PermissionError: the server turns the login away.
    """
    with secret.environment() as environment:
        if psql := shutil.which("psql"):
            command = [psql, "--no-psqlrc", "--tuples-only", "--no-align", "--command", _QUESTION]
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            if done.returncode:
                raise PermissionError(done.stderr.strip())
            answer = done.stdout.strip()
        else:
            answer = _log_in_without_psql(secret, environment["PGSSLROOTCERT"])
    if not answer.startswith(f"{secret.username} as "):
        raise NotSeen(f"✗ the server knows {secret.username} as {answer!r}")
    return answer


def _log_in_without_psql(secret: Secret, authority: str) -> str:
    try:
        with psycopg.connect(secret.values["uri"], sslrootcert=authority, connect_timeout=5) as connection:
            row = connection.execute(_QUESTION).fetchone()
            return str(row[0]) if row else ""
    except psycopg.OperationalError as error:
        raise PermissionError(str(error)) from error


def is_refused(secret: Secret) -> bool:
    """Whether the server turns this login away."""
    try:
        log_in(secret)
    except PermissionError:
        return True
    return False


class Demo:
    """One run: a directory with the examples, and `dbclaims up` over it."""

    def __init__(self, server: PostgresServer, directory: Path, up: ServerProcess) -> None:
        self._server, self._directory, self._up = server, directory, up
        self._began = time.monotonic()

    def run(self) -> None:
        """Every step, in order. Raises `NotSeen`."""
        first = self._wait("a Secret", lambda: self._secret("orders-db"))
        self._tick(f"the claim became database {first.values['database']!r} and a Secret with login {first.username}")
        self._tick(f"psql, verify-full, with that Secret: {log_in(first)}")
        reader = self._wait("a RoleClaim's Secret", lambda: self._secret("orders-reports", "bi"))
        self._tick(f"the RoleClaim of namespace bi, by grant: {log_in(reader)}")
        second = self._rotate(first)
        self._wait("the old login's end", lambda: is_refused(first))
        self._tick(f"{GRACE} s after its last session the old login is closed; the new one: {log_in(second)}")
        self._delete(second)

    def _rotate(self, first: Secret) -> Secret:
        edit(self._directory / "databaseclaim.yaml", _rotated)
        second = self._wait("another login", lambda: self._other(first))
        self._tick(f"the annotation dbclaims.io/rotate brought login {second.username} into the same Secret")
        self._tick(f"both work: {log_in(second)} | {log_in(first)}")
        return second

    def _delete(self, last: Secret) -> None:
        (self._directory / "databaseclaim.yaml").unlink()
        self._wait("a word about the vanished document", lambda: "its document is gone" in self._up.log.read_text())
        self._tick("the document is gone, and under Delete that is no wish yet: the database stays")
        command = [str(_COMMAND), "delete", "DatabaseClaim/orders", "-n", "shop", str(self._directory)]
        subprocess.run(command, check=True, capture_output=True)
        self._wait("the database's end", lambda: not self._databases())
        self._wait("the Secret's end", lambda: not self._folder("orders-db").exists())
        self._wait("the login's end", lambda: is_refused(last))
        self._tick("dbclaims delete DatabaseClaim/orders: database, logins and Secret are gone")

    def _databases(self) -> list[tuple[Any, ...]]:
        return self._server.execute("SELECT FROM pg_database WHERE datname = 'orders'")

    def _other(self, first: Secret) -> Secret | None:
        found = self._secret("orders-db")
        return found if found and found.username != first.username else None

    def _secret(self, name: str, namespace: str = "shop") -> Secret | None:
        with suppress(FileNotFoundError):
            return Secret(self._folder(name, namespace))
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
        print("psql is not on this machine, so logins are tried with psycopg instead")
    with PostgresServer(installation) as server, tempfile.TemporaryDirectory(prefix="dbclaims-demo-") as work:
        directory = Path(work, "databases")
        directory.mkdir()
        write_examples(directory, server, server.create_admin())
        edit(directory / "databaseclass.yaml", _quickened)
        up = ServerProcess([str(_COMMAND), "up", str(directory)], Path(work, "up.log"))
        try:
            Demo(server, directory, up).run()
        except NotSeen as error:
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
