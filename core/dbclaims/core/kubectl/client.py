"""psql, mysql and mariadb as child processes that find the login in files of their own, for nobody else to read.

No password stands in an argument or in anybody's environment. The files live in a directory of mode 0700 and go with
the child.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import field, frozen

from .login import Login
from .verb import VerbError

_PATIENCE = 15.0
"""Seconds that a question of ours may take; a client with a person before it has all the time."""

_AS_LOGIN = {"PGOPTIONS": "-c role=none -c search_path=pg_catalog,pg_temp"}
"""A login acts as the database's owner, who may not see the login's own sessions; a question of ours is the login's."""

_QUIET = {
    "postgresql": ("-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c"),
    "mysql": ("--batch", "--skip-column-names", "-e"),
}
"""One line for each row, tabs between, nothing else."""

_INSTALL = {
    "psql": "PostgreSQL's client (Debian: postgresql-client, macOS: libpq)",
    "mysql": "MySQL's client (Debian: default-mysql-client, macOS: mysql-client)",
    "mariadb": "MariaDB's (Debian: mariadb-client, macOS: mariadb)",
}

_FIRST_MARIADB = 10
"""The first version that only MariaDB has: MySQL went from 5.7 to 8 and 9."""


@frozen
class Call:
    """How a client is started: its first arguments and its environment."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)


def talk(login: Login, arguments: Sequence[str]) -> int:
    """Run the client for a person, and return its exit code. Raises `VerbError`."""
    with _prepared(login) as call:
        # ctrl-C is for the client: it ends a query there, and not us.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return subprocess.Popen(
                [*call.command, *arguments], env=dict(call.environment), preexec_fn=_interruptible
            ).wait()
        finally:
            signal.signal(signal.SIGINT, before)


def ask(login: Login, statement: str) -> list[list[str]]:
    """The rows of one query, as text. Raises `VerbError` with the server's words."""
    with _prepared(login) as call:
        command, environment = [*call.command, *_QUIET[login.engine], statement], {**call.environment, **_AS_LOGIN}
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise VerbError(f"error: {login.host}:{login.port} did not answer within {_PATIENCE:.0f} s") from error
    if done.returncode:
        raise VerbError(f"error: {done.stderr.strip() or f'{command[0]} failed'}")
    return [line.split("\t") for line in done.stdout.splitlines() if line]


@contextmanager
def _prepared(login: Login) -> Iterator[Call]:
    with tempfile.TemporaryDirectory(prefix="kubectl-claims-") as folder:
        authority = _file(Path(folder, "ca.crt"), login.ca) if login.ca else ""
        if login.engine == "postgresql":
            yield _psql(login, Path(folder), authority)
        elif login.engine == "mysql":
            yield _mysql(login, Path(folder), authority)
        else:
            raise VerbError(f"error: no client is known for {login.engine}; `credentials` shows what to give yours")


def _psql(login: Login, folder: Path, authority: str) -> Call:
    escaped = login.password.replace("\\", r"\\").replace(":", r"\:")
    own = {
        "PGHOST": login.host,
        "PGPORT": login.port,
        "PGDATABASE": login.database,
        "PGUSER": login.username,
        "PGSSLMODE": login.sslmode,
        # libpq 16's word for the system's authorities, which only verify-full may use.
        "PGSSLROOTCERT": authority or ("system" if login.sslmode == "verify-full" else ""),
        "PGPASSFILE": _file(folder / "pgpass", f"*:*:*:*:{escaped}\n"),
        "PGAPPNAME": "kubectl-claims",
        "PGCONNECT_TIMEOUT": "10",
    }
    foreign = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return Call((_found(["psql"]),), {**foreign, **{name: value for name, value in own.items() if value}})


def _mysql(login: Login, folder: Path, authority: str) -> Call:
    # `loose-`: MariaDB's client has no ssl-mode, and MySQL's no ssl-verify-server-cert.
    options = {
        "host": login.host,
        "port": login.port,
        "user": login.username,
        "password": login.password,
        "loose-ssl-mode": login.sslmode,
        "connect-timeout": "10",
        **({"ssl-ca": authority} if authority else {}),
    }
    text = "\n".join(["[client]", *(f"{name}={_quoted(value)}" for name, value in options.items())])
    if login.sslmode in ("VERIFY_IDENTITY", "VERIFY_CA"):
        text += "\nloose-ssl-verify-server-cert"
    file = _file(folder / "my.cnf", f"{text}\n")
    return Call((_found(_clients(login.version)), f"--defaults-file={file}", login.database), os.environ)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _file(path: Path, text: str) -> str:
    """A file for our eyes only; its path."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    return str(path)


def _clients(version: str) -> list[str]:
    """The programs that talk to a server of this version, the server's own first. Pure."""
    number = version.partition(".")[0]
    is_mariadb = number.isdecimal() and int(number) >= _FIRST_MARIADB
    return ["mariadb", "mysql"] if is_mariadb else ["mysql", "mariadb"]


def _found(programs: Sequence[str]) -> str:
    """The first of these programs that is there. Raises `VerbError`."""
    found = next(filter(None, map(shutil.which, programs)), None)
    if found is None:
        missing = f"{programs[0]} is not" if len(programs) == 1 else f"neither {' nor '.join(programs)} is"
        way_out = f"install {' or '.join(_INSTALL[each] for each in programs)}"
        raise VerbError(f"error: {missing} installed: {way_out}; `credentials` shows what to give it")
    return found


def _interruptible() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
