"""The objects as they are at one moment, with documents laid over them that nobody has applied yet. Only read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NoReturn

import orjson

from .kinds import SECRET, WATCHED
from .objectstore import Forbidden, Kind, Object, ObjectStore, Page, every, join_key, key_of

SecretFinder = Callable[[str, str], Object | None]
"""Finds a Secret by namespace and name."""


class Snapshot:
    """An `ObjectStore` that refuses every write, so that nothing of a plan can be carried out by mistake.

    Attributes:
        secret: finds a Secret; there is no list of them.
    """

    def __init__(self, objects: Iterable[Object], secret: SecretFinder) -> None:
        self._objects = {(each["kind"], key_of(each)): each for each in objects}
        self.secret = secret

    @property
    def objects(self) -> Collection[Object]:
        """Every object, in no order."""
        return self._objects.values()

    def list(self, kind: Kind, *, namespace: str | None = None, **_: object) -> Page:
        """Every object of a kind, in one page; see `ObjectStore.list`."""
        found = [each for (name, _), each in self._objects.items() if name == kind.kind]
        return Page([orjson.dumps(each) for each in found if namespace in (None, _place(each))], "1")

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """See `ObjectStore.get`."""
        if kind == SECRET:
            return self.secret(namespace or "", name)
        return self._objects.get((kind.kind, join_key(namespace, name)))

    def close(self) -> None:
        """Nothing is open."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise Forbidden("a plan only reads", status=403)

    watch = create = replace = patch = delete = _refuse


def watched(store: ObjectStore) -> list[Object]:
    """Every object that a controller would watch, as the store has it now. Raises `StoreError`."""
    return [each for kind in WATCHED for each in every(store, kind)]


def _place(obj: Object) -> str | None:
    namespace: str | None = obj["metadata"].get("namespace")
    return namespace
