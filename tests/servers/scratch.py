"""Where servers of tests keep their data: in memory, where the machine has room for it.

A database is three hundred files. Making one takes 40 ms in memory and 150 to 280 ms on a journalling disk, more than
all that is tested on it.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108  folders below it are made by mkdtemp
ROOM = 10 * 2**30
"""Bytes that must be free in memory: a thousand databases, as some tests make them, are eight of these ten GiB."""


def scratch_folder(prefix: str) -> Path:
    """Make a new folder for one server's data."""
    return Path(tempfile.mkdtemp(prefix=f"dbclaims-{prefix}-", dir=_place()))


def _place() -> Path | None:
    """The folder in memory; None, which is the usual place of temporary files, where it is missing or small."""
    return MEMORY if MEMORY.is_dir() and min(shutil.disk_usage(MEMORY).free, _available()) > ROOM else None


def _available() -> int:
    """Bytes of memory that can be had without swapping (proc(5))."""
    facts = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(facts["MemAvailable"].split()[0]) * 1024
