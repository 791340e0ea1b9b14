"""A cluster on which the chart is installed, and its controller as processes, since there is no kubelet.

Arguments, environment and account are taken from the Deployment that was installed; the kubeconfig holds a token of
exactly that ServiceAccount, as kubelet would have mounted it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from attrs import field, frozen

from tests.commands.directory import dbclaims
from tests.commands.served import Probed, kubectl
from tests.controlplane.audit import AuditEvent
from tests.controlplane.cluster import ControlPlane
from tests.core.test_manager import until
from tests.docs.chart import CHART
from tests.helm.release import Document, Helm
from tests.overlay import overlaid
from tests.servers.postgres import Account, PostgresServer

SYSTEM = "dbclaims-system"
Values = Mapping[str, Any]


@frozen
class Installed:
    """A release.

    Attributes:
        said: what helm printed when it was installed.
    """

    stand: Stand = field(repr=False)
    name: str
    namespace: str
    said: str = field(repr=False)

    @property
    def deployment(self) -> Document:
        """The controller's Deployment, as the cluster has it."""
        selector = f"app.kubernetes.io/instance={self.name}"
        found = self.stand.kubectl("get", "deployment", "-n", self.namespace, "-l", selector, "-o", "json")
        (document,) = json.loads(found)["items"]
        return dict(document)

    @property
    def account(self) -> str:
        """The controller's user name."""
        return f"system:serviceaccount:{self.namespace}:{self._pod['serviceAccountName']}"

    def start(self, *further: str) -> Probed:
        """Start one replica, with a token of its own."""
        (container,) = self._pod["containers"]
        environment = {each["name"]: each["value"] for each in container["env"]}
        command, *arguments = container["args"]
        assert command == "run"
        return self.stand.run([*arguments, "--kubeconfig", self.kubeconfig(), *further], environment)

    def kubeconfig(self) -> Path:
        """A kubeconfig with a new token of the controller's account."""
        return self.stand.plane.kubeconfig_of(self.namespace, self._pod["serviceAccountName"])

    @property
    def _pod(self) -> dict[str, Any]:
        return dict(self.deployment["spec"]["template"]["spec"])


class Stand:
    """A control plane with one helm.

    Attributes:
        plane: the control plane itself.
        helm: a helm that is its administrator.
    """

    def __init__(self, plane: ControlPlane, major: int, folder: Path) -> None:
        self.plane, self._folder, self._numbers = plane, folder, itertools.count(1)
        self._started: list[Probed] = []
        self.helm = Helm(major, folder / "helm", plane.kubeconfig())

    def kubectl(self, *arguments: object, text: str = "") -> str:
        """Run kubectl as admin; see `tests.commands.served.kubectl`."""
        return kubectl(self.plane, *arguments, text=text)

    def apply(self, documents: Iterable[Document]) -> None:
        """Apply documents, namespaces first."""
        ordered = sorted(documents, key=lambda each: each["kind"] != "Namespace")
        self.kubectl("apply", "--server-side", "-f", "-", text=yaml.safe_dump_all(ordered))

    def install(
        self,
        name: str = "dbclaims",
        namespace: str = SYSTEM,
        *,
        values: Values | None = None,
        options: Iterable[str] = (),
        chart: Path = CHART,
    ) -> Installed:
        """`helm install`; the definitions are served when it returns."""
        place = ("--namespace", namespace, "--create-namespace")
        said = self.helm.run("install", name, chart, *place, *options, values=values)
        self.kubectl("wait", "--for=condition=Established", "crd", "--all")
        return Installed(self, name, namespace, said)

    def run(self, arguments: Iterable[object], environment: Mapping[str, str]) -> Probed:
        """Start the command as a process, with a log of its own."""
        log = self._folder / f"run-{next(self._numbers)}.log"
        self._started.append(Probed(log, *arguments, environment=environment))
        return self._started[-1]

    def close(self) -> None:
        """End every process that still runs, as after a test that failed."""
        for each in self._started:
            each.process.kill()

    def check(self, *arguments: object) -> tuple[int, str]:
        """Run `dbclaims check` to its end: exit code and what it printed."""
        done = dbclaims("check", *arguments)
        return done.returncode, done.stdout + done.stderr

    def asked_by(self, account: str, since: int) -> list[AuditEvent]:
        """Every request of an account."""
        return [each for each in self.plane.audit_since(since) if each.user == account]

    def wait(self, what: str, namespace: str, condition: str = "Ready", seconds: int = 90) -> None:
        """`kubectl wait` for a condition."""
        self.kubectl("wait", f"--for=condition={condition}", f"--timeout={seconds}s", what, "-n", namespace)


def examples(server: PostgresServer, admin: Account, **class_: Any) -> list[Document]:
    """The design's examples, made to fit a server; `class_` goes into the DatabaseClass, and a grace lasts seconds."""
    documents = [each for _, group in overlaid(server, admin) for each in group]
    for document in documents:
        if document["kind"] == "DatabaseClass":
            document["spec"]["rotation"]["grace"] = "2s"
            document["spec"] |= class_
    return documents


def until_ready(replica: Probed) -> None:
    """Wait until the readiness probe passes; a process that ends before says why."""
    until(lambda: replica.is_ready() or not replica.process.running, 60)
    assert replica.process.running, replica.log.read_text()
