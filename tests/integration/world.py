"""A world: namespaces, a server with its class, and a controller process that a test steps.

Names that a test gives (`shop`, `platform`) get the world's tag, so that worlds share an API server and a PostgreSQL.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg
from prometheus_client import CollectorRegistry
from psycopg.conninfo import make_conninfo

from dbclaims.core.diagnosis import Scope
from dbclaims.core.kinds import CLAIM, CLASS, GRANT, NAMESPACE, ROLE, SECRET, SERVER
from dbclaims.core.kube.config import access_loader
from dbclaims.core.kube.store import KubernetesStore
from dbclaims.core.kube.transport import Transport
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import Kind, Object
from dbclaims.core.spi import Installation
from tests.api.kstatus import kstatus
from tests.clock import FakeClock
from tests.controlplane.audit import AuditEvent
from tests.controlplane.cluster import ControlPlane
from tests.core.test_manager import until
from tests.servers.postgres import Account as Login
from tests.servers.postgres import PostgresServer

from .account import Account
from .chronicle import Chronicle
from .process import Process

NAMESPACES = ("platform", "shop", "bi")
OURS = (CLAIM, ROLE, GRANT, CLASS, SERVER)
ROTATION = {"interval": "0s", "grace": "10m", "maxOverlap": "24h"}


class World:
    """What one test lives in.

    Args:
        account: what the controller acts as; None makes one with rights in this world's namespaces alone.

    Attributes:
        account: what the controller acts as.
        postgres: the server behind the DatabaseServer `shared`.
        admin: its admin's login.
        process: the controller that runs now.
    """

    def __init__(
        self,
        cluster: ControlPlane,
        postgres: PostgresServer,
        *,
        shared: bool,
        account: Account | None = None,
        controller_class: str = "",
        tag: str | None = None,
        allow: Collection[str] = (),
    ) -> None:
        self.cluster, self.postgres, self.controller_class = cluster, postgres, controller_class
        self._shared, self._allow = shared, allow
        self.tag = secrets.token_hex(3) if tag is None else tag
        self.clock = FakeClock(datetime.now(UTC))
        self.chronicle = Chronicle()
        self.installation = Installation(f"i{self.tag}0", secrets.token_bytes(32))
        self.admin = postgres.create_admin(f"admin_{self.tag}")
        for name in NAMESPACES if self.tag or account is None else ():
            self.namespace(name)
        self.account = account or Account(cluster, Scope(self.named("platform"), [*map(self.named, NAMESPACES)]))
        self._began, self._ended = cluster.audit_position(), set[str]()
        self.process = self._process()

    # --- the controller ----------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let the controller do everything that is to be done now."""
        self.process.settle()

    def pass_time(self, seconds: float, steps: int = 1) -> None:
        """Let time pass in equal steps, and the controller work after each."""
        for _ in range(steps):
            self.clock.advance(seconds / steps)
            self.settle()

    def restart(self) -> None:
        """End the process without a word, and start the next one."""
        self.process.stop()
        self.process = self._process()

    def end_namespace(self, name: str) -> None:
        """Delete a namespace with all that is in it, while the controller works."""
        if self.account.is_confined:
            # The roles go with it, in no order, and with them the right to let go: so what is held goes first.
            self._let_go(name)
        self.delete_namespace(name)

        def gone() -> bool:
            self.settle()
            return not self.has_namespace(name)

        until(gone, 60)

    def delete_namespace(self, name: str) -> None:
        """Ask for a namespace's end, and wait for nothing."""
        if self.account.is_confined:
            self._ended.add(self.named(name))
        self.cluster.request("DELETE", _path(NAMESPACE, None, self.named(name)))

    def has_namespace(self, name: str) -> bool:
        """Whether a namespace is there, be it on its way out."""
        return self.cluster.request("GET", _path(NAMESPACE, None, self.named(name)))[0] == 200

    def remake_namespace(self, name: str) -> None:
        """Delete a namespace with all that is in it, and make one of the same name."""
        self.end_namespace(name)
        made = self.namespace(name)
        if self.account.is_confined:
            self.account.grant()
        self._seen(NAMESPACE, made)

    def refusals(self) -> list[AuditEvent]:
        """The controller's requests that its rights did not allow, but for those in a namespace that was ended."""
        asked = self.account.asked(self._began)
        return [each for each in asked if each.is_refused and each.namespace not in self._ended]

    # --- objects -----------------------------------------------------------------------------------------------

    def named(self, name: str) -> str:
        """A name of this world's own."""
        return f"{name}-{self.tag}" if self.tag else name

    def namespace(self, name: str) -> Object:
        """Make a namespace."""
        metadata = {"name": self.named(name)}
        return self._request(
            "POST", NAMESPACE, None, None, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        )

    def label_namespace(self, name: str, **labels: str) -> None:
        """Set labels of a namespace, and let the caches see it."""
        self._seen(
            NAMESPACE, self._request("PATCH", NAMESPACE, None, self.named(name), {"metadata": {"labels": labels}})
        )

    def create(self, kind: Kind, name: str, spec: Mapping[str, Any], ns: str = "shop", **metadata: Any) -> Object:
        """Create an object of ours, and let the caches see it."""
        place = {} if kind == CLASS else {"namespace": self.named(ns)}
        document = {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "metadata": {"name": name, **place, **metadata},
            "spec": spec,
        }
        return self._seen(kind, self._request("POST", kind, self._place(kind, ns), None, document))

    def patch(self, kind: Kind, name: str, patch: Mapping[str, Any], ns: str = "shop") -> Object:
        """Edit an object with a merge patch, and let the caches see it."""
        return self._seen(kind, self._request("PATCH", kind, self._place(kind, ns), name, patch))

    def edit(self, kind: Kind, name: str, ns: str = "shop", **spec: Any) -> Object:
        """Edit fields of an object's spec; None clears one."""
        return self.patch(kind, name, {"spec": spec}, ns)

    def annotate(self, kind: Kind, name: str, ns: str = "shop", **annotations: str | None) -> Object:
        """Set annotations below `dbclaims.io/`; None removes one."""
        ours = {f"dbclaims.io/{key}": value for key, value in annotations.items()}
        return self.patch(kind, name, {"metadata": {"annotations": ours}}, ns)

    def patch_status(self, kind: Kind, name: str, status: Mapping[str, Any], ns: str = "shop") -> None:
        """Change an object's status behind the controller's back, and let the caches see it."""
        path = f"{name}/status"
        self._seen(kind, self._request("PATCH", kind, self._place(kind, ns), path, {"status": status}))

    def delete(self, kind: Kind, name: str, ns: str = "shop") -> None:
        """Delete an object, and let the caches see it."""
        place = self._place(kind, ns)
        answer = self._request("DELETE", kind, place, name)
        version = int(answer.get("metadata", {}).get("resourceVersion") or 0)

        def seen() -> bool:
            told = self.process.told(kind, place, name)
            return told is None or int(told["metadata"]["resourceVersion"]) >= version > 0

        if kind != SECRET:
            until(seen)

    def crash_delete(self, kind: Kind, name: str, ns: str = "shop") -> None:
        """Take an object away without its controller: what an etcd that was restored does not hold."""
        self.patch(kind, name, {"metadata": {"finalizers": None}}, ns)
        self.delete(kind, name, ns)

    def find(self, kind: Kind, name: str, ns: str = "shop") -> Object | None:
        """An object as the API server has it; None when there is none."""
        status, answer = self.cluster.request("GET", _path(kind, self._place(kind, ns), name))
        assert status in (200, 404), answer
        return dict(answer) if status == 200 else None

    def get(self, kind: Kind, name: str, ns: str = "shop") -> Object:
        """An object that is there."""
        found = self.find(kind, name, ns)
        assert found is not None, f"no {kind.kind} {name}"
        return found

    def refusal(self, method: str, kind: Kind, name: str | None, body: Mapping[str, Any], ns: str = "shop") -> str:
        """The API server's words about a request that it refuses."""
        status, answer = self.cluster.request(
            method, _path(kind, self._place(kind, ns), name), body, kind="json" if name is None else "merge-patch+json"
        )
        assert status == 422, answer
        return str(answer["message"])

    # --- Secrets -----------------------------------------------------------------------------------------------

    def put_secret(self, name: str, ns: str = "platform", type_: str = "Opaque", **data: str) -> None:
        """Create a Secret, or replace its data."""
        document = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": self.named(ns)},
            "type": type_,
            "stringData": data,
        }
        if self.find(SECRET, name, ns) is not None:
            self._request("DELETE", SECRET, self.named(ns), name)
        self._request("POST", SECRET, self.named(ns), None, document)

    def secret(self, name: str = "orders", ns: str = "shop") -> dict[str, str]:
        """A Secret's data as text."""
        data = self.get(SECRET, name, ns).get("data") or {}
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def restore_secret(self, backup: Object) -> None:
        """Put a Secret back as a backup holds it."""
        meta = {key: backup["metadata"].get(key) for key in ("labels", "annotations")}
        self.patch(SECRET, backup["metadata"]["name"], {"data": backup["data"], "metadata": meta})

    # --- the usual inhabitants ---------------------------------------------------------------------------------

    def offer(self, config: Mapping[str, Any] | None = None, **class_spec: Any) -> None:
        """A server with its Secrets, and a class that offers it."""
        self.put_secret("shared-admin", username=self.admin.username, password=self.admin.password)
        self.put_secret("shared-ca", **{"ca.crt": self.postgres.ca_file.read_text()})
        self.create(SERVER, "shared", self.server_spec(**(config or {})), "platform")
        self.offer_class(**class_spec)

    def offer_class(self, **class_spec: Any) -> None:
        """The class alone."""
        self.create(CLASS, self.named("shared"), self.class_spec(**class_spec))

    def server_spec(self, **config: Any) -> dict[str, Any]:
        """The spec of a DatabaseServer for this world's PostgreSQL."""
        usual = {
            "host": self.postgres.host,
            "port": self.postgres.port,
            "adminSecretRef": {"name": "shared-admin"},
            "tls": {"mode": "verify-full", "caSecretRef": {"name": "shared-ca", "key": "ca.crt"}},
        }
        return {"provider": "existing", "engine": "postgres", "config": {**usual, **config}}

    def class_spec(self, **spec: Any) -> dict[str, Any]:
        """The spec of a class that offers the server."""
        reference = {"name": "shared", "namespace": self.named("platform")}
        usual = {"serverRef": reference, "rotation": ROTATION, "allowedExtensions": ["pgcrypto"]}
        return {**usual, "controllerClass": self.controller_class, **spec}

    def claim(self, name: str = "orders", ns: str = "shop", annotations: Any = None, **spec: Any) -> Object:
        """Create a claim of the class."""
        metadata = {"annotations": annotations} if annotations else {}
        return self.create(CLAIM, name, {"className": self.named("shared"), **spec}, ns, **metadata)

    def role(self, name: str = "reports", ns: str = "bi", claim: str = "orders", **spec: Any) -> Object:
        """Create a RoleClaim on a claim of the namespace `shop`."""
        reference = {"name": claim, "namespace": self.named("shop")}
        wish = {} if "schemas" in spec else {"access": "reader"}
        return self.create(ROLE, name, {"claimRef": reference, **wish, **spec}, ns)

    def grant(self, name: str = "bi-may-read", to: str = "bi", **spec: Any) -> Object:
        """Create a ClaimGrant in the namespace `shop`."""
        return self.create(GRANT, name, {"from": [{"namespace": self.named(to)}], **spec})

    # --- what is seen ------------------------------------------------------------------------------------------

    def says(self, type_: str, name: str = "orders", kind: Kind = CLAIM, ns: str = "shop") -> dict[str, Any]:
        """A condition of an object; empty where it does not stand."""
        held = self.get(kind, name, ns).get("status", {}).get("conditions", ())
        return next((dict(each) for each in held if each["type"] == type_), {})

    def expect(
        self, type_: str, reason: str, *words: str, name: str = "orders", kind: Kind = CLAIM, ns: str = "shop"
    ) -> None:
        """Assert a condition's reason, and that its sentence holds these words."""
        condition = self.says(type_, name, kind, ns)
        assert condition.get("reason") == reason, condition or self.verdicts(name, kind, ns)
        assert all(word in condition["message"] for word in words), condition["message"]

    def verdicts(self, name: str = "orders", kind: Kind = CLAIM, ns: str = "shop") -> dict[str, str]:
        """Every condition's status."""
        return {each["type"]: each["status"] for each in self.get(kind, name, ns)["status"]["conditions"]}

    def is_current(self, name: str = "orders", kind: Kind = CLAIM, ns: str = "shop") -> bool:
        """Whether kstatus calls the object current."""
        return kstatus(self.get(kind, name, ns)) == "Current"

    @contextmanager
    def login(self, secret: Mapping[str, str] | None = None) -> Iterator[psycopg.Connection[Any]]:
        """A connection as an application makes it, by verify-full."""
        dsn = (secret or self.secret())["dsn"]
        with psycopg.connect(make_conninfo(dsn, sslrootcert=str(self.postgres.ca_file)), autocommit=True) as made:
            yield made

    def logs_in(self, secret: Mapping[str, str] | None = None) -> bool:
        """Whether the published login works, and acts as the role that it is to act as."""
        try:
            with self.login(secret) as connection:
                return bool(connection.execute("SELECT session_user <> current_user").fetchone() == (True,))
        except psycopg.OperationalError:
            return False

    def databases(self) -> set[str]:
        """The databases of this world that stand in the server."""
        rows = self.postgres.execute("SELECT datname FROM pg_database WHERE strpos(datname, %s) > 0", [self.tag])
        return {name for (name,) in rows}

    def roles(self) -> dict[str, bool]:
        """The roles of this world, and whether they may log in; without the admin and the holder."""
        rows = self.postgres.execute(
            "SELECT rolname, rolcanlogin FROM pg_roles WHERE strpos(rolname, %s) > 0 AND rolname NOT IN (%s, %s)",
            [self.tag, self.admin.username, f"dbclaims_{self.installation.id}"],
        )
        return dict(rows)

    def verifier(self, role: str) -> str:
        """What the server stores for a role's password."""
        return str(self.postgres.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role])[0][0])

    def stranger(self, name: str) -> Login:
        """A login that is nobody's."""
        return self.postgres.create_login(f"{name}_{self.tag}")

    def mark(self, database: str) -> str:
        """The comment on a database."""
        rows = self.postgres.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [database]
        )
        return str(rows[0][0])

    def events(self, reason: str, ns: str = "shop") -> list[str]:
        """The notes of the Events of a reason."""
        answer = self.cluster.request("GET", f"/apis/events.k8s.io/v1/namespaces/{self.named(ns)}/events")[1]
        return [each["note"] for each in answer["items"] if each["reason"] == reason]

    # --- the end -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop, and leave the API server and the PostgreSQL without anything of this world."""
        self.process.stop()
        with closing(self._store()) as store:
            for kind in OURS:
                _remove_all(store, kind)
        if self.account.is_confined:
            self.account.close()
        for name in NAMESPACES:
            self._end_at_once(self.named(name))
        if self._shared:
            for name in self.databases():
                self.postgres.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    # ---

    def _end_at_once(self, namespace: str) -> None:
        """Delete a namespace that is empty but for Secrets, without its controller, which asks after every kind."""
        path = _path(NAMESPACE, None, namespace)
        self.cluster.request("DELETE", _path(SECRET, namespace, None))
        status, left = self.cluster.request("DELETE", path)
        if status == 200:
            self.cluster.request("PUT", f"{path}/finalize", {**left, "spec": {"finalizers": []}})

    def _process(self) -> Process:
        return Process(
            self.account,
            self.installation,
            self.clock,
            tell=self.chronicle.handler,
            controller_class=self.controller_class,
            allow=self._allow,
        )

    def _store(self) -> KubernetesStore:
        load = access_loader(str(self.cluster.kubeconfig()))
        return KubernetesStore(Transport(load, metrics=Metrics(CollectorRegistry())))

    def _let_go(self, ns: str) -> None:
        """Delete what may carry a finalizer in a namespace, and let the controller end it."""
        for kind in (ROLE, CLAIM, SERVER):
            for each in self.cluster.request("GET", _path(kind, self.named(ns), None))[1]["items"]:
                self.delete(kind, each["metadata"]["name"], ns)
                self.settle()

    def _place(self, kind: Kind, ns: str) -> str | None:
        return self.named(ns) if kind.namespaced else None

    def _request(self, method: str, kind: Kind, namespace: str | None, name: str | None, body: Any = None) -> Object:
        encoding = "merge-patch+json" if method == "PATCH" else "json"
        status, answer = self.cluster.request(method, _path(kind, namespace, name), body, kind=encoding)
        assert status < 300, answer
        return dict(answer)

    def _seen(self, kind: Kind, stored: Object) -> Object:
        metadata = stored["metadata"]
        if kind == SECRET:
            return stored

        def seen() -> bool:
            told = self.process.told(kind, metadata.get("namespace"), metadata["name"])
            return told is not None and int(told["metadata"]["resourceVersion"]) >= int(metadata["resourceVersion"])

        until(seen)
        return stored


def _remove_all(store: KubernetesStore, kind: Kind) -> None:
    for item in store.list(kind, limit=5000).items:
        metadata = orjson.loads(item)["metadata"]
        place, name = metadata.get("namespace"), metadata["name"]
        if metadata.get("finalizers"):
            store.patch(kind, place, name, {"metadata": {"finalizers": None}})
        store.delete(kind, place, name)


def _path(kind: Kind, namespace: str | None, name: str | None) -> str:
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    middle = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{middle}/{kind.plural}" + (f"/{name}" if name else "")
