"""`CachedClient`: writes that are in the cache when they return, so that the next pass sees what this one did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .informer import Informers
from .objectstore import Kind, Object, ObjectStore, join_key
from .store import Lister


class CachedClient:
    """The store's writes, written through to the informers' caches. Reads: `lister` (cached), `get` (live)."""

    def __init__(self, store: ObjectStore, informers: Informers) -> None:
        self._store, self._informers = store, informers

    def lister(self, kind: Kind) -> Lister:
        """The cache of a kind. Raises `UnwatchedKind`."""
        return self._informers.lister(kind)

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """The object live from the store; see `ObjectStore.get`."""
        return self._store.get(kind, namespace, name)

    def create(self, kind: Kind, obj: Object) -> Object:
        """See `ObjectStore.create`."""
        return self._wrote(kind, self._store.create(kind, obj))

    def replace(self, kind: Kind, obj: Object) -> Object:
        """See `ObjectStore.replace`."""
        return self._wrote(kind, self._store.replace(kind, obj))

    def patch(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        patch: Mapping[str, Any],
        *,
        resource_version: str | None = None,
        subresource: str = "",
    ) -> Object:
        """See `ObjectStore.patch`."""
        stored = self._store.patch(
            kind, namespace, name, patch, resource_version=resource_version, subresource=subresource
        )
        return self._wrote(kind, stored)

    def delete(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
    ) -> Object | None:
        """See `ObjectStore.delete`. Only with a uid does the cache know at once which object is gone."""
        left = self._store.delete(kind, namespace, name, uid=uid, resource_version=resource_version)
        if left is not None:
            return self._wrote(kind, left)
        if uid and (informer := self._informers.get(kind)):
            informer.deleted(join_key(namespace, name), uid)
        return None

    def _wrote(self, kind: Kind, stored: Object) -> Object:
        informer = self._informers.get(kind)
        # A merge patch that removes the last finalizer ends the object, and its answer is its last state.
        metadata = stored["metadata"]
        if informer and metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
            informer.deleted(join_key(metadata.get("namespace"), metadata["name"]), metadata["uid"])
        elif informer:
            informer.wrote(stored)
        return stored
