"""The port to wherever the objects live: a Kubernetes API server or a directory (DESIGN.md §6).

StoreError
├── Conflict         the resourceVersion or uid that was the precondition is not the stored one (409)
├── AlreadyExists    create found an object of that name (409)
├── NotFound         the object, or its whole kind, is not there (404)
├── Expired          the resourceVersion is too old or unknown: list again (410)
├── Forbidden        not logged in, or without the right (401, 403)
├── Invalid          refused for what it says (400, 413, 422)
├── Throttled        the server asks for patience (429, 503); `retry_after` says how much
└── Unreachable      no answer, or an answer that says nothing about the object (connection, 5xx)
    └── Silent       connected, and then nothing for the whole read timeout
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import orjson
from attrs import frozen

Object = dict[str, Any]


class StoreError(Exception):
    """A request to the store failed.

    Attributes:
        status: the HTTP status where there was one.
        retry_after: seconds that the server asked us to wait, where it did.
    """

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class Conflict(StoreError):
    """The precondition does not hold: somebody else wrote since the object was read. Read again."""


class AlreadyExists(StoreError):
    """`create` found an object of that name."""


class NotFound(StoreError):
    """Something on the way is not there: the object, its namespace, or its whole kind.

    Attributes:
        name: what the store positively says is absent; "" where it says nothing, as for a kind that it does not serve.
    """

    name: str = ""


class Expired(StoreError):
    """The resourceVersion or continue token is no longer known: the only way on is a new list."""


class Forbidden(StoreError):
    """The caller may not do this, or is not known at all."""


class Invalid(StoreError):
    """The object is refused for what it says; sending it again is no use."""


class Throttled(StoreError):
    """The store is there and asks for patience."""


class Unreachable(StoreError):
    """No usable answer: whether a write took place is not known."""


class Silent(Unreachable):
    """The store accepted and then said nothing for the whole read timeout."""


@frozen
class Kind:
    """A kind of object, as the store addresses it.

    Attributes:
        group: the API group, "" for the core group.
        plural: the lower-case name in paths.
        namespaced: whether its objects live in namespaces.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The `apiVersion` that objects of this kind carry."""
        return f"{self.group}/{self.version}" if self.group else self.version


@frozen
class Page:
    """One page of a list: each item as JSON, and the token of the next page ("" on the last)."""

    items: Sequence[bytes]
    resource_version: str
    continue_: str = ""


@frozen
class WatchEvent:
    """One event of a watch: `type` is ADDED, MODIFIED, DELETED or BOOKMARK; errors are raised, never events."""

    type: str
    object: bytes


class ObjectStore(Protocol):
    """What the core needs of a store. Every method may raise `StoreError`; objects are plain JSON dicts."""

    def list(
        self,
        kind: Kind,
        *,
        namespace: str | None = None,
        resource_version: str = "",
        limit: int = 500,
        continue_: str = "",
    ) -> Page:
        """One page of at most `limit` objects. `resource_version` "" is the newest state, "0" any state.

        `namespace` keeps it to that one; of the kind Namespace, to the namespace itself.

        Raises `Expired` when the continue token is too old: begin again.
        """
        ...

    def watch(
        self, kind: Kind, *, namespace: str | None = None, resource_version: str, timeout_seconds: float
    ) -> AbstractContextManager[Iterator[WatchEvent]]:
        """Everything that happens after `resource_version`, until the store ends it after `timeout_seconds`."""
        ...

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """The object, or None when the store says positively that it is absent; any doubt raises."""
        ...

    def create(self, kind: Kind, obj: Object) -> Object:
        """Store a new object and return it as stored. Raises `AlreadyExists`."""
        ...

    def replace(self, kind: Kind, obj: Object) -> Object:
        """Replace the object; its metadata.resourceVersion, if set, is the precondition (`Conflict`)."""
        ...

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
        """Apply a JSON merge patch (RFC 7386), with `resource_version` as precondition (`Conflict`)."""
        ...

    def delete(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
    ) -> Object | None:
        """Delete; return the object while finalizers hold it, None when it is gone or never was there."""
        ...

    def close(self) -> None:
        """End every open watch, so that the threads in them come back. Afterwards only errors."""
        ...


def every(store: ObjectStore, kind: Kind, namespace: str | None = None) -> Iterator[Object]:
    """Every object of a kind, page by page. Raises `StoreError`."""
    page = store.list(kind, namespace=namespace)
    yield from map(orjson.loads, page.items)
    while page.continue_:
        page = store.list(kind, namespace=namespace, continue_=page.continue_)
        yield from map(orjson.loads, page.items)


def join_key(namespace: str | None, name: str) -> str:
    """The queue and cache key of an object: `namespace/name`, or `name` without a namespace."""
    return f"{namespace}/{name}" if namespace else name


def split_key(key: str) -> tuple[str, str]:
    """`join_key` undone: (namespace, name), with "" for no namespace."""
    namespace, _, name = key.rpartition("/")
    return namespace, name


def key_of(obj: Mapping[str, Any]) -> str:
    """The key of an object."""
    metadata = obj["metadata"]
    return join_key(metadata.get("namespace"), metadata["name"])
