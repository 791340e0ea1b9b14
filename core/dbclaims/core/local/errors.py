"""What goes wrong with a directory or its state, and the one place where foreign errors become ours.

StoreError                     (objectstore.py)
└── Unreachable
    ├── DirectoryUnreadable    DIR is missing, or may not be read: nothing is concluded from it
    ├── StateUnusable          STATE cannot be read or written
    └── StateInUse             another process works on STATE
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..objectstore import Unreachable


class DirectoryUnreadable(Unreachable):
    """DIR is missing or may not be read."""


class StateUnusable(Unreachable):
    """STATE cannot be read or written: a full disk, a missing right, a damaged file."""


class StateInUse(Unreachable):
    """Another process holds STATE."""


@contextmanager
def state_errors(state: Path) -> Iterator[None]:
    """Turn what the file system and SQLite raise under STATE into `StateUnusable`."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        way_out = "mend it, or name another directory with --state"
        raise StateUnusable(f"the state in {state} cannot be used ({error}); {way_out}") from error
