"""A published Secret as its user sees it: libpq's variables, and a login with a real client."""

import base64
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psycopg
from attrs import field, frozen

CLIENT = "psql" if shutil.which("psql") else "psycopg"
_VARIABLES = {"PGHOST": "host", "PGPORT": "port", "PGDATABASE": "database", "PGUSER": "username"}
_VARIABLES |= {"PGPASSWORD": "password", "PGSSLMODE": "sslmode"}
_QUESTION = "SELECT session_user || ' as ' || current_user"


class WrongUser(Exception):
    """The server let us in as somebody else."""


@frozen
class Published:
    """One version of a published Secret.

    Attributes:
        values: its keys and their texts.
    """

    values: Mapping[str, str] = field(repr=False)

    @classmethod
    def from_files(cls, folder: Path) -> Self:
        """Read the files of STATE; raises FileNotFoundError where there are none."""
        # Through ..data once, so that no two keys come from two versions.
        version = (folder / "..data").resolve(strict=True)
        return cls({path.name: path.read_text() for path in version.iterdir()})

    @classmethod
    def from_object(cls, secret: Mapping[str, Any]) -> Self:
        """Read a Secret of an API server."""
        return cls({key: base64.b64decode(value).decode() for key, value in secret["data"].items()})

    @property
    def username(self) -> str:
        """The login's name."""
        return self.values["username"]

    def log_in(self) -> str:
        """Log in with psql, or with psycopg where there is none; return who the server says we are.

        Raises:
            PermissionError: the server turns the login away.
            WrongUser: it lets us in, but not as this login.
        """
        with self._environment() as environment:
            answer = _psql(environment) if CLIENT == "psql" else self._psycopg(environment["PGSSLROOTCERT"])
        if not answer.startswith(f"{self.username} as "):
            raise WrongUser(f"the server knows {self.username} as {answer!r}")
        return answer

    def is_refused(self) -> bool:
        """Whether the server turns the login away."""
        try:
            self.log_in()
        except PermissionError:
            return True
        return False

    @contextmanager
    def _environment(self) -> Iterator[Mapping[str, str]]:
        """The variables of libpq: no password stands in an argument. The CA lies in a file while the block runs."""
        with tempfile.NamedTemporaryFile("w", suffix=".crt") as authority:
            authority.write(self.values["ca.crt"])
            authority.flush()
            login = {variable: self.values[key] for variable, key in _VARIABLES.items()}
            yield {**os.environ, **login, "PGSSLROOTCERT": authority.name, "PGCONNECT_TIMEOUT": "5"}

    def _psycopg(self, authority: str) -> str:
        try:
            with psycopg.connect(self.values["uri"], sslrootcert=authority, connect_timeout=5) as connection:
                row = connection.execute(_QUESTION).fetchone()
                return str(row[0]) if row else ""
        except psycopg.OperationalError as error:
            raise PermissionError(str(error)) from error


def _psql(environment: Mapping[str, str]) -> str:
    command = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", _QUESTION]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise PermissionError(done.stderr.strip())
    return done.stdout.strip()
