"""STATE: the directory of one installation without a cluster, and the SQLite file in it that holds every object.

Opening it writes nothing, so that a run that changes nothing touches no file. A lock keeps a second process out.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import IO

from attrs import frozen

from .errors import StateInUse, state_errors

DATABASE = "objects.sqlite"

_SCHEMA = """
CREATE TABLE objects (
    kind TEXT, namespace TEXT, name TEXT, version INTEGER, source TEXT, applied BLOB, body BLOB,
    PRIMARY KEY (kind, namespace, name)
) WITHOUT ROWID;
CREATE TABLE lives (kind TEXT, namespace TEXT, name TEXT, count INTEGER, PRIMARY KEY (kind, namespace, name));
CREATE TABLE versions (last INTEGER);
INSERT INTO versions VALUES (0);
PRAGMA user_version = 1;
"""

Address = tuple[str, str, str]
"""Kind, namespace ("" for none) and name of an object."""


@frozen
class Row:
    """One object as it is stored.

    Attributes:
        source: the file that holds its document; empty for an object that the controller made.
        applied: the labels and annotations that came from that document, as JSON.
        body: the whole object, as JSON.
    """

    address: Address
    version: int
    body: bytes
    source: str = ""
    applied: bytes = b"{}"


class State:
    """The objects of one installation, in memory and on disk. One thread at a time; raises `StateUnusable`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with state_errors(path), ExitStack() as opened:
            _make(path)
            self._lock = opened.enter_context(_locked(path))
            self._database = opened.enter_context(closing(_open(path)))
            self._rows = {row.address: row for row in _rows(self._database)}
            self.version = int(self._database.execute("SELECT last FROM versions").fetchone()[0])
            self._opened = opened.pop_all()

    def get(self, address: Address) -> Row | None:
        """The object's row, or None."""
        return self._rows.get(address)

    def rows(self, kind: str | None = None) -> list[Row]:
        """All rows, or those of one kind, ordered by namespace and name."""
        found = (row for row in self._rows.values() if kind in (None, row.address[0]))
        return sorted(found, key=lambda row: row.address)

    def next_version(self) -> int:
        """A resource version that nothing had before."""
        with self._transaction():
            return self._count_up()

    def write(self, row: Row) -> None:
        """Store a row whose version is the next one, or, where only its source changed, the old one."""
        with self._transaction():
            columns = (*row.address, row.version, row.source, row.applied, row.body)
            self._database.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)", columns)
            self._database.execute("UPDATE versions SET last = max(last, ?)", (row.version,))
        self.version = max(self.version, row.version)
        self._rows[row.address] = row

    def remove(self, address: Address) -> int:
        """Forget a row; returns the version of its end."""
        with self._transaction():
            self._database.execute("DELETE FROM objects WHERE (kind, namespace, name) = (?, ?, ?)", address)
            self._database.execute(
                "INSERT INTO lives VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1", address
            )
            version = self._count_up()
        del self._rows[address]
        return version

    def lives(self, address: Address) -> int:
        """How many objects of this name have ended."""
        with state_errors(self.path):
            query = "SELECT count FROM lives WHERE (kind, namespace, name) = (?, ?, ?)"
            found = self._database.execute(query, address).fetchone()
            return int(found[0]) if found else 0

    def close(self) -> None:
        """Close the file and let the next process in; may be repeated."""
        with state_errors(self.path):
            self._opened.close()

    def _count_up(self) -> int:
        self._database.execute("UPDATE versions SET last = last + 1")
        self.version += 1
        return self.version

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        before = self.version
        try:
            with state_errors(self.path), self._database:
                yield
        except BaseException:
            self.version = before
            raise


def holds(path: Path, address: Address) -> bool:
    """Whether an object is stored in a STATE that another process may be working on. Raises `StateUnusable`."""
    with state_errors(path):
        database = sqlite3.connect(f"file:{path / DATABASE}?mode=ro", uri=True)
        try:
            query = "SELECT 1 FROM objects WHERE (kind, namespace, name) = (?, ?, ?)"
            return database.execute(query, address).fetchone() is not None
        finally:
            database.close()


def _make(path: Path) -> None:
    """The directory, for nobody else to read and for no repository to keep."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o777 != 0o700:
        path.chmod(0o700)
    ignore = path / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")


def _locked(path: Path) -> IO[bytes]:
    """A lock that ends with the process, however that ends. Raises `StateInUse`."""
    lock = (path / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        way_out = "stop it, or name another directory with --state"
        raise StateInUse(f"another process works on {path}; {way_out}") from error
    return lock


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path / DATABASE, check_same_thread=False)
    try:
        if database.execute("PRAGMA user_version").fetchone()[0] == 0:
            database.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
            (path / DATABASE).chmod(0o600)
    except BaseException:
        database.close()
        raise
    return database


def _rows(database: sqlite3.Connection) -> Iterator[Row]:
    for kind, namespace, name, version, source, applied, body in database.execute("SELECT * FROM objects"):
        yield Row((kind, namespace, name), version, body, source, applied)
