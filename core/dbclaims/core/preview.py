"""The next passes over a snapshot, told and not made: one way for both homes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing

from prometheus_client import CollectorRegistry

from .api import IDENTITY_SECRET
from .clock import Clock
from .installation import InstallationError, identified, known_installation
from .kinds import CLAIM, SECRET, SERVER
from .local import propose
from .machine import Machine
from .metrics import Metrics
from .objectstore import Kind, Object, ObjectStore
from .outlook import Outlook
from .plugins import Plugins
from .reconcile.planning import Planned
from .snapshot import Snapshot
from .spi import Installation
from .store import Lister, version_of

Key = tuple[Kind, str]

STRANGER = Installation("unknown", b"")
"""Who we are where no installation has begun yet: whatever carries a mark is somebody else's."""


class Preview:
    """A machine whose caches are filled once and whose queues nobody works off. Close it."""

    def __init__(self, store: ObjectStore, plugins: Plugins, installation: Installation, clock: Clock) -> None:
        metrics, rng = Metrics(CollectorRegistry()), random.Random()  # noqa: S311 -- nothing is spread here
        self._machine = Machine(store, plugins, installation, clock=clock, metrics=metrics, rng=rng)
        for informer in self._machine.informers:
            for part in informer.parts:
                part.replace(store.list(informer.kind).items, "1")

    def everything(self) -> list[Key]:
        """Every server and claim."""
        return [(kind, key) for kind in (SERVER, CLAIM) for key in self._lister(kind).keys()]  # noqa: SIM118

    def concerned(self, changes: Iterable[tuple[Kind, Object | None, Object]]) -> list[Key]:
        """What would be looked at after these changes."""
        return [key for kind, old, new in changes for key in sorted(self._machine.routes.keys(kind, old, new), key=str)]

    def plan(self, keys: Iterable[Key]) -> list[Planned]:
        """What the next pass over each server and claim would do, servers first. Raises `StoreError`."""
        wanted = list(dict.fromkeys(keys))
        servers = {key: self._server(key) for key in self._servers(wanted)}
        shown = [each for key, found in servers.items() if (SERVER, key) in wanted for each in found]
        return [*shown, *(each for kind, key in wanted if kind == CLAIM for each in self._machine.planner.claim(key))]

    def close(self) -> None:
        """Close every server's sessions."""
        self._machine.close()

    def _servers(self, wanted: list[Key]) -> list[str]:
        """The servers that were asked for, and those that the claims are on."""
        asked = [key for kind, key in wanted if kind == SERVER]
        used = [self._machine.server_of(key) for kind, key in wanted if kind == CLAIM]
        return list(dict.fromkeys([*asked, *filter(None, used)]))

    def _server(self, key: str) -> list[Planned]:
        """Plan a server, and take it for looked at, so that the claims on it can be planned."""
        planned, identity = self._machine.planner.server(key)
        document, informer = self._lister(SERVER).get(key), self._machine.informers.get(SERVER)
        if document is not None and informer is not None and identity:
            metadata = {**document["metadata"], "resourceVersion": str(version_of(document) + 1)}
            status = {**(document.get("status") or {}), "identity": identity, "conditions": []}
            informer.wrote({**document, "metadata": metadata, "status": status})
        return planned

    def _lister(self, kind: Kind) -> Lister:
        return self._machine.client.lister(kind)


def outlook(
    standing: Snapshot,
    files: Sequence[str],
    *,
    plugins: Plugins,
    namespace: str,
    clock: Clock,
    wanted: Callable[[Key], bool] = lambda _: True,
    make_namespaces: bool = False,
) -> Outlook:
    """What the next passes would do: over everything that is wanted, or with files over all that they concern.

    Args:
        namespace: of the Secret that says who we are.
        make_namespaces: see `propose`.

    Raises `StoreError`, `InstallationError` and `DirectoryUnreadable`.
    """
    proposal = propose(standing.objects, files, clock.now(), make_namespaces=make_namespaces)

    def secret(place: str, name: str) -> Object | None:
        return proposal.secrets.get((SECRET.kind, place, name)) or standing.secret(place, name)

    store = Snapshot(proposal.objects, secret)
    with closing(Preview(store, plugins, _installation(store, namespace), clock)) as preview:
        keys = preview.concerned(proposal.changes) if files else filter(wanted, preview.everything())
        return Outlook(preview.plan(keys), [str(problem) for problem in proposal.problems])


def _installation(store: Snapshot, namespace: str) -> Installation:
    """Who we are: the one that is kept; before the first start, a stranger."""
    known = known_installation(store, namespace)
    if known is None and (looked_at := identified(store)):
        raise InstallationError(
            f"namespace {namespace} holds no Secret {IDENTITY_SECRET}, and some controller has looked at "
            f"{looked_at[0]}; name the namespace that it runs in"
        )
    return known or STRANGER
