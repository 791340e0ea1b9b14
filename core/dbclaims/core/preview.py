"""The next passes over a snapshot, told and not made: one way for both homes."""

from __future__ import annotations

import random
from collections.abc import Iterable

import attrs
from prometheus_client import CollectorRegistry

from .clock import Clock
from .kinds import CLAIM, ROLE, SERVER
from .machine import Machine
from .metrics import Metrics
from .objectstore import Kind, Object, ObjectStore, key_of
from .plugins import Plugins
from .reconcile.lookup import INDEXES
from .reconcile.planning import Planned
from .spi import Installation

Key = tuple[Kind, str]

STRANGER = Installation("unknown", b"")
"""Who we are where no installation has begun yet: whatever carries a mark is somebody else's."""


class Preview:
    """A machine whose caches are filled once and whose queues nobody works off. Close it."""

    def __init__(self, store: ObjectStore, plugins: Plugins, installation: Installation, clock: Clock) -> None:
        metrics, rng = Metrics(CollectorRegistry()), random.Random()  # noqa: S311 -- nothing is spread here
        self._machine = Machine(store, plugins, installation, clock=clock, metrics=metrics, rng=rng)
        for informer in self._machine.informers:
            informer.replace(store.list(informer.kind).items, "1")

    def everything(self) -> list[Key]:
        """Every server and claim."""
        listers = {kind: self._machine.client.lister(kind) for kind in (SERVER, CLAIM)}
        return [(kind, key) for kind, lister in listers.items() for key in lister.keys()]

    def concerned(self, changes: Iterable[tuple[Kind, Object | None, Object]]) -> list[Key]:
        """The servers and claims that would be looked at after these changes."""
        return sorted({key for kind, old, new in changes for key in self._machine.routes.keys(kind, old, new)}, key=str)

    def plan(self, keys: Iterable[Key]) -> list[Planned]:
        """What the next pass over each would do, servers first. Raises `StoreError`."""
        wanted = list(dict.fromkeys(keys))
        return [each for kind, key in wanted if kind == CLAIM for each in self._machine.planner.claim(key)]

    def close(self) -> None:
        """Close every server's sessions."""
        self._machine.close()
