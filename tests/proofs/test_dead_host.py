"""A host that accepts and never answers, beside a healthy one: what it may hold, and what it must not.

It answers first, so that the claims on it get as far as their own connections, and goes silent before they come. Real
threads, real time, real servers. `make bench` measures what it costs the others.
"""

from __future__ import annotations

import base64
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from dbclaims.core import plugins
from dbclaims.core.backends import SLOTS
from dbclaims.core.clock import StopSignal, SystemClock
from dbclaims.core.kinds import CLAIM, CLASS, SECRET, SERVER
from dbclaims.core.local import LocalStore
from dbclaims.core.machine import WORKERS, Machine
from dbclaims.core.manager import Manager
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import Kind, Object
from dbclaims.core.spi import Installation
from tests.conftest import StartPostgres
from tests.servers.faults import SilentHost
from tests.servers.postgres import PostgresServer

HEALTHY, DEAD = 40, 20
FIRST_VERDICT = 15.0
"""Seconds until a claim on a dead host must say so (issue 3, show 9)."""

PATIENCE = 120.0


class Controller:
    """Our controller on a directory, in threads, until the test ends."""

    def __init__(self, directory: Path) -> None:
        clock, self._registry = SystemClock(), CollectorRegistry()
        metrics, ours = Metrics(self._registry), Installation("dead-host", b"key")
        self.store = LocalStore(directory, clock=clock)
        self._machine = Machine(self.store, plugins.load(), ours, clock=clock, metrics=metrics, rng=random.Random(1))
        self._stop = StopSignal(clock)
        manager = Manager(
            store=self.store, informers=self._machine.informers, controllers=self._machine.controllers, clock=clock
        )
        self._thread = threading.Thread(target=manager.run, args=(self._stop,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop and wait for the end of what runs."""
        self._stop.set()
        self._thread.join(PATIENCE)
        self._machine.close()

    def offer(self, name: str, server: PostgresServer) -> None:
        """Make a class with a server, as a platform team does."""
        admin = server.create_admin()
        self._secret(f"{name}-admin", username=admin.username, password=admin.password)
        self._secret(f"{name}-ca", **{"ca.crt": server.ca_file.read_text()})
        tls = {"mode": "verify-full", "caSecretRef": {"name": f"{name}-ca"}}
        config = {"host": server.host, "port": server.port, "adminSecretRef": {"name": f"{name}-admin"}, "tls": tls}
        self._make(CLASS, name, {"serverRef": {"name": name, "namespace": "shop"}})
        self._make(SERVER, name, {"provider": "existing", "engine": "postgres", "config": config})

    def claim(self, name: str, class_name: str) -> None:
        """Ask for a database."""
        self._make(CLAIM, name, {"className": class_name, "databaseName": name})

    def verdict(self, kind: Kind, name: str) -> str:
        """What Ready says, once somebody has looked: a new object's own Unknown does not count."""
        status = (self.store.get(kind, "shop", name) or {}).get("status") or {}
        found = {each["type"]: each["status"] for each in status.get("conditions") or ()}
        return found.get("Ready", "") if status.get("observedGeneration") == 1 else ""

    def verdicts(self, name: str, count: int) -> set[str]:
        """Those of several claims."""
        return {self.verdict(CLAIM, f"{name}{number}") for number in range(count)}

    def slots(self, server: str) -> int:
        """How many passes over claims are on a server now."""
        labels = {"controller": "databaseclaim", "target": f"shop/{server}"}
        return int(self._registry.get_sample_value("dbclaims_backend_slots_in_use", labels) or 0)

    def _secret(self, name: str, **values: str) -> None:
        data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        self.store.create(SECRET, {"metadata": {"name": name, "namespace": "shop"}, "type": "Opaque", "data": data})

    def _make(self, kind: Kind, name: str, spec: Object) -> None:
        metadata: dict[str, Any] = {"name": name, **({"namespace": "shop"} if kind.namespaced else {})}
        self.store.create(kind, {"metadata": metadata, "spec": spec})


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[Controller]:
    made = Controller(tmp_path)
    yield made
    made.close()


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_a_silent_host_holds_its_own_slots_and_nobody_elses_claim(
    controller: Controller, new_postgres: StartPostgres
) -> None:
    servers = {"healthy": new_postgres(), "dead": new_postgres()}
    for name, server in servers.items():
        controller.offer(name, server)
    until(lambda: {controller.verdict(SERVER, name) for name in servers} == {"True"}, PATIENCE, "a server is not Ready")
    dead, held = servers["dead"], [0]
    dead.stop("immediate")
    with SilentHost(dead.host, dead.port) as silent:
        # The dead ones first: they are in the way of whoever comes later.
        for number in range(DEAD):
            controller.claim(f"dead{number}", "dead")
        for number in range(HEALTHY):
            controller.claim(f"healthy{number}", "healthy")

        def says(name: str, count: int, *verdicts: str) -> bool:
            held.append(controller.slots("dead"))
            return controller.verdicts(name, count) <= {*verdicts}

        until(lambda: says("dead", DEAD, "False", "Unknown"), FIRST_VERDICT, "a dead claim says nothing")
        until(lambda: says("healthy", HEALTHY, "True"), PATIENCE, "a healthy claim is not Ready")
        assert silent.accepted, "nobody asked the dead host"
    assert 0 < max(held) <= SLOTS < WORKERS
    assert "True" not in controller.verdicts("dead", DEAD)
