"""An informer is one kind's reflector, cache and handlers; `Informers` is all of them, where the core reads objects."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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

    Args:
        namespaces: those to be watched, each by itself, so that rights in them are enough; none named is all at once.

    Attributes:
        parts: a watch for each namespace, or the one of all.
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
        namespaces: Sequence[str] = (),
    ) -> None:
        self.kind = kind
        self._cache = _Cache(kind, indexers)
        self.parts = [Part(self._cache, source, clock, rng, namespace) for namespace in namespaces or (None,)]
        self.lister = Lister(self._cache.store, self.has_synced, kind.kind)
        metrics.last_event.labels(kind.kind).set_function(self.silence)

    def add_handler(self, handler: Handler) -> None:
        """Add a handler, before the informer runs."""
        self._cache.handlers.append(handler)

    def has_synced(self) -> bool:
        """Whether the first list is in the cache and every handler has been told of it."""
        return all(part.synced for part in self.parts)

    def silence(self) -> float:
        """Seconds since the store's last sign of life (a list, event or bookmark); of several watches, the longest."""
        return max(part.silence() for part in self.parts)

    def run(self, stop: StopSignal) -> None:
        """Follow the store until `stop`; blocks."""
        first, *others = self.parts
        threads = [threading.Thread(target=part.reflector.run, args=(stop,), daemon=True) for part in others]
        for thread in threads:
            thread.start()
        first.reflector.run(stop)
        for thread in threads:
            thread.join()

    def step(self) -> float:
        """One list-and-watch of each watch in turn; see `Reflector.step`."""
        return min(part.reflector.step() for part in self.parts)

    def wrote(self, obj: Object) -> None:
        """Take in the store's answer to a write of ours."""
        with self._cache.telling:
            self._cache.tell(self._cache.store.put(obj))

    def deleted(self, key: str, uid: str) -> None:
        """Take in that a delete of ours ended the object."""
        with self._cache.telling:
            self._cache.tell(self._cache.store.bury(key, uid))


class _Cache:
    """The objects of one kind, and whom to tell of changes.

    Attributes:
        telling: held from a change until all are told, so that changes are told in the order in which they were made.
    """

    def __init__(self, kind: Kind, indexers: Mapping[str, Indexer] | None) -> None:
        self.kind, self.store = kind, Store(indexers)
        self.handlers: list[Handler] = []
        self.telling = threading.RLock()

    def tell(self, change: Change | None) -> None:
        """Tell every handler of a change, if there was one."""
        if change is None:
            return
        for handler in self.handlers:
            try:
                handler(_parse(change.old), _parse(change.new))
            except Exception:
                log.exception("event handler failed", extra={"kind": self.kind.kind, "key": change.key})


class Part:
    """One watch of an informer, of one namespace or of all: the `Sink` of its reflector."""

    def __init__(
        self, cache: _Cache, source: ObjectStore, clock: Clock, rng: random.Random, namespace: str | None
    ) -> None:
        self._cache, self._clock, self._namespace = cache, clock, namespace
        self.reflector = Reflector(cache.kind, source, self, clock=clock, rng=rng, namespace=namespace)
        self.synced = False
        # The highest version that the watch or a list told; a list below it comes from a server that was restored.
        self._seen = 0
        self._heard = clock.monotonic()

    def silence(self) -> float:
        """Seconds since the last sign of life."""
        return self._clock.monotonic() - self._heard

    def replace(self, objects: Iterable[bytes], resource_version: str) -> None:
        """See `Sink.replace`."""
        # Outside the lock, since the pages are still being fetched and our own writes need not wait for that.
        listed, version = read_list(objects), int(resource_version or 0)
        with self._cache.telling:
            rewound, self._seen = version < self._seen, version
            for change in self._cache.store.replace(listed, version, namespace=self._namespace, rewound=rewound):
                self._cache.tell(change)
            self.synced = True

    def apply(self, event: WatchEvent) -> None:
        """See `Sink.apply`."""
        obj, store = orjson.loads(event.object), self._cache.store
        with self._cache.telling:
            self._seen = max(self._seen, version_of(obj))
            self._cache.tell(store.remove(obj) if event.type == "DELETED" else store.put(obj))

    def heard(self) -> None:
        """See `Sink.heard`."""
        self._heard = self._clock.monotonic()


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
