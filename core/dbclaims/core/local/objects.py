"""The stored objects: one place where each is put, marked and ended, in SQLite or as files, and every watch told."""

from __future__ import annotations

import orjson
from attrs import evolve

from ..clock import Clock
from ..kinds import NAMESPACE, SECRET
from ..objectstore import Kind, Object
from . import writes
from .history import History
from .intake import NAME_LABEL
from .secretfiles import SecretFiles
from .state import Address, Row, State


class Objects:
    """What both the port and the scan write through. One thread at a time; raises `StateUnusable`.

    Attributes:
        ended: whether an object has gone since somebody last looked, so that its document may make it anew.
    """

    def __init__(self, state: State, history: History, clock: Clock) -> None:
        self._state = state
        self._files = SecretFiles(state.path)
        self._history = history
        self._clock = clock
        self.ended = False

    def get(self, address: Address) -> Object | None:
        """The object, fresh."""
        kind, namespace, name = address
        if kind == SECRET.kind:
            return self._files.read(namespace, name)
        row = self._state.get(address)
        return orjson.loads(row.body) if row else None

    def born(self, address: Address, obj: Object) -> Object:
        """A new object, not yet stored. Raises `Invalid`."""
        return writes.born(obj, self.uid(address), self._clock.now())

    def uid(self, address: Address) -> str:
        """The uid that an object made now under this name has."""
        return writes.uid_of(address, self._state.lives(address))

    def put(self, address: Address, obj: Object, *, source: str | None = None, applied: bytes | None = None) -> Object:
        """Store the next version of an object; `source` and `applied` as in `Row`, None to leave them."""
        if address[0] == SECRET.kind:
            secret = _stamped(obj, self._state.next_version())
            self._files.write(secret)
            return secret
        self._ensure_namespace(address[1])
        row = self._state.get(address)
        stored = _stamped(obj, self._state.version + 1)
        fresh = evolve(row or Row(address, 0, b""), version=self._state.version + 1, body=orjson.dumps(stored))
        self._state.write(_sourced(fresh, source, applied))
        self._history.add("MODIFIED" if row else "ADDED", address[0], address[1], fresh.version, fresh.body)
        return stored

    def note_source(self, row: Row, source: str, applied: bytes) -> None:
        """Remember where the document of an unchanged object stands now."""
        fresh = _sourced(row, source, applied)
        if fresh != row:
            self._state.write(fresh)

    def delete(self, address: Address, obj: Object) -> Object | None:
        """End the object, or mark it while finalizers hold it; returns it as long as it is there."""
        if not obj["metadata"].get("finalizers"):
            self.remove(address, obj)
            return None
        if "deletionTimestamp" in obj["metadata"]:
            return obj
        return self.put(address, writes.doomed(obj, self._clock.now()))

    def remove(self, address: Address, obj: Object) -> None:
        """End the object, and the Secrets that it owns with it."""
        kind, namespace, name = address
        if kind == SECRET.kind:
            self._files.remove(namespace, name)
            return
        version = self._state.remove(address)
        self.ended = True
        self._history.add("DELETED", kind, namespace, version, orjson.dumps(_stamped(obj, version)))
        for secret in self._files.owned(namespace, obj["metadata"]["uid"]) if namespace else ():
            self._files.remove(namespace, secret["metadata"]["name"])

    def row(self, address: Address) -> Row | None:
        """The object's row, or None."""
        return self._state.get(address)

    def rows(self, kind: Kind | None = None) -> list[Row]:
        """All rows but Secrets, or those of one kind, in order."""
        return self._state.rows(kind.kind if kind else None)

    @property
    def version(self) -> int:
        """The newest resource version."""
        return self._state.version

    def _ensure_namespace(self, namespace: str) -> None:
        """In a directory a namespace is there as soon as something is in it."""
        address = (NAMESPACE.kind, "", namespace)
        if namespace and not self._state.get(address):
            metadata = {"name": namespace, "labels": {NAME_LABEL: namespace}}
            obj = {"apiVersion": NAMESPACE.api_version, "kind": NAMESPACE.kind, "metadata": metadata}
            self.put(address, self.born(address, obj))


def _stamped(obj: Object, version: int) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(version)}}


def _sourced(row: Row, source: str | None, applied: bytes | None) -> Row:
    return evolve(
        row,
        source=row.source if source is None else source,
        applied=row.applied if applied is None else applied,
    )
