"""The parts that come from outside the repository: where they are kept, and what happens where one is missing."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class MissingPart(Exception):
    """A binary that the tests need is not on this machine; the message names it and the way to get it."""


def cache_dir(name: str) -> Path:
    """Return (and make) the folder outside the repository that keeps one kind of part between runs."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return _made(root / "dbclaims" / name)


def public_cache_dir(name: str) -> Path:
    """Return a folder like `cache_dir`'s that an unprivileged user can read too.

    PostgreSQL refuses to run as root, and the user it runs as instead cannot look into /root (mode 0700).
    """
    return _made(Path("/var/cache/dbclaims") / name) if os.geteuid() == 0 else cache_dir(name)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock file, so that parallel test processes make a part once."""
    with (folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
