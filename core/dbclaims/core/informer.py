"""An informer is one kind's reflector, cache and handlers; `Informers` is all of them, where the core reads objects."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping

import orjson

from .clock import Clock, StopSignal
from .metrics import Metrics
from .objectstore import Kind, Object, ObjectStore, WatchEvent
from .reflector import Reflector
from .store import Change, Indexer, Lister, Store, UnwatchedKind, read_list, version_of

log = logging.getLogger(__name__)

Handler = Callable[[Object | None, Object | None], None]


class Informer:
    """Watches one kind and tells handlers.

    Handlers get (old, new), None for absent, in order, each object their own copy. They run in the thread that learnt
    of the change, a worker's for writes of ours, so they only sort and enqueue. While the first list is told,
    `has_synced()` is False, which is how a handler knows a restart's backlog from an edit.
    """

    def __init__(
        self,
        kind: Kind,
        source: ObjectStore,
        *,
        clock: Clock,
        rng: random.Random,
        metrics: Metrics,
        indexers: Mapping[str, Indexer] | None = None,
    ) -> None:
        self.kind = kind
        self._clock = clock
        self._store = Store(indexers)
        self._reflector = Reflector(kind, source, self, clock=clock, rng=rng)
        self._handlers: list[Handler] = []
        # Changes are told in the order in which they were made, whoever made them.
        self._telling = threading.RLock()
        self._synced = False
        # The highest version that the watch or a list told; a list below it comes from a server that was restored.
        self._seen = 0
        self._heard = clock.monotonic()
        self.lister = Lister(self._store, self.has_synced, kind.kind)
        metrics.last_event.labels(kind.kind).set_function(self.silence)

    def add_handler(self, handler: Handler) -> None:
        """Add a handler, before the informer runs."""
        self._handlers.append(handler)

    def has_synced(self) -> bool:
        """Whether the first list is in the cache and every handler has been told of it."""
        return self._synced

    def silence(self) -> float:
        """Seconds since the store's last sign of life: a list, an event or a bookmark."""
        return self._clock.monotonic() - self._heard

    def run(self, stop: StopSignal) -> None:
        """Follow the store until `stop`; blocks."""
        self._reflector.run(stop)

    def step(self) -> float:
        """One list-and-watch; see `Reflector.step`."""
        return self._reflector.step()

    def wrote(self, obj: Object) -> None:
        """Take in the store's answer to a write of ours."""
        with self._telling:
            self._tell(self._store.put(obj))

    def deleted(self, key: str, uid: str) -> None:
        """Take in that a delete of ours ended the object."""
        with self._telling:
            self._tell(self._store.bury(key, uid))

    def replace(self, objects: Iterable[bytes], resource_version: str) -> None:
        """See `Sink.replace`."""
        # Outside the lock, since the pages are still being fetched and our own writes need not wait for that.
        listed, version = read_list(objects), int(resource_version or 0)
        with self._telling:
            rewound, self._seen = version < self._seen, version
            for change in self._store.replace(listed, version, rewound=rewound):
                self._tell(change)
            self._synced = True

    def apply(self, event: WatchEvent) -> None:
        """See `Sink.apply`."""
        obj = orjson.loads(event.object)
        with self._telling:
            self._seen = max(self._seen, version_of(obj))
            self._tell(self._store.remove(obj) if event.type == "DELETED" else self._store.put(obj))

    def heard(self) -> None:
        """See `Sink.heard`."""
        self._heard = self._clock.monotonic()

    def _tell(self, change: Change | None) -> None:
        if change is None:
            return
        for handler in self._handlers:
            try:
                handler(_parse(change.old), _parse(change.new))
            except Exception:
                log.exception("event handler failed", extra={"kind": self.kind.kind, "key": change.key})


class Informers:
    """The informers of one process, by kind."""

    def __init__(self, informers: Iterable[Informer] = ()) -> None:
        self._by_kind = {informer.kind: informer for informer in informers}

    def __iter__(self) -> Iterator[Informer]:
        return iter(self._by_kind.values())

    def get(self, kind: Kind) -> Informer | None:
        """The informer of a kind, None if nobody watches it."""
        return self._by_kind.get(kind)

    def lister(self, kind: Kind) -> Lister:
        """The cache of a kind. Raises `UnwatchedKind`: that nobody watches does not mean that nothing is there."""
        informer = self._by_kind.get(kind)
        if informer is None:
            raise UnwatchedKind(f"{kind.kind} is not watched; read it with the client's get()")
        return informer.lister

    def have_synced(self) -> bool:
        """Whether every informer has synced."""
        return all(informer.has_synced() for informer in self)


def _parse(body: bytes | None) -> Object | None:
    return None if body is None else orjson.loads(body)
