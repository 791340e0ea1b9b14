"""An API server with our CRDs and users who have exactly the controller's rights, and `dbclaims run` on it."""

from __future__ import annotations

import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from dbclaims.core.api import crds_yaml
from dbclaims.core.diagnosis import Scope
from tests.controlplane.cluster import ControlPlane
from tests.published import Published
from tests.rights import GROUP, documents
from tests.servers.process import ServerProcess, free_port

from .directory import COMMAND

NAMESPACE = "dbclaims-system"
USERS = ("controller", "controller-2")
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/dbclaims"


def kubectl(plane: ControlPlane, *arguments: object, text: str = "") -> str:
    """Run kubectl as admin and return what it printed; anything but success fails the test."""
    command = [str(plane.kubectl), "--kubeconfig", str(plane.kubeconfig()), *map(str, arguments)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def published(plane: ControlPlane, name: str, namespace: str) -> Published | None:
    """A published Secret as it is now."""
    status, found = plane.request("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")
    return Published.from_object(found) if status == 200 else None


class Served:
    """A control plane, made ready for the controller as its operator would.

    Attributes:
        plane: the control plane itself.
    """

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.apply(crds_yaml())
        self.kubectl("wait", "--for=condition=Established", "crd", "--all")
        self.apply(yaml.safe_dump_all([_namespace(), *_rights()]))

    def kubectl(self, *arguments: object, text: str = "") -> str:
        """See `kubectl`."""
        return kubectl(self.plane, *arguments, text=text)

    def apply(self, text: str) -> None:
        """`kubectl apply` of a stream of documents."""
        self.kubectl("apply", "--server-side", "-f", "-", text=text)

    def published(self, name: str, namespace: str) -> Published | None:
        """A published Secret as it is now."""
        return published(self.plane, name, namespace)

    def holder(self) -> str:
        """Who holds the Lease; empty for nobody."""
        found: dict[str, Any] = self.plane.request("GET", LEASE)[1]
        return str(found.get("spec", {}).get("holderIdentity", ""))


class Probed:
    """A process of `dbclaims run`, with a health port of its own.

    Attributes:
        port: its health port.
        log: what it wrote.
    """

    def __init__(self, log: Path, *arguments: object, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        self.port, self.log = free_port(), log
        # What is asked for comes last, and so wins.
        command = [str(COMMAND), "run", "--health-port", str(self.port), *map(str, arguments)]
        self.process = ServerProcess(command, log, environment={**os.environ, **environment})

    def answer(self, path: str) -> tuple[int, str]:
        """What the health port says; 0 while nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def is_ready(self) -> bool:
        """Whether the readiness probe passes."""
        return self.answer("/readyz")[0] == 200

    def stop(self) -> int | None:
        """Send SIGTERM and return the exit code."""
        self.process.stop()
        return self.process.returncode


class Running(Probed):
    """`dbclaims run` as one of the users."""

    def __init__(self, served: Served, log: Path, *options: str, user: str = USERS[0]) -> None:
        place = ["--kubeconfig", served.plane.kubeconfig(user), "--namespace", NAMESPACE]
        super().__init__(log, *place, *options)


def _namespace() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}


def _rights() -> Iterable[dict[str, Any]]:
    """The rights as a chart would render them."""
    subjects = [{"apiGroup": GROUP, "kind": "User", "name": user} for user in USERS]
    return documents("dbclaims", subjects, Scope(NAMESPACE))
