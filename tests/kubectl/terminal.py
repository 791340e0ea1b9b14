"""A verb's run as somebody sees it: on a terminal of a fixed size, which is a real pseudo-terminal, or in a pipe."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from attrs import frozen

from dbclaims.core.clock import Clock
from dbclaims.core.kubectl.claims import run
from dbclaims.core.kubectl.desk import Find

LINES, COLUMNS = 40, 100


@frozen
class Said:
    """What came of a run: the exit code, stdout and stderr."""

    code: int
    out: str
    err: str


def piped(arguments: list[str], home: Find, clock: Clock) -> Said:
    """Run a verb with its answer in a pipe."""
    out, err = io.StringIO(), io.StringIO()
    code = run(arguments, home, lambda: clock, out, err)
    return Said(code, out.getvalue(), err.getvalue())


def on_terminal(arguments: list[str], home: Find, clock: Clock) -> Said:
    """Run a verb on a terminal of 100 columns."""
    err = io.StringIO()
    with _terminal() as (screen, shown):
        code = run(arguments, home, lambda: clock, screen, err)
    return Said(code, shown().replace("\r\n", "\n"), err.getvalue())


@contextmanager
def _terminal() -> Iterator[tuple[TextIO, Callable[[], str]]]:
    """A stream that is a terminal, and what it showed, to be asked after the block."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    read = bytearray()
    # A terminal holds four kilobytes; whoever writes more waits for a reader.
    reader = threading.Thread(target=_drain, args=(ours, read))
    reader.start()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        yield stream, lambda: read.decode()
    reader.join()
    os.close(ours)


def _drain(descriptor: int, into: bytearray) -> None:
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:
            return
        if not chunk:
            return
        into.extend(chunk)
