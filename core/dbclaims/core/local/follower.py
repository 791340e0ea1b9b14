"""Follows a directory: a look each second, for as long as `dbclaims up` runs."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..clock import Clock, StopSignal
from ..objectstore import StoreError
from .documents import Problem
from .scanner import Scan
from .store import LocalStore

PERIOD = 1.0
"""Seconds between two looks; an edit is taken over at the second one, once the file has stopped changing."""


class Follower:
    """Scans a store again and again and tells `on_scan` of every scan that changed anything.

    A directory that cannot be read for a while is told as a problem; the objects stay as they are.
    """

    def __init__(
        self, store: LocalStore, clock: Clock, on_scan: Callable[[Scan], None], *, prune: bool = False
    ) -> None:
        self._store = store
        self._on_scan = on_scan
        self._prune = prune
        self._stop = StopSignal(clock)
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._told: tuple[Problem, ...] = ()

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for a scan under way."""
        self._stop.set()
        self._thread.join()

    def step(self) -> Scan:
        """Look once, and tell."""
        try:
            scan = self._store.scan(settled=True, prune=self._prune)
        except StoreError as error:
            scan = Scan(problems=(Problem("directory", str(error)),))
        if scan.changes or scan.problems != self._told:
            self._told = scan.problems
            self._on_scan(scan)
        return scan

    def _run(self) -> None:
        while not self._stop.wait(PERIOD):
            self.step()
