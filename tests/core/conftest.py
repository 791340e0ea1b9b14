"""The runtime's parts, wired to a fake API server and a clock that stands still."""

import random
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from dbclaims.core.informer import Informer
from dbclaims.core.kube.config import ClusterAccess
from dbclaims.core.kube.store import KubernetesStore
from dbclaims.core.kube.transport import Timeouts, Transport
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import Kind
from tests.clock import FakeClock

from .wire import Wire

CLAIM = Kind("dbclaims.io", "v1alpha1", "DatabaseClaim", "databaseclaims")
# Short, since a silent connection costs them in real time.
TIMEOUTS = Timeouts(connect=1.0, read=0.3, watch=0.3)


def claim(name: str, **metadata: object) -> dict[str, object]:
    """A claim as a client would send it."""
    return {
        "apiVersion": CLAIM.api_version,
        "kind": CLAIM.kind,
        "metadata": {"name": name, "namespace": "shop", **metadata},
        "spec": {"className": "shared"},
    }


@pytest.fixture
def wire() -> Iterator[Wire]:
    server = Wire()
    yield server
    server.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def rng() -> random.Random:
    return random.Random(7)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
def transport(wire: Wire, metrics: Metrics) -> Iterator[Transport]:
    made = Transport(lambda: ClusterAccess(wire.url), metrics=metrics, timeouts=TIMEOUTS)
    yield made
    made.close()


@pytest.fixture
def store(transport: Transport) -> KubernetesStore:
    return KubernetesStore(transport)


@pytest.fixture
def informer(store: KubernetesStore, clock: FakeClock, rng: random.Random, metrics: Metrics) -> Informer:
    indexers = {"class": lambda obj: [obj["spec"]["className"]]}
    return Informer(CLAIM, store, clock=clock, rng=rng, metrics=metrics, indexers=indexers)
