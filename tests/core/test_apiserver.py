"""The store and a manager against a real API server: what the fake wire only imitates.

TLS, the list's pages, bookmarks' form, answers to deletes and refusals come from kube-apiserver itself.
"""

import random
import threading
import uuid
from collections.abc import Callable, Iterator

import pytest
from prometheus_client import CollectorRegistry

from dbclaims.core.client import CachedClient
from dbclaims.core.clock import StopSignal, SystemClock
from dbclaims.core.informer import Informer, Informers
from dbclaims.core.kube.config import access_loader
from dbclaims.core.kube.store import KubernetesStore
from dbclaims.core.kube.transport import USER_AGENT, Transport
from dbclaims.core.leader import Elector
from dbclaims.core.manager import Manager
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import AlreadyExists, Conflict, Expired, Forbidden, Invalid, Kind, NotFound, Object
from dbclaims.core.recorder import EVENT, Recorder
from tests.controlplane.cluster import ControlPlane

from .test_manager import until

CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps")
NAMESPACE = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
CLAIM = Kind("dbclaims.io", "v1alpha1", "NotInstalled", "notinstalled")


def store_of(cluster: ControlPlane, user: str = "admin") -> KubernetesStore:
    load = access_loader(str(cluster.kubeconfig(user)))
    return KubernetesStore(Transport(load, metrics=Metrics(CollectorRegistry())))


@pytest.fixture
def store(cluster: ControlPlane) -> Iterator[KubernetesStore]:
    made = store_of(cluster)
    yield made
    made.close()


@pytest.fixture
def namespace(store: KubernetesStore) -> str:
    name = f"runtime-{uuid.uuid4().hex[:8]}"
    store.create(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


def config_map(namespace: str, name: str, **metadata: object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "data": {"k": "v"},
    }


def test_an_objects_life(store: KubernetesStore, namespace: str) -> None:
    assert store.get(CONFIG_MAP, namespace, "a") is None
    created = store.create(CONFIG_MAP, config_map(namespace, "a"))
    with pytest.raises(AlreadyExists):
        store.create(CONFIG_MAP, config_map(namespace, "a"))
    version = created["metadata"]["resourceVersion"]
    patched = store.patch(CONFIG_MAP, namespace, "a", {"data": {"k": "w"}}, resource_version=version)
    stale_writes: list[Callable[[], object]] = [
        lambda: store.patch(CONFIG_MAP, namespace, "a", {"data": {"k": "x"}}, resource_version=version),
        lambda: store.replace(CONFIG_MAP, created),
        lambda: store.delete(CONFIG_MAP, namespace, "a", uid="another"),
        lambda: store.delete(CONFIG_MAP, namespace, "a", resource_version=version),
    ]
    for write in stale_writes:
        with pytest.raises(Conflict):
            write()
    assert store.get(CONFIG_MAP, namespace, "a") == patched
    for _ in range(2):
        assert store.delete(CONFIG_MAP, namespace, "a", uid=created["metadata"]["uid"]) is None
    assert store.get(CONFIG_MAP, namespace, "a") is None


def test_a_finalizer_holds_what_is_deleted_until_it_is_removed(store: KubernetesStore, namespace: str) -> None:
    store.create(CONFIG_MAP, config_map(namespace, "held", finalizers=["dbclaims.io/test"]))
    left = store.delete(CONFIG_MAP, namespace, "held")
    assert left is not None
    assert left["metadata"]["deletionTimestamp"]
    store.patch(CONFIG_MAP, namespace, "held", {"metadata": {"finalizers": None}})
    assert store.get(CONFIG_MAP, namespace, "held") is None


def test_a_kind_that_is_not_installed_is_an_error_and_never_absence(store: KubernetesStore, namespace: str) -> None:
    with pytest.raises(NotFound):
        store.get(CLAIM, namespace, "orders")
    with pytest.raises(NotFound):
        store.delete(CLAIM, namespace, "orders")
    with pytest.raises(NotFound):
        store.list(CLAIM)


def test_a_bad_object_is_invalid_and_a_missing_right_forbidden(
    cluster: ControlPlane, store: KubernetesStore, namespace: str
) -> None:
    with pytest.raises(Invalid):
        store.create(CONFIG_MAP, config_map(namespace, "Not A Name"))
    with pytest.raises(Forbidden):
        store_of(cluster, "developer").get(CONFIG_MAP, namespace, "a")


def test_a_list_is_paged(store: KubernetesStore, namespace: str) -> None:
    for number in range(5):
        store.create(CONFIG_MAP, config_map(namespace, f"c{number}"))
    first = store.list(CONFIG_MAP, namespace=namespace, limit=3)
    rest = store.list(CONFIG_MAP, namespace=namespace, limit=500, continue_=first.continue_)
    names = [b'"name":"c%d"' % number for number in range(5)]
    assert all(any(name in item for item in [*first.items, *rest.items]) for name in names)
    assert len(first.items) == 3
    assert first.resource_version == rest.resource_version


def test_a_version_from_the_future_has_expired(store: KubernetesStore) -> None:
    with pytest.raises(Expired):
        store.list(CONFIG_MAP, resource_version="999999999")


def test_our_user_agent_stands_in_the_audit_log(cluster: ControlPlane, store: KubernetesStore, namespace: str) -> None:
    position = cluster.audit_position()
    store.get(CONFIG_MAP, namespace, "looked-for")
    mine = [event for event in cluster.audit_since(position) if event.name == "looked-for"]
    assert [event.user_agent for event in mine] == [USER_AGENT]


def test_an_event_is_accepted(store: KubernetesStore, namespace: str) -> None:
    about = store.create(CONFIG_MAP, config_map(namespace, "about"))
    recorder = Recorder(
        store, controller="dbclaims.io/controller", instance="t", clock=SystemClock(), rng=random.Random()
    )
    recorder.record(about, reason="Available", note="it is", action="Publish")
    assert len(store.list(EVENT, namespace=namespace).items) == 1


def test_a_manager_follows_leads_and_stops(store: KubernetesStore, cluster: ControlPlane, namespace: str) -> None:
    clock, metrics, rng = SystemClock(), Metrics(CollectorRegistry()), random.Random()
    informer = Informer(CONFIG_MAP, store, clock=clock, rng=rng, metrics=metrics)
    client = CachedClient(store, Informers([informer]))
    elector = Elector(
        store_of(cluster),
        namespace=namespace,
        name="controller",
        identity="test",
        clock=clock,
        rng=rng,
        metrics=metrics,
        on_lost=lambda: None,
    )
    stop, told = StopSignal(clock), list[str]()
    informer.add_handler(lambda old, new: told.append((new or old or {})["metadata"]["name"]))
    informer.add_handler(lambda old, new: stop.set() if old and not new and told[-1] == "ours" else None)
    store.create(CONFIG_MAP, config_map(namespace, "before"))

    manager = Manager(store=store, informers=Informers([informer]), controllers=[], clock=clock, elector=elector)
    thread = threading.Thread(target=lambda: manager.run(stop), daemon=True)
    thread.start()
    until(lambda: informer.has_synced() and elector.is_leader())
    assert "before" in told
    created = client.create(CONFIG_MAP, config_map(namespace, "ours"))
    assert client.lister(CONFIG_MAP).get(f"{namespace}/ours")
    cluster.request("DELETE", f"/api/v1/namespaces/{namespace}/configmaps/ours", user="admin")
    thread.join(20)
    assert not thread.is_alive()
    assert created["metadata"]["uid"]
