"""`dbclaims up DIR`: reconcile a directory of YAML, without a cluster.

The installation's id and lock key are the Secret `dbclaims-identity` of the namespace `dbclaims-system`, and so the
files STATE/secrets/dbclaims-system/dbclaims-identity/{id,lock-key} (PROTOCOL.md §2).
"""

from __future__ import annotations

import random
import sys
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager

from prometheus_client import CollectorRegistry
from rich.console import Console

from .. import log
from ..clock import Clock, StopSignal, SystemClock
from ..display import Display, display
from ..installation import SYSTEM_NAMESPACE, identified, installation
from ..local import Follower, LocalStore, Problem, Scan
from ..machine import Machine
from ..manager import Manager, stop_on_signals
from ..metrics import Metrics
from ..table import Row, rows
from .command import DONE, FAILED, Command, Interrupted, declare_directory, declare_plugins, load_plugins
from .settling import Settling

_LOOK = 0.1
"""Seconds between two looks for news."""


def _declare(parser: ArgumentParser) -> None:
    declare_directory(parser)
    parser.add_argument("--once", action="store_true", help="end when all is settled: 0 if everything is Ready, else 1")
    parser.add_argument("--prune", action="store_true", help="a vanished document is a wish to delete its object")
    parser.add_argument("--id", help="the installation id on every server (default: made once and kept)")
    declare_plugins(parser)


def _run(arguments: Namespace) -> int:
    clock = SystemClock()
    stop = StopSignal(clock)
    stop_on_signals(stop)
    plugins = load_plugins(arguments)
    with closing(LocalStore(arguments.directory, arguments.state, clock=clock)) as store:
        scan = store.scan(prune=arguments.prune)
        machine = Machine(
            store,
            plugins,
            installation(store, SYSTEM_NAMESPACE, arguments.id, identified(store)),
            clock=clock,
            metrics=Metrics(CollectorRegistry()),
            rng=random.Random(),  # noqa: S311 -- it only spreads times
            eager=arguments.once,
        )
        home = _Home(store, machine, clock, stop, scan, prune=arguments.prune)
        print(f"Secrets appear as {store.state}/secrets/<namespace>/<secret>/<key>", flush=True)
        with closing(machine), display(Console(highlight=False)) as shown:
            # Only now, since the display may stand between us and stderr.
            log.configure(level="WARNING", text=True)
            return home.settle(shown) if arguments.once else home.follow(shown)


class _Home:
    """One directory being kept: the manager in a thread, and the loop that shows what it does."""

    def __init__(
        self, store: LocalStore, machine: Machine, clock: Clock, stop: StopSignal, scan: Scan, *, prune: bool
    ) -> None:
        self._store, self._machine, self._clock, self._stop = store, machine, clock, stop
        self._scan, self._prune = scan, prune
        self._news = threading.Event()
        for informer in machine.informers:
            informer.add_handler(lambda _old, _new: self._news.set())

    def follow(self, shown: Display) -> int:
        """Keep the directory, and follow its edits, until a signal."""
        follower = Follower(self._store, self._clock, self._scanned, prune=self._prune)
        with self._managed():
            follower.start()
            try:
                for found in self._looks():
                    shown.show(found, self._scan.problems)
            finally:
                follower.stop()
        return DONE

    def settle(self, shown: Display) -> int:
        """Keep the directory until there is nothing left to wait for; say on stderr what is not Ready."""
        settling = Settling(self._clock)
        with self._managed():
            for found in self._looks(always=True):
                shown.show(found, self._scan.problems)
                if settling.is_over(found, idle=self._machine.is_idle()) and not self._rescan():
                    return _verdict(found, self._scan.problems)
        raise Interrupted("stopped before everything was settled; run it again to go on")

    def _looks(self, *, always: bool = False) -> Iterator[list[Row]]:
        """The rows, whenever there is news, until a signal or the manager's end."""
        self._news.set()
        while not self._stop.wait(_LOOK):
            if self._news.is_set() or always:
                self._news.clear()
                yield rows(self._store)

    def _rescan(self) -> bool:
        """Look at the directory again: what waited for an object's end, or for a wish, may begin now."""
        self._scan = self._store.scan(prune=self._prune)
        return bool(self._scan.changes)

    def _scanned(self, scan: Scan) -> None:
        self._scan = scan
        self._news.set()

    @contextmanager
    def _managed(self) -> Iterator[None]:
        """Run the manager beside the block, and stop it after; raises what ended it early."""
        manager = Manager(
            store=self._store,
            informers=self._machine.informers,
            controllers=self._machine.controllers,
            clock=self._clock,
        )
        with ThreadPoolExecutor(1, thread_name_prefix="manager") as pool:
            running = pool.submit(manager.run, self._stop)
            running.add_done_callback(self._ended)
            try:
                yield
            finally:
                self._stop.set()
        running.result()

    def _ended(self, _: Future[bool]) -> None:
        self._stop.set()


def _verdict(found: Sequence[Row], problems: Sequence[Problem]) -> int:
    wrong = [*map(str, problems), *(str(row) for row in found if not row.good)]
    for sentence in wrong:
        print(f"dbclaims: {sentence}", file=sys.stderr)
    return FAILED if wrong else DONE


COMMAND = Command("up", "reconcile a directory of YAML", _declare, _run)
