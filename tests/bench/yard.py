"""The ground on which all contenders run: a real API server, a fresh PostgreSQL for each run, and claims to serve."""

from __future__ import annotations

import base64
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import quantiles
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
from attrs import field, frozen
from prometheus_client import CollectorRegistry

from dbclaims.core.api import crds
from dbclaims.core.kinds import CLAIM, CLASS, NAMESPACE, SECRET, SERVER
from dbclaims.core.kube.config import access_loader
from dbclaims.core.kube.store import KubernetesStore
from dbclaims.core.kube.transport import Transport
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import AlreadyExists, Kind, NotFound, Object, StoreError

from ..controlplane.cluster import ControlPlane
from ..servers.installation import installation
from ..servers.postgres import Account, PostgresServer

T = TypeVar("T")

PLATFORM = "platform"
CONTROLLER = "dbclaims-system"
CANARY = "canary"
PATIENCE = 600.0
"""Seconds until a run is given up."""

_CRD = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
_QUIET = {"log_statement": "none", "log_connections": "off", "shared_buffers": "128MB"}
_WRITERS = 4


@frozen
class Place:
    """One run's own surroundings: a namespace, a class and a server object of the same name, and a real server."""

    name: str
    server: PostgresServer
    admin: Account


@frozen
class Timing:
    """When the claims of one run were Ready.

    Attributes:
        wall: seconds from the first POST to the last Ready.
        waits: of each claim, seconds from the answer to its own POST until it was Ready.
        verdicts: of each claim that is never to be Ready, seconds until it was judged at all.
    """

    wall: float
    waits: Sequence[float] = field(repr=False)
    verdicts: Sequence[float] = field(repr=False)

    def percentile(self, percent: int) -> float:
        """Of the waits."""
        return percentile(self.waits, percent)


def percentile(values: Sequence[float], percent: int) -> float:
    """A percentile of values that were all seen."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def store_of(kubeconfig: str) -> KubernetesStore:
    """The object store that all contenders in Python share but kopf."""
    return KubernetesStore(Transport(access_loader(kubeconfig), metrics=Metrics(CollectorRegistry())))


class Yard:
    """The API server with our CRDs, and whatever a run needs on it."""

    def __init__(self, cluster: ControlPlane) -> None:
        self.kubeconfig = str(cluster.kubeconfig())
        self.account = cluster.ca_file.parent / "account"
        self.pod_environment = self._pod(cluster)
        self.store = store_of(self.kubeconfig)
        self._numbers = itertools.count()
        for crd in crds():
            self._make(_CRD, crd)
        until(self._served)
        for name in (PLATFORM, CONTROLLER):
            self._make(NAMESPACE, {"metadata": {"name": name}})

    @contextmanager
    def place(self, settings: Mapping[str, str] | None = None) -> Iterator[Place]:
        """A fresh namespace, class and server; at the end every object of it is gone."""
        name = f"bench-{next(self._numbers)}"
        with PostgresServer(installation(17), durable=True, settings=settings or _QUIET) as server:
            place = Place(name, server, server.create_admin())
            self.offer(name, server.host, server.port, place.admin, server.ca_file.read_text())
            self._make(NAMESPACE, {"metadata": {"name": name}})
            try:
                yield place
            finally:
                self.clear(name)

    def offer(self, name: str, host: str, port: int, admin: Account, authority: str) -> None:
        """Make the objects that a platform team makes: Secrets, DatabaseServer, DatabaseClass."""
        self._make(SECRET, secret(f"{name}-admin", {"username": admin.username, "password": admin.password}))
        self._make(SECRET, secret(f"{name}-ca", {"ca.crt": authority}))
        tls = {"mode": "verify-full", "caSecretRef": {"name": f"{name}-ca"}}
        config = {"host": host, "port": port, "adminSecretRef": {"name": f"{name}-admin"}, "tls": tls}
        server = {"provider": "existing", "engine": "postgres", "config": config}
        self._make(SERVER, {"metadata": {"name": name, "namespace": PLATFORM}, "spec": server})
        class_ = {"serverRef": {"name": name, "namespace": PLATFORM}, "connectionLimit": 50}
        self._make(CLASS, {"metadata": {"name": name}, "spec": class_})

    def claims_to_ready(self, place: Place, names: Sequence[str], hopeless: Sequence[str] = ()) -> Timing:
        """Post claims, and wait until all are Ready.

        The `hopeless` ones ask for the class `<place>-dead`; they come first and are waited for until they are judged.
        """
        posted: dict[str, float] = {}

        def post(name: str) -> None:
            class_name = f"{place.name}-dead" if name in hopeless else place.name
            spec = {"className": class_name, "databaseName": name, "schemas": ["app"], "secretName": f"{name}-db"}
            self._make(CLAIM, {"metadata": {"name": name, "namespace": place.name}, "spec": spec})
            posted[name] = time.monotonic()

        with _Watcher(self.store, place.name, {*names}, {*hopeless}) as watcher:
            with ThreadPoolExecutor(_WRITERS) as writers:
                list(writers.map(post, [*hopeless, *names]))
            watcher.wait()
        ready, judged = watcher.ready, watcher.judged
        waits = [ready[name] - posted[name] for name in names]
        verdicts = [judged[name] - posted[name] for name in hopeless]
        return Timing(max(ready.values()) - min(posted.values()), waits, verdicts)

    def canary(self, place: Place) -> None:
        """Have one claim served, after which a contender surely watches and is warm."""
        self.claims_to_ready(place, [CANARY])

    def server_is_ready(self, name: str) -> bool:
        """Whether a DatabaseServer says so."""
        return is_ready(self.store.get(SERVER, PLATFORM, name) or {})

    def clear(self, namespace: str) -> None:
        """Remove a place's objects, whoever holds them."""
        with ThreadPoolExecutor(_WRITERS) as writers:
            names = [name for name, _ in self.listed(CLAIM, namespace)]
            list(writers.map(lambda name: self._remove(CLAIM, namespace, name), names))
        for name in (namespace, f"{namespace}-dead"):
            self._remove(CLASS, None, name)
            self._remove(SERVER, PLATFORM, name)
        self._remove(NAMESPACE, None, namespace)

    def listed(self, kind: Kind, namespace: str | None = None) -> Iterator[tuple[str, Object]]:
        """Every object of a kind by name."""
        page = self.store.list(kind, namespace=namespace)
        while True:
            for item in page.items:
                obj = orjson.loads(item)
                yield obj["metadata"]["name"], obj
            if not page.continue_:
                return
            page = self.store.list(kind, namespace=namespace, continue_=page.continue_)

    def _make(self, kind: Kind, obj: Object) -> None:
        try:
            self.store.create(kind, {"apiVersion": kind.api_version, "kind": kind.kind, **obj})
        except AlreadyExists:
            return

    def _remove(self, kind: Kind, namespace: str | None, name: str) -> None:
        try:
            if kind != NAMESPACE:
                self.store.patch(kind, namespace, name, {"metadata": {"finalizers": None}})
            self.store.delete(kind, namespace, name)
        except NotFound:
            return

    def _pod(self, cluster: ControlPlane) -> Mapping[str, str]:
        """Write what a pod finds of its cluster."""
        self.account.mkdir(mode=0o700, exist_ok=True)
        (self.account / "token").write_text(cluster.token())
        (self.account / "ca.crt").write_bytes(cluster.ca_file.read_bytes())
        address = urlsplit(cluster.url)
        service = {"KUBERNETES_SERVICE_HOST": str(address.hostname), "KUBERNETES_SERVICE_PORT": str(address.port)}
        # As the chart's container has it.
        return {**service, "MALLOC_ARENA_MAX": "2"}

    def _served(self) -> bool:
        try:
            self.store.list(CLAIM, limit=1)
        except StoreError:
            return False
        return True


class _Watcher:
    """Notes when each claim of a namespace is Ready for the first time, and when a hopeless one is first judged."""

    def __init__(self, store: KubernetesStore, namespace: str, names: set[str], hopeless: set[str]) -> None:
        self.ready: dict[str, float] = {}
        self.judged: dict[str, float] = {}
        self._store, self._namespace, self._names, self._hopeless = store, namespace, names, hopeless
        self._version = store.list(CLAIM, namespace=namespace, limit=1).resource_version
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(1.0)

    def wait(self) -> None:
        """Raises TimeoutError, with names of claims that never became Ready."""
        if not self._done.wait(PATIENCE):
            missing = sorted((self._names - self.ready.keys()) | (self._hopeless - self.judged.keys()))
            raise TimeoutError(f"never Ready, or judged: {missing[:5]} and {len(missing)} in all")

    def _watch(self) -> None:
        with self._store.watch(
            CLAIM, namespace=self._namespace, resource_version=self._version, timeout_seconds=PATIENCE
        ) as events:
            for event in events:
                if event.type != "BOOKMARK":
                    self._note(orjson.loads(event.object))
                if self._names <= self.ready.keys() and self._hopeless <= self.judged.keys():
                    self._done.set()
                    return

    def _note(self, claim: Object) -> None:
        name, now = claim["metadata"]["name"], time.monotonic()
        if name in self._names and is_ready(claim):
            self.ready.setdefault(name, now)
        if name in self._hopeless and (claim.get("status") or {}).get("observedGeneration") == 1:
            self.judged.setdefault(name, now)


def is_ready(document: Object) -> bool:
    """Whether its Ready condition says True."""
    conditions = (document.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def secret(name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """A Secret of the platform team."""
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"metadata": {"name": name, "namespace": PLATFORM}, "type": "Opaque", "data": data}


def until(condition: Callable[[], T], seconds: float = 60.0) -> T:
    """Wait for a condition and return what it said; raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise TimeoutError("it did not come true")
