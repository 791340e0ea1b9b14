"""What happened to the objects, for watches: the newest events in memory, and whoever waits for the next."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator

import orjson
from attrs import frozen

from ..clock import Clock
from ..objectstore import Expired, Kind, Unreachable, WatchEvent

_KEPT = 10_000
BOOKMARK_SECONDS = 60.0
"""A silent watch says so often that it lives; an API server does so about once a minute."""


@frozen
class _Entry:
    version: int
    kind: str
    namespace: str
    event: WatchEvent


class History:
    """The newest events, in order. Threads may share it."""

    def __init__(self, clock: Clock, version: int) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._entries: deque[_Entry] = deque(maxlen=_KEPT)
        self._version = version
        # Everything up to this version is no longer known.
        self._forgotten = version
        self._closed = False

    def add(self, type_: str, kind: str, namespace: str, version: int, body: bytes) -> None:
        """Tell every watch of one event."""
        with self._changed:
            if len(self._entries) == _KEPT:
                self._forgotten = self._entries[0].version
            self._entries.append(_Entry(version, kind, namespace, WatchEvent(type_, body)))
            self._version = version
            self._changed.notify_all()

    def close(self) -> None:
        """End every watch."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def watch(self, kind: Kind, namespace: str | None, version: int, seconds: float) -> Iterator[WatchEvent]:
        """Everything of a kind after `version`, for so many seconds; raises `Expired` where that is not known."""
        if self._closed:
            raise Unreachable("the local store is closed")
        end = self._clock.monotonic() + seconds
        while not self._closed and (left := end - self._clock.monotonic()) > 0:
            entries, version = self._after(version, min(left, BOOKMARK_SECONDS))
            yield from (entry.event for entry in entries if _fits(entry, kind, namespace))
            if not entries and not self._closed:
                yield _bookmark(kind, version)

    def _after(self, version: int, seconds: float) -> tuple[list[_Entry], int]:
        """What came after `version`, and up to which version that is; waits for it at most so many seconds."""
        deadline = self._clock.monotonic() + seconds
        with self._changed:
            while self._version <= version and not self._closed:
                left = deadline - self._clock.monotonic()
                if left <= 0:
                    break
                self._clock.wait(self._changed, left)
            if version < self._forgotten:
                raise Expired(f"the events after version {version} are no longer known; list again", status=410)
            return [entry for entry in self._entries if entry.version > version], max(self._version, version)


def _fits(entry: _Entry, kind: Kind, namespace: str | None) -> bool:
    return entry.kind == kind.kind and namespace in (None, entry.namespace)


def _bookmark(kind: Kind, version: int) -> WatchEvent:
    body = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"resourceVersion": str(version)}}
    return WatchEvent("BOOKMARK", orjson.dumps(body))
