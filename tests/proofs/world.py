"""A directory's store, a real server and controllers in this process, stepped by a clock that stands still.

Nothing runs in a thread of its own, so a history is the same each time it is played.
"""

from __future__ import annotations

import base64
import random
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from dbclaims.core import plugins
from dbclaims.core.api import GROUP
from dbclaims.core.kinds import CLAIM, CLASS, SECRET, SERVER
from dbclaims.core.local import LocalStore
from dbclaims.core.machine import Machine
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import Kind, Object
from dbclaims.core.spi import Installation
from tests.canary import CANARY
from tests.clock import FakeClock
from tests.servers.mysql import MySQLServer
from tests.servers.postgres import PostgresServer

from .ground import PostgresGround, ground
from .wire import Calls, CountedEngine, CountedStore, Killed

RESYNC = timedelta(minutes=10)
GRACE = timedelta(minutes=10)
ROTATION = {"interval": "24h", "min": "1h", "grace": "10m", "maxOverlap": "24h"}
NAMESPACE = "shop"
PASSES = 500
"""More than is ever to be done at one moment."""


class ImpatientClock:
    """The store's clock: whoever would wait finds that the time has passed, so that a watch ends when all is told."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock, self._waited = clock, 0.0

    def now(self) -> datetime:
        """The world's time."""
        return self._clock.now()

    def monotonic(self) -> float:
        """The world's time, and what was waited."""
        return self._clock.monotonic() + self._waited

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Return at once."""
        assert seconds is not None, "nobody would ever wake it"
        self._waited += seconds


class Process:
    """One controller: caches, queues, sessions and memory of its own.

    Attributes:
        calls: what it does outside itself.
    """

    def __init__(self, store: LocalStore, installation: Installation, clock: FakeClock, rng: random.Random) -> None:
        self.calls = Calls()
        self._registry = CollectorRegistry()
        loaded = plugins.load()
        loaded.manager.register(CountedEngine(self.calls), "proofs")
        self._machine = Machine(
            CountedStore(store, self.calls),
            loaded,
            installation,
            clock=clock,
            metrics=Metrics(self._registry),
            rng=rng,
            resync=RESYNC,
        )

    def settle(self) -> None:
        """Do everything that is to be done now."""
        for _ in range(PASSES):
            for informer in self._machine.informers:
                informer.step()
            if not sum(controller.process_next(0) for controller in self._machine.controllers):
                return
        raise AssertionError(f"after {PASSES} passes there is still work at the same moment")

    def end(self) -> None:
        """Give its connections back, as the kernel would."""
        CANARY.examine("the metrics", generate_latest(self._registry).decode())
        with suppress(Killed):
            self._machine.close()


class World:
    """Objects, a server and the controller that runs now.

    Attributes:
        store: the objects.
        ground: the server.
        process: the controller.
        tag: part of every name of this world in the server.
    """

    def __init__(
        self, directory: Path, server: PostgresServer | MySQLServer, tag: str, *, seed: int = 0, **class_spec: Any
    ) -> None:
        self.ground, self.tag, self.clock = ground(server), tag, FakeClock()
        self._rng = random.Random(seed)
        self._processes: list[Process] = []
        self.installation = Installation(tag, tag.encode())
        self.store = LocalStore(directory, clock=ImpatientClock(self.clock))
        self.admin = server.create_admin(f"admin_{tag}")
        self._offer(class_spec)
        self.process = self.new_process()

    # --- the controller ----------------------------------------------------------------------------------------

    def new_process(self) -> Process:
        """A further controller on the same objects."""
        self._processes.append(Process(self.store, self.installation, self.clock, self._rng))
        return self._processes[-1]

    def settle(self) -> None:
        """Let the controller do everything that is to be done now."""
        self.process.settle()

    def restart(self) -> None:
        """The controller is gone, and the next one finds only what is stored."""
        self.process.end()
        self.process = self.new_process()

    def pass_time(self, time: timedelta, steps: int = 1) -> None:
        """Let time pass in equal steps, and the controller work after each."""
        for _ in range(steps):
            self.clock.advance(time.total_seconds() / steps)
            self.settle()

    def close(self) -> None:
        """End every controller, and remove all that is left in the server."""
        for process in self._processes:
            process.end()
        self.store.close()
        self.ground.clear(self.tag)

    # --- objects -----------------------------------------------------------------------------------------------

    def create(self, kind: Kind, name: str, spec: Mapping[str, Any], namespace: str = NAMESPACE) -> None:
        """Create an object."""
        metadata = {"name": name, **({"namespace": namespace} if kind.namespaced else {})}
        self.store.create(kind, {"metadata": metadata, "spec": dict(spec)})

    def claim(self, name: str = "orders", **spec: Any) -> None:
        """Create a claim whose database carries the world's tag."""
        self.create(CLAIM, name, {"className": "shared", "databaseName": f"{self.tag}_{name}", **spec})

    def edit(self, kind: Kind, name: str, namespace: str = NAMESPACE, **spec: Any) -> None:
        """Edit an object's spec by a merge patch."""
        self.store.patch(kind, namespace if kind.namespaced else None, name, {"spec": spec})

    def annotate(self, name: str = "orders", kind: Kind = CLAIM, **values: str | None) -> None:
        """Set annotations of ours; None removes one."""
        annotations = {f"{GROUP}/{key}": value for key, value in values.items()}
        self.store.patch(kind, NAMESPACE, name, {"metadata": {"annotations": annotations}})

    def delete(self, kind: Kind = CLAIM, name: str = "orders", namespace: str = NAMESPACE) -> None:
        """Delete an object."""
        self.store.delete(kind, namespace if kind.namespaced else None, name)

    def find(self, kind: Kind = CLAIM, name: str = "orders", namespace: str = NAMESPACE) -> Object | None:
        """An object as it is stored."""
        return self.store.get(kind, namespace if kind.namespaced else None, name)

    def status(self, name: str = "orders", kind: Kind = CLAIM, namespace: str = NAMESPACE) -> dict[str, Any]:
        """An object's status; empty where there is none."""
        return dict((self.find(kind, name, namespace) or {}).get("status") or {})

    def verdict(self, type_: str, name: str = "orders", kind: Kind = CLAIM) -> tuple[str, str]:
        """A condition's status and reason; empty where it does not stand."""
        for condition in self.status(name, kind).get("conditions", ()):
            if condition["type"] == type_:
                return condition["status"], condition["reason"]
        return "", ""

    def is_current(self, name: str = "orders", kind: Kind = CLAIM) -> bool:
        """Whether an object's last generation was made real and works."""
        found = self.find(kind, name)
        ready = {c["type"]: (c["status"], c["observedGeneration"]) for c in self.status(name, kind)["conditions"]}
        return found is not None and ready["Ready"] == ready["Synced"] == ("True", found["metadata"]["generation"])

    # --- Secrets -----------------------------------------------------------------------------------------------

    def secret(self, name: str = "orders", namespace: str = NAMESPACE) -> dict[str, str]:
        """A Secret's data as text; empty where there is none."""
        found = self.store.get(SECRET, namespace, name) or {}
        return {key: base64.b64decode(value).decode() for key, value in (found.get("data") or {}).items()}

    def logs_in(self, secret: Mapping[str, str]) -> bool:
        """Whether this credential works and acts as it is meant to."""
        return self.ground.logs_in(secret)

    # --- the server --------------------------------------------------------------------------------------------

    @property
    def postgres(self) -> PostgresServer:
        """The server of a world that stands on PostgreSQL."""
        assert isinstance(self.ground, PostgresGround)
        return self.ground.server

    def databases(self) -> set[str]:
        """The databases of this world that stand in the server."""
        return self.ground.databases(self.tag)

    def open_logins(self) -> set[str]:
        """The accounts of this world that may log in, without the admin."""
        return self.ground.open_logins(self.tag)

    def _offer(self, class_spec: Mapping[str, Any]) -> None:
        """A server with its Secrets, and a class that offers it."""
        self._put_secret("shared-admin", username=self.admin.username, password=self.admin.password)
        self._put_secret("shared-ca", **{"ca.crt": self.ground.server.ca_file.read_text()})
        config = {
            "host": self.ground.server.host,
            "port": self.ground.server.port,
            "adminSecretRef": {"name": "shared-admin"},
            "tls": {"mode": "verify-full", "caSecretRef": {"name": "shared-ca", "key": "ca.crt"}},
        }
        self.create(
            SERVER, "shared", {"provider": "existing", "engine": self.ground.engine, "config": config}, "platform"
        )
        reference = {"name": "shared", "namespace": "platform"}
        self.create(CLASS, "shared", {"serverRef": reference, "rotation": ROTATION, **class_spec})

    def _put_secret(self, name: str, **data: str) -> None:
        self.store.create(SECRET, {"metadata": {"name": name, "namespace": "platform"}, "stringData": data})
