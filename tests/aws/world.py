"""A directory's store, the RDS double with real servers behind it, and a controller that a test steps.

The double's clock and the controller's move together; nothing runs in a thread of its own but the double's HTTP.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from dbclaims.conformance.doubles.farm import EmptyFarm
from dbclaims.conformance.doubles.rds import Pace, Quotas, RdsDouble
from dbclaims.core.api import GROUP
from dbclaims.core.kinds import CLAIM, CLASS, SECRET, SERVER
from dbclaims.core.local import LocalStore
from dbclaims.core.objectstore import Kind, Object
from dbclaims.core.spi import Installation, ServerRef
from dbclaims.providers.aws import names
from tests.clock import FakeClock
from tests.proofs.wire import Killed
from tests.proofs.world import ROTATION, ImpatientClock, Process
from tests.servers.farm import ServerFarm

PLATFORM, SHOP = "platform", "shop"
STEP = 10.0
"""Seconds between two looks at the world."""


class World:
    """Objects, the double, and the controller that runs now.

    Attributes:
        double: AWS.
        farm: the servers behind it.
        store: the objects.
        process: the controller.
    """

    def __init__(
        self,
        directory: Path,
        double: RdsDouble,
        farm: ServerFarm | EmptyFarm,
        clock: FakeClock,
        *,
        seed: int = 0,
    ) -> None:
        self.double, self.farm, self.clock = double, farm, clock
        self._rng = random.Random(seed)
        self._processes: list[Process] = []
        self.installation = Installation("test", b"key of the locks")
        directory.mkdir()
        self.store = LocalStore(directory, clock=ImpatientClock(clock))
        bundle = farm.bundle if isinstance(farm, ServerFarm) else ""
        self.ca_file = directory.parent / f"{directory.name}.crt"
        self.ca_file.write_text(bundle)
        self.store.create(
            SECRET, {"metadata": {"name": "rds-ca", "namespace": PLATFORM}, "stringData": {"ca.crt": bundle}}
        )
        self.process = self._new_process()

    # --- the controller ----------------------------------------------------------------------------------------

    def _new_process(self) -> Process:
        self._processes.append(Process(self.store, self.installation, self.clock, self._rng))
        return self._processes[-1]

    def restart(self) -> None:
        """The controller is gone, and the next one finds only what is stored."""
        self.process.end()
        self.process = self._new_process()

    def settle(self) -> None:
        """Let the controller do everything that is to be done now; one that is killed is followed by the next."""
        try:
            self.process.settle()
        except Killed:
            self.restart()

    def pass_time(self, seconds: float, step: float = STEP) -> None:
        """Let time pass for AWS and for the controller, who works after each step."""
        for _ in range(round(seconds / step)):
            self.double.tick(step)
            self.clock.advance(step)
            self.settle()

    def close(self) -> None:
        """End every controller."""
        for process in self._processes:
            process.end()
        self.store.close()

    # --- objects -----------------------------------------------------------------------------------------------

    def create(self, kind: Kind, name: str, spec: Mapping[str, Any], namespace: str = SHOP) -> None:
        """Create an object."""
        metadata = {"name": name, **({"namespace": namespace} if kind.namespaced else {})}
        self.store.create(kind, {"metadata": metadata, "spec": dict(spec)})

    def offer(self, *, config: Mapping[str, Any] | None = None, sizes: Any = None, **template: Any) -> None:
        """A class whose claims get a server each."""
        wish = {"namespace": PLATFORM, "size": "micro", **server_spec(config), **template}
        self.create(CLASS, "own", {"template": wish, "rotation": ROTATION, **({"sizes": sizes} if sizes else {})})

    def claim(self, name: str = "orders", **spec: Any) -> None:
        """A claim of the class."""
        self.create(CLAIM, name, {"className": "own", **spec})

    def edit(self, kind: Kind, name: str, namespace: str = SHOP, **spec: Any) -> None:
        """Edit an object's spec by a merge patch."""
        self.store.patch(kind, namespace if kind.namespaced else None, name, {"spec": spec})

    def annotate(self, kind: Kind, name: str, namespace: str = SHOP, **values: str | None) -> None:
        """Set annotations of ours; None removes one."""
        annotations = {f"{GROUP}/{key}": value for key, value in values.items()}
        self.store.patch(kind, namespace, name, {"metadata": {"annotations": annotations}})

    def delete(self, kind: Kind = CLAIM, name: str = "orders", namespace: str = SHOP) -> None:
        """Delete an object."""
        self.store.delete(kind, namespace if kind.namespaced else None, name)

    def find(self, kind: Kind = CLAIM, name: str = "orders", namespace: str = SHOP) -> Object | None:
        """An object as it is stored."""
        return self.store.get(kind, namespace if kind.namespaced else None, name)

    def server(self, name: str = "orders") -> Object:
        """The DatabaseServer of a claim."""
        found = self.find(SERVER, f"{SHOP}.{name}", PLATFORM)
        assert found is not None
        return found

    def verdict(self, type_: str, obj: Object | None = None) -> tuple[str, str]:
        """A condition's status and reason; empty where it does not stand."""
        for condition in ((obj or self.find() or {}).get("status") or {}).get("conditions", ()):
            if condition["type"] == type_:
                return condition["status"], condition["reason"]
        return "", ""

    def says(self, obj: Object, type_: str = "Synced") -> str:
        """A condition's sentence."""
        conditions = (obj.get("status") or {}).get("conditions", ())
        return next((str(each["message"]) for each in conditions if each["type"] == type_), "")

    def is_ready(self, name: str = "orders") -> bool:
        """Whether a claim says that its login works, and it does."""
        found = self.find(CLAIM, name)
        return found is not None and self.verdict("Ready", found)[0] == "True" and self.logs_in(name)

    # --- what applications see ---------------------------------------------------------------------------------

    def secret(self, name: str = "orders", namespace: str = SHOP) -> dict[str, str]:
        """A Secret's data as text; empty where there is none."""
        found = self.store.get(SECRET, namespace, name) or {}
        return {key: base64.b64decode(value).decode() for key, value in (found.get("data") or {}).items()}

    def login(self, name: str = "orders") -> psycopg.Connection[Any]:
        """A connection as an application makes it, by verify-full."""
        return psycopg.connect(make_conninfo(self.secret(name)["uri"], sslrootcert=str(self.ca_file)), autocommit=True)

    def logs_in(self, name: str = "orders") -> bool:
        """Whether the published login works and acts as the owner."""
        try:
            with self.login(name) as connection:
                return bool(connection.execute("SELECT session_user <> current_user").fetchone() == (True,))
        except (psycopg.OperationalError, KeyError):
            return False

    # --- what AWS sees -----------------------------------------------------------------------------------------

    def identifier(self, name: str = "orders") -> str:
        """The identifier of a claim's instance."""
        return names.identifier(ServerRef(PLATFORM, f"{SHOP}.{name}", "", self.installation.id))

    def instance(self, name: str = "orders") -> Object:
        """The record of a claim's instance."""
        return self.double.instance(self.identifier(name))

    def instances(self) -> list[str]:
        """The names of all instances."""
        return sorted(self.double.account.tables["instances"])


def server_spec(config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The spec of a server of this provider."""
    usual = {"region": "eu-central-1", "caSecretRef": {"name": "rds-ca"}}
    return {"provider": "aws", "engine": "postgres", "version": "17", "config": {**usual, **(config or {})}}


__all__ = ["Pace", "Quotas", "World", "server_spec"]
