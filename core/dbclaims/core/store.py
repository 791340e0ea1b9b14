"""The cache of one kind: stripped JSON bytes by key, with indexes, that never goes back in time.

Bytes and not dicts, since they cost a sixth of the memory and no garbage collection, and since whoever reads gets an
object of his own (framework.md §4.3). Writes of our own are put in as soon as the server has answered, so the watch's
copy of them arrives late: older versions are dropped, and an object that we deleted stays deleted.

    CacheError
    ├── UnwatchedKind   nobody watches that kind: its absence here proves nothing
    └── NotSynced       the first list has not ended: likewise
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from .objectstore import Object, key_of

Indexer = Callable[[Object], Iterable[str]]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class CacheError(Exception):
    """The cache cannot answer, which is not the same as "absent"."""


class UnwatchedKind(CacheError):
    """Nobody watches that kind."""


class NotSynced(CacheError):
    """The cache has not seen a whole list yet."""


class Change(NamedTuple):
    """What a write to the cache did; `old` and `new` are JSON, None for absent."""

    key: str
    old: bytes | None
    new: bytes | None


class Entry(NamedTuple):
    """One object as the cache holds it."""

    version: int
    body: bytes


class Tombstone(NamedTuple):
    """What we deleted and whose end the watch has not told yet; `version` is the last that the cache held."""

    key: str
    version: int


class Store:
    """The cache of one kind; threads may share it.

    Args:
        indexers: by name, a function from an object to the values under which it is found.
    """

    def __init__(self, indexers: Mapping[str, Indexer] | None = None) -> None:
        self._indexers = dict(indexers or {})
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._indexes: dict[str, dict[str, set[str]]] = {name: {} for name in self._indexers}
        self._tombstones: dict[str, Tombstone] = {}
        """By uid."""

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> bytes | None:
        """The object as JSON, or None."""
        entry = self._entries.get(key)
        return entry.body if entry else None

    def keys(self) -> list[str]:
        """All keys, as of now."""
        with self._lock:
            return list(self._entries)

    def index(self, name: str, value: str) -> list[str]:
        """The keys of the objects that the indexer `name` finds under `value`. Raises KeyError for an unknown name."""
        with self._lock:
            return sorted(self._indexes[name].get(value, ()))

    def put(self, obj: Object) -> Change | None:
        """Take an object in, from the watch or from a write of ours; None if it is not newer than what is here."""
        key, entry = key_of(obj), _entry(obj)
        with self._lock:
            if obj["metadata"].get("uid") in self._tombstones:
                return None
            old = self._entries.get(key)
            if old and old.version >= entry.version:
                return None
            return self._set(key, old, entry, obj)

    def remove(self, obj: Object) -> Change | None:
        """Take out an object that the watch saw end; None if it is gone, or a newer one has its name."""
        key, version = key_of(obj), version_of(obj)
        with self._lock:
            self._tombstones.pop(obj["metadata"].get("uid", ""), None)
            old = self._entries.get(key)
            return None if old is None or old.version > version else self._unset(key, old)

    def bury(self, key: str, uid: str) -> Change | None:
        """Take out an object that we deleted, for good: what the watch still has to say of its life is dropped."""
        with self._lock:
            old = self._entries.get(key)
            # Without an entry of this uid the watch has told its end already, and nothing would ever lift the stone.
            if old is None or _uid(old) != uid:
                return None
            self._tombstones[uid] = Tombstone(key, old.version)
            return self._unset(key, old)

    def replace(
        self, listed: Mapping[str, Entry], version: int, *, namespace: str | None = None, rewound: bool = False
    ) -> list[Change]:
        """Take a whole list in: what is not in it is gone, unless we wrote it after the list was made at `version`.

        `namespace` says that the list is of that one: what is elsewhere stays. `rewound` says that the server went back
        in time (a restored backup): then the list wins over everything.
        """
        with self._lock:
            self._tombstones = {
                uid: stone
                for uid, stone in self._tombstones.items()
                if not _lies_in(stone.key, namespace) or (not rewound and _will_be_told(uid, stone, listed, version))
            }
            return [*self._vanished(listed, version, namespace, rewound), *self._listed(listed, rewound)]

    def _vanished(
        self, listed: Mapping[str, Entry], version: int, namespace: str | None, rewound: bool
    ) -> list[Change]:
        gone = [(key, old) for key, old in self._entries.items() if key not in listed and _lies_in(key, namespace)]
        return [self._unset(key, old) for key, old in gone if rewound or old.version <= version]

    def _listed(self, listed: Mapping[str, Entry], rewound: bool) -> Iterator[Change]:
        buried = {stone.key for stone in self._tombstones.values()}
        for key, entry in listed.items():
            old = self._entries.get(key)
            newer = old is None or entry.version > old.version or (rewound and entry.version != old.version)
            if newer and key not in buried:
                yield self._set(key, old, entry)

    def _set(self, key: str, old: Entry | None, entry: Entry, obj: Object | None = None) -> Change:
        self._unindex(key, old)
        self._entries[key] = entry
        for name, value in self._values(entry.body, obj):
            self._indexes[name].setdefault(value, set()).add(key)
        return Change(key, old.body if old else None, entry.body)

    def _unset(self, key: str, old: Entry) -> Change:
        self._unindex(key, old)
        del self._entries[key]
        return Change(key, old.body, None)

    def _unindex(self, key: str, old: Entry | None) -> None:
        for name, value in self._values(old.body) if old else ():
            keys = self._indexes[name][value]
            keys.discard(key)
            if not keys:
                del self._indexes[name][value]

    def _values(self, body: bytes, obj: Object | None = None) -> set[tuple[str, str]]:
        if not self._indexers:
            return set()
        parsed = orjson.loads(body) if obj is None else obj
        return {(name, value) for name, indexer in self._indexers.items() for value in indexer(parsed)}


class Lister:
    """What others may do with a cache: read it."""

    def __init__(self, store: Store, synced: Callable[[], bool], kind: str) -> None:
        self._store, self._synced, self._kind = store, synced, kind

    def get(self, key: str) -> Object | None:
        """A private copy of the object, or None if it is absent. Raises `NotSynced`."""
        body = self._read().get(key)
        return None if body is None else orjson.loads(body)

    def body(self, key: str) -> bytes | None:
        """The object as JSON, the same bytes until it changes, or None if it is absent. Raises `NotSynced`."""
        return self._read().get(key)

    def keys(self) -> list[str]:
        """All keys. Raises `NotSynced`."""
        return self._read().keys()

    def index(self, name: str, value: str) -> list[str]:
        """The keys under an index's value, sorted. Raises `NotSynced`, and KeyError for an unknown index."""
        return self._read().index(name, value)

    def _read(self) -> Store:
        if not self._synced():
            raise NotSynced(f"{self._kind} has not been listed yet; wait for the informer's has_synced()")
        return self._store


def read_list(objects: Iterable[bytes]) -> dict[str, Entry]:
    """A list's items as the cache takes them; consumes page by page, so that only one page is held unstripped."""
    return dict(map(_listed, objects))


def version_of(obj: Mapping[str, Any]) -> int:
    """The resourceVersion as a number, which it is and may be compared as, within a kind (KEP-5504)."""
    return int(obj["metadata"].get("resourceVersion") or 0)


def strip(obj: Mapping[str, Any]) -> bytes:
    """The object as JSON without what nobody reads: managedFields and kubectl's copy of the manifest."""
    metadata = {name: value for name, value in obj["metadata"].items() if name != "managedFields"}
    if annotations := metadata.get("annotations"):
        metadata["annotations"] = {name: value for name, value in annotations.items() if name != LAST_APPLIED}
    return orjson.dumps({**obj, "metadata": metadata})


def _entry(obj: Mapping[str, Any]) -> Entry:
    return Entry(version_of(obj), _copied(strip(obj)))


def _listed(body: bytes) -> tuple[str, Entry]:
    obj = orjson.loads(body)
    key, version, stripped = key_of(obj), version_of(obj), strip(obj)
    # The copy is made last, where the parsed object has made room: else the heap is left in holes, a fifth of it.
    del obj
    return key, Entry(version, _copied(stripped))


def _lies_in(key: str, namespace: str | None) -> bool:
    """Whether a key is of this namespace, or the namespace itself; None is everywhere."""
    return namespace is None or key.partition("/")[0] == namespace


def _will_be_told(uid: str, stone: Tombstone, listed: Mapping[str, Entry], version: int) -> bool:
    """Whether a watch from this list on tells the object's end: it is in the list, or was made after it."""
    return stone.version > version or (stone.key in listed and _uid(listed[stone.key]) == uid)


def _copied(body: bytes) -> bytes:
    """As long as it looks: orjson's own result pins a far larger buffer (framework.md §0.4)."""
    return bytes(memoryview(body))


def _uid(entry: Entry) -> str:
    return str(orjson.loads(entry.body)["metadata"].get("uid", ""))
