"""List once, then watch for ever: the loop that keeps a cache level with the store, whatever the wire does.

The rules are client-go's (framework.md §2.1), but for one: lists ask for the newest state ("") and never for any ("0").
A list of any state comes in one piece whatever its limit, tens of MB at once where a page is 1 MB, and may be older
than what this process's predecessor wrote.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Iterator
from typing import Protocol

import orjson
from attrs import define, field

from .clock import Clock, StopSignal
from .objectstore import Expired, Kind, ObjectStore, Page, Silent, StoreError, Throttled, WatchEvent

log = logging.getLogger(__name__)

# A list of 10,000 objects of 2 KB peaks at 90 MiB RSS with 500 to a page, at 74 with 200, at 68 with 100.
PAGE = 200
SHORT_WATCH = 1.0
_WATCH_SECONDS = (300.0, 600.0)


class Sink(Protocol):
    """Where a reflector puts what it learns; called by its thread only."""

    def replace(self, objects: Iterable[bytes], resource_version: str) -> None:
        """The whole truth as of `resource_version`. What iterating raises leaves everything as it was."""
        ...

    def apply(self, event: WatchEvent) -> None:
        """One ADDED, MODIFIED or DELETED."""
        ...

    def heard(self) -> None:
        """The store gave a sign of life: a list, an event or a bookmark."""
        ...


@define
class Backoff:
    """Delays that double from `first` to `cap` seconds, up to twice as long by chance; `reset` good seconds end it."""

    rng: random.Random
    first: float = 0.8
    cap: float = 30.0
    reset: float = 120.0
    _steps: int = field(default=0, init=False)
    _last: float = field(default=0.0, init=False)

    def next(self, now: float) -> float:
        """The seconds to wait after a failure at `now` (monotonic)."""
        if now - self._last > self.reset:
            self._steps = 0
        # The exponent is bounded, since a float is not.
        delay = min(self.cap, self.first * 2.0 ** min(self._steps, 16))
        self._steps += 1
        self._last = now + delay
        return delay * (1 + self.rng.random())


class Reflector:
    """Keeps `sink` level with one kind of the store. One thread runs it, or a test steps it.

    Args:
        namespace: the only one to be followed; None follows all.
    """

    def __init__(
        self,
        kind: Kind,
        source: ObjectStore,
        sink: Sink,
        *,
        clock: Clock,
        rng: random.Random,
        namespace: str | None = None,
    ) -> None:
        self._kind, self._source, self._sink, self._clock, self._rng = kind, source, sink, clock, rng
        self._namespace = namespace
        self._backoff = Backoff(rng)
        # The version to watch from; None when only a list can tell.
        self._version: str | None = None
        self._stop = StopSignal(clock)

    def run(self, stop: StopSignal) -> None:
        """Step until `stop`."""
        self._stop = stop
        while not stop.is_set():
            if delay := self.step():
                stop.wait(delay)

    def step(self) -> float:
        """List if need be, watch until the watch ends, and return the seconds to wait before the next step."""
        began = self._clock.monotonic()
        try:
            version = self._list() if self._version is None else self._version
            began = self._clock.monotonic()
            self._watch(version)
        except StoreError as error:
            return self._failed(error)
        # A server that closes at once would otherwise be asked thousands of times a second (framework.md §1.2 e).
        if self._clock.monotonic() - began < SHORT_WATCH:
            return self._backoff.next(self._clock.monotonic())
        return 0.0

    def _failed(self, error: StoreError) -> float:
        # After silence too: bookmarks come every minute, so a quiet watch may hang on a version of the future.
        if isinstance(error, Expired | Silent):
            self._version = None
        delay = self._backoff.next(self._clock.monotonic())
        if isinstance(error, Throttled):
            delay = max(delay, error.retry_after or 0.0)
        # At the end of the process every watch is cut off, which nobody need be warned of.
        log.log(
            logging.DEBUG if self._stop.is_set() else logging.WARNING,
            "watch interrupted",
            extra={"kind": self._kind.kind, "error": str(error), "retryIn": round(delay, 1)},
        )
        return delay

    def _list(self) -> str:
        first = self._source.list(self._kind, namespace=self._namespace, limit=PAGE)
        self._sink.replace(self._items(first), first.resource_version)
        self._version = first.resource_version
        self._sink.heard()
        return first.resource_version

    def _items(self, page: Page) -> Iterator[bytes]:
        """All items from this page on; every page of one list is of the same moment."""
        yield from page.items
        while page.continue_:
            page = self._source.list(self._kind, namespace=self._namespace, limit=PAGE, continue_=page.continue_)
            yield from page.items

    def _watch(self, version: str) -> None:
        seconds = self._rng.uniform(*_WATCH_SECONDS)
        where, source = self._namespace, self._source
        with source.watch(self._kind, namespace=where, resource_version=version, timeout_seconds=seconds) as events:
            self._follow(events)

    def _follow(self, events: Iterator[WatchEvent]) -> None:
        for event in events:
            version = orjson.loads(event.object)["metadata"]["resourceVersion"]
            if event.type != "BOOKMARK":
                self._sink.apply(event)
            # Only after the event is taken in: a crash between the two repeats it and loses nothing.
            self._version = version
            self._sink.heard()
