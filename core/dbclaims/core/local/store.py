"""The port of the core on a directory: `ObjectStore` without a cluster."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from ..api.meta import check_metadata
from ..clock import Clock
from ..kinds import SECRET, WATCHED
from ..objectstore import AlreadyExists, Forbidden, Invalid, Kind, NotFound, Object, Page, WatchEvent, join_key
from . import writes
from .errors import DirectoryUnreadable
from .history import History
from .objects import Objects
from .scanner import Scan, Scanner
from .state import Address, State

STATE_NAME = ".dbclaims"
"""The state's name in the directory, where none is given."""

_STORED = frozenset(kind.kind for kind in (*WATCHED, SECRET))
_log = logging.getLogger(__name__)


@frozen
class _Token:
    """Where a list goes on: after this key, and as of the version at which it began."""

    version: str
    after: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str, version: int) -> _Token:
        begun, *after = text.split("/") if text else [str(version)]
        return cls(begun, tuple(after))


class LocalStore:
    """The objects of one directory (`ObjectStore`). Threads may share it; `scan` reads the directory.

    Raises `DirectoryUnreadable`, `StateInUse` where another process works on the same STATE, and `StateUnusable`.
    """

    def __init__(self, directory: Path, state: Path | None = None, *, clock: Clock) -> None:
        if not directory.is_dir():
            raise DirectoryUnreadable(f"there is no directory {directory}; name the one that holds the YAML")
        self.state = state or directory / STATE_NAME
        self._stored = State(self.state)
        self._history = History(clock, self._stored.version)
        self._objects = Objects(self._stored, self._history, clock)
        self._scanner = Scanner(directory, self.state, self._objects, clock)
        self._lock = threading.RLock()

    def scan(self, *, settled: bool = False, prune: bool = False) -> Scan:
        """Look at the directory once and take over what changed.

        With `settled`, only what two looks in a row found alike. With `prune`, a vanished document is a wish to delete
        its object. Raises `DirectoryUnreadable` and `StateUnusable`; then nothing was concluded.
        """
        with self._lock:
            return self._scanner.scan(settled=settled, prune=prune)

    # --- the port ------------------------------------------------------------------------------------------------

    def list(
        self,
        kind: Kind,
        *,
        namespace: str | None = None,
        resource_version: str = "",  # noqa: ARG002 -- the newest state is also any state
        limit: int = 500,
        continue_: str = "",
    ) -> Page:
        """See `ObjectStore.list`. Secrets are refused: they are read by name."""
        _check_listable(kind)
        with self._lock:
            token = _Token.read(continue_, self._objects.version)
            rows = [row for row in self._objects.rows(kind) if namespace in (None, row.address[1])]
        left = [row for row in rows if row.address > token.after]
        more = len(left) > limit
        last = "/".join((token.version, *left[limit - 1].address)) if more else ""
        return Page([row.body for row in left[:limit]], token.version, last)

    @contextmanager
    def watch(
        self, kind: Kind, *, namespace: str | None = None, resource_version: str, timeout_seconds: float
    ) -> Iterator[Iterator[WatchEvent]]:
        """See `ObjectStore.watch`."""
        _check_listable(kind)
        yield self._history.watch(kind, namespace, int(resource_version), timeout_seconds)

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """See `ObjectStore.get`. A Secret may stand in a document, or be one that the controller wrote."""
        with self._lock:
            return self._find(_address(kind, namespace, name))

    def create(self, kind: Kind, obj: Object) -> Object:
        """See `ObjectStore.create`. An Event is told to the log and not kept."""
        if kind.kind == "Event":
            _log.info("%s: %s", obj.get("reason"), obj.get("note"))
            return obj
        address = _address(kind, obj["metadata"].get("namespace"), obj["metadata"]["name"])
        with self._lock:
            if self._find(address):
                raise AlreadyExists(f"{_shown(address)} exists already", status=409)
            with _naming(address):
                fresh = self._objects.born(address, _typed(kind, obj))
            return self._objects.put(address, fresh)

    def replace(self, kind: Kind, obj: Object) -> Object:
        """See `ObjectStore.replace`."""
        metadata = obj["metadata"]
        address = _address(kind, metadata.get("namespace"), metadata["name"])
        preconditions = metadata.get("uid"), metadata.get("resourceVersion")
        return self._write(address, *preconditions, lambda stored: writes.updated(stored, _typed(kind, obj), ""))

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

        def change(stored: Object) -> Object:
            return writes.updated(stored, writes.merged(stored, patch), subresource)

        return self._write(_address(kind, namespace, name), None, resource_version, change)

    def delete(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
    ) -> Object | None:
        """See `ObjectStore.delete`. An object whose document still stands there is made anew by the next scan."""
        address = _address(kind, namespace, name)
        with self._lock:
            stored = self._find(address)
            if stored is None:
                return None
            self._check_writable(address)
            writes.check_preconditions(stored, uid, resource_version)
            return self._objects.delete(address, stored)

    def close(self) -> None:
        """See `ObjectStore.close`; lets the next process in. May be repeated."""
        self._history.close()
        with self._lock:
            self._stored.close()

    # --- inside --------------------------------------------------------------------------------------------------

    def _find(self, address: Address) -> Object | None:
        return self._scanner.secrets.get(address) or self._objects.get(address)

    def _write(
        self, address: Address, uid: str | None, version: str | None, change: Callable[[Object], Object]
    ) -> Object:
        with self._lock:
            stored = self._find(address)
            if stored is None:
                raise NotFound(f"{_shown(address)} does not exist", status=404)
            self._check_writable(address)
            writes.check_preconditions(stored, uid, version)
            with _naming(address):
                wanted = change(stored)
            if wanted == stored:
                return stored
            if writes.is_over(wanted):
                self._objects.remove(address, wanted)
                return wanted
            return self._objects.put(address, wanted)

    def _check_writable(self, address: Address) -> None:
        if address in self._scanner.secrets:
            raise Forbidden(f"{_shown(address)} stands in a document, and documents are only read", status=403)


def _address(kind: Kind, namespace: str | None, name: str) -> Address:
    """Where an object is stored; refuses names that are none before they become a path. Raises `Invalid`."""
    if kind.kind not in _STORED:
        raise NotFound(f"a directory holds no {kind.kind}", status=404)
    for problem in check_metadata({"name": name, "namespace": namespace}, namespaced=kind.namespaced):
        raise Invalid(f"{kind.kind}: {problem}", status=422)
    return writes.address_of(kind, namespace, name)


@contextmanager
def _naming(address: Address) -> Iterator[None]:
    """Say in a refusal which object it is about."""
    try:
        yield
    except Invalid as error:
        raise Invalid(f"{_shown(address)} is refused: {error}", status=422) from error


def _typed(kind: Kind, obj: Object) -> Object:
    return {**obj, "apiVersion": kind.api_version, "kind": kind.kind}


def _check_listable(kind: Kind) -> None:
    if kind == SECRET or kind.kind not in _STORED:
        raise Forbidden(f"{kind.plural} are not listed in a directory; read one by its name", status=403)


def _shown(address: Address) -> str:
    kind, namespace, name = address
    return f"{kind} {join_key(namespace, name)}"
