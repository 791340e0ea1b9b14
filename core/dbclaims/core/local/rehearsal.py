"""What `up` would make of a directory, without making it: a scan over a copy of STATE that is thrown away.

STATE itself is only read, so that this also works while a running `up` holds it, and where there is none yet.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ..clock import Clock
from ..kinds import SECRET
from ..objectstore import Object
from ..snapshot import Snapshot, watched
from .deletions import FOLDER
from .errors import state_errors
from .scanner import Scan
from .secretfiles import SecretFiles
from .state import DATABASE
from .store import STATE_NAME, LocalStore


@contextmanager
def rehearsal(directory: Path, state: Path | None, clock: Clock) -> Iterator[tuple[Snapshot, Scan]]:
    """The objects as the next scan would leave them, and what it would do.

    Raises `DirectoryUnreadable` and `StateUnusable`.
    """
    standing = state or directory / STATE_NAME
    with tempfile.TemporaryDirectory(prefix="dbclaims-plan-") as scratch:
        with state_errors(standing):
            _copy(standing, Path(scratch))
        with closing(LocalStore(directory, Path(scratch), clock=clock)) as store:
            scan = store.scan()
            published = SecretFiles(standing)

            def secret(namespace: str, name: str) -> Object | None:
                return store.get(SECRET, namespace, name) or published.read(namespace, name)

            yield Snapshot(watched(store), secret), scan


def _copy(state: Path, scratch: Path) -> None:
    """The objects and the wishes for deletion. No Secret is copied."""
    if (state / DATABASE).exists():
        with (
            closing(sqlite3.connect(f"file:{state / DATABASE}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(scratch / DATABASE)) as copy,
        ):
            source.backup(copy)
    if (state / FOLDER).exists():
        shutil.copytree(state / FOLDER, scratch / FOLDER)
