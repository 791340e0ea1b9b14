"""A plan of a world, made as a person makes one: from the API server and the database server, with reads alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from prometheus_client import CollectorRegistry

from dbclaims.core import plugins
from dbclaims.core.kinds import SECRET
from dbclaims.core.kube.config import access_loader
from dbclaims.core.kube.store import KubernetesStore
from dbclaims.core.kube.transport import Transport
from dbclaims.core.metrics import Metrics
from dbclaims.core.outlook import Outlook
from dbclaims.core.preview import outlook
from dbclaims.core.snapshot import Snapshot, watched

from .world import World


def planned(world: World, *files: object) -> Outlook:
    """What the next passes over the world's own namespaces would do."""
    system = world.named("platform")
    load = access_loader(str(world.cluster.kubeconfig()))
    with closing(KubernetesStore(Transport(load, metrics=Metrics(CollectorRegistry())))) as store:
        return outlook(
            Snapshot(watched(store), lambda namespace, name: store.get(SECRET, namespace, name)),
            [str(file) for file in files],
            plugins=plugins.load(),
            namespace=system,
            clock=world.clock,
            wanted=lambda key: world.tag in key[1],
        )


def identify(world: World) -> None:
    """Keep the world's installation where a person's plan finds it."""
    key = {"lock-key": world.installation.lock_key.hex()}
    world.put_secret("dbclaims-identity", "platform", id=world.installation.id, **key)


def actions(found: Outlook, key: str = "") -> Sequence[str]:
    """The steps of every object, or of those whose key ends so."""
    return [step.action for each in found.planned if each.key.endswith(key) for step in each.steps]
