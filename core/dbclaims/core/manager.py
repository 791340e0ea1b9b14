"""The order in which a process starts and stops (framework.md §2.5).

Start: probes, watches, wait for the caches, the Lease, workers. Stop: no new keys, running passes end, the Lease is
released (never before, or two would work at once), watches. A stand-by keeps its caches and queues warm.

    ManagerError
    └── SyncTimeout   the caches were not filled in time; the message names the kinds
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType

from .clock import Clock, StopSignal
from .controller import Controller
from .health import HealthServer
from .informer import Informer, Informers
from .leader import Elector
from .objectstore import ObjectStore

log = logging.getLogger(__name__)

SYNC_POLL = 0.05


class ManagerError(Exception):
    """The process cannot start."""


class SyncTimeout(ManagerError):
    """The caches were not filled in time."""


class Manager:
    """Runs informers and controllers until told to stop. Runs once.

    Args:
        store: the informers' store, closed at the end to call their threads back.
        elector: None runs without a Lease (the local home, a single process).
        drain: seconds that running passes get to end; below Kubernetes' 30 s until SIGKILL.
        sync_timeout: seconds that the first lists get.
    """

    def __init__(
        self,
        *,
        store: ObjectStore,
        informers: Informers,
        controllers: Sequence[Controller],
        clock: Clock,
        elector: Elector | None = None,
        health: HealthServer | None = None,
        drain: float = 25.0,
        sync_timeout: float = 120.0,
    ) -> None:
        self._store, self._informers, self._controllers = store, informers, controllers
        self._clock, self._elector, self._health = clock, elector, health
        self._drain, self._sync_timeout = drain, sync_timeout
        self._stop_watching = StopSignal(clock)
        self._stop_electing = StopSignal(clock)
        self._threads: list[threading.Thread] = []
        self._leader: threading.Thread | None = None

    def run(self, stop: StopSignal) -> bool:
        """Run until `stop`; return whether every running pass ended in time. Raises `SyncTimeout`."""
        try:
            self._start(stop)
            stop.wait()
        finally:
            drained = self._stop()
        return drained

    def _start(self, stop: StopSignal) -> None:
        if self._health:
            self._health.start()
        for informer in self._informers:
            self._thread(f"reflector-{informer.kind.kind}", _run(informer, self._stop_watching))
        self._wait_for_sync(stop)
        if self._elector:
            elector = self._elector
            self._leader = self._thread("leader", lambda: elector.run(self._stop_electing, lambda: self._lead(stop)))
        else:
            self._lead(stop)

    def _wait_for_sync(self, stop: StopSignal) -> None:
        deadline = self._clock.monotonic() + self._sync_timeout
        while not self._informers.have_synced() and not stop.is_set():
            if self._clock.monotonic() >= deadline:
                missing = ", ".join(i.kind.kind for i in self._informers if not i.has_synced())
                raise SyncTimeout(
                    f"no list of {missing} within {self._sync_timeout:.0f} s: see the log for the answers"
                )
            stop.wait(SYNC_POLL)

    def _lead(self, stop: StopSignal) -> None:
        """Start the workers, unless the process is stopping already."""
        if not stop.is_set():
            log.info("starting workers", extra={"controllers": len(self._controllers)})
            for controller in self._controllers:
                controller.start()

    def _stop(self) -> bool:
        drained = self._drain_controllers()
        self._release()
        self._stop_watching.set()
        self._store.close()
        for thread in self._threads:
            thread.join(timeout=1.0)
        if self._health:
            self._health.stop()
        return drained

    def _release(self) -> None:
        """Give the Lease up once its thread is still: a renewal in flight would take it back."""
        self._stop_electing.set()
        if self._elector and self._leader:
            self._leader.join(timeout=self._drain)
            self._elector.release()

    def _drain_controllers(self) -> bool:
        deadline = self._clock.monotonic() + self._drain
        for controller in self._controllers:
            controller.queue.shut_down()
        drained = [c.queue.drain(deadline - self._clock.monotonic()) for c in self._controllers]
        if not all(drained):
            log.warning("passes still running at the end", extra={"seconds": self._drain})
        return all(drained)

    def _thread(self, name: str, target: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread


def stop_on_signals(stop: StopSignal) -> None:
    """SIGTERM and SIGINT set `stop`; a second one ends the process at once."""

    def handle(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)


def _run(informer: Informer, stop: StopSignal) -> Callable[[], None]:
    return lambda: informer.run(stop)
