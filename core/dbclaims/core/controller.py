"""A controller: takes keys from a queue, has each reconciled, and decides when it comes again."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable

from attrs import frozen

from .clock import Clock
from .log import pass_fields
from .metrics import ControllerMetrics
from .objectstore import StoreError, Throttled
from .workqueue import WorkQueue

log = logging.getLogger(__name__)


@frozen
class Result:
    """What a pass says about the next one. The default: nothing to do until something changes.

    Attributes:
        requeue_after: seconds until the next pass.
        backoff: the pass failed; come again after the key's backoff. It wins over `requeue_after`.
        exact: take `requeue_after` as it is, without the tenth of jitter that spreads the load.
    """

    requeue_after: float | None = None
    backoff: bool = False
    exact: bool = False


Reconcile = Callable[[str], Result]


class Controller:
    """Runs `reconcile` over the keys of one queue.

    Args:
        reconcile: gets a key, never an event. A `StoreError` is an ordinary failure, any other exception a bug: both
            are logged and come again after a backoff.
        deadline: seconds after which a pass counts as too long; ending it is the reconciler's own matter.
    """

    def __init__(
        self,
        name: str,
        queue: WorkQueue,
        reconcile: Reconcile,
        *,
        workers: int,
        clock: Clock,
        metrics: ControllerMetrics,
        deadline: float = 60.0,
    ) -> None:
        self.name, self.queue, self.deadline = name, queue, deadline
        self._reconcile, self._workers, self._clock, self._metrics = reconcile, workers, clock, metrics
        self._threads: list[threading.Thread] = []
        # When each key that is to come again was last gone over (monotonic).
        self._last_pass: dict[str, float] = {}
        metrics.max_workers.set(workers)
        metrics.observe(self.oldest_pass)

    def start(self) -> None:
        """Start the workers; they end when the queue is shut down."""
        for number in range(self._workers):
            thread = threading.Thread(target=self._work, name=f"{self.name}-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def process_next(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds for a key and make one pass over it; False if there was none."""
        key = self.queue.get(timeout)
        if key is None:
            return False
        try:
            self._settle(key, self._attempt(key))
        finally:
            self.queue.done(key)
        return True

    def oldest_pass(self) -> float:
        """The age in seconds of the oldest last pass over all keys that are to come again; 0 without any."""
        passes = list(self._last_pass.values())
        return self._clock.monotonic() - min(passes) if passes else 0.0

    def _work(self) -> None:
        while self.process_next():
            pass

    def _attempt(self, key: str) -> Result | Exception:
        """One pass, timed and fenced."""
        began = self._clock.monotonic()
        self._metrics.active.inc()
        try:
            with pass_fields(controller=self.name, key=key, reconcile_id=str(uuid.uuid4())):
                return self._fenced(key)
        finally:
            took = self._clock.monotonic() - began
            self._metrics.active.dec()
            self._metrics.pass_time.observe(took)
            if took > self.deadline:
                self._metrics.timeouts.inc()

    def _fenced(self, key: str) -> Result | Exception:
        try:
            return self._reconcile(key)
        except StoreError as error:
            log.warning("reconcile failed", extra={"error": str(error)})
            return error
        except Exception as error:
            log.exception("reconcile panicked")
            self._metrics.panics.inc()
            return error

    def _settle(self, key: str, result: Result | Exception) -> None:
        """Say when the key comes again, and count."""
        outcome = outcome_of(result)
        self._metrics.passes[outcome].inc()
        if outcome == "error":
            self._metrics.errors.inc()
            self.queue.add_backoff(key, at_least=_patience(result))
        else:
            self.queue.forget(key)
            if isinstance(result, Result) and result.requeue_after is not None:
                self.queue.add_after(key, result.requeue_after, exact=result.exact)
        if outcome == "success":
            self._last_pass.pop(key, None)
        else:
            self._last_pass[key] = self._clock.monotonic()


def outcome_of(result: Result | Exception) -> str:
    """The `result` label of controller-runtime for how a pass ended."""
    if isinstance(result, Exception) or result.backoff:
        return "error"
    return "success" if result.requeue_after is None else "requeue_after"


def _patience(result: Result | Exception) -> float:
    """Seconds that the store asked for."""
    return result.retry_after or 0.0 if isinstance(result, Throttled) else 0.0
