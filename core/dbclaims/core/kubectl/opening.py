"""The core's object store on a cluster that was found by the fast path."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
from prometheus_client import CollectorRegistry

from ..kube.access import Access
from ..kube.config import ClusterAccess
from ..kube.store import KubernetesStore
from ..kube.trace import Observer
from ..kube.transport import Timeouts, Transport
from ..metrics import Metrics
from .wire import AGENT

_ANY_TIME = 86_400.0


def opened(
    enter: Callable[[], Access | ClusterAccess],
    headers: Mapping[str, str],
    timeout: float,
    observe: Observer,
    *,
    dry_run: bool,
) -> KubernetesStore:
    """The store; `headers` go with each request, `timeout` is in seconds, 0 for any time.

    `enter` is called at once, and again after a 401. With `dry_run` the API server checks a write and stores nothing.
    """

    def load() -> ClusterAccess:
        door = enter()
        found = ClusterAccess(*door) if isinstance(door, Access) else door
        own = found.headers
        return attrs.evolve(found, headers=lambda: {**own(), **headers, "User-Agent": AGENT})

    timeouts = Timeouts(read=timeout or _ANY_TIME)
    transport = Transport(load, metrics=Metrics(CollectorRegistry()), timeouts=timeouts, observe=observe)
    return KubernetesStore(transport, dry_run=dry_run)
