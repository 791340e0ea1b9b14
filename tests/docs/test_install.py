"""What the pages have people apply, applied to a real API server: the rights are enough, and no more than they say."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.controlplane.cluster import ControlPlane

from .blocks import blocks

ACCOUNT = "system:serviceaccount:dbclaims-system:dbclaims"


def kubectl(cluster: ControlPlane, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig()), *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)


def shown(word: str) -> str:
    """The one YAML block that holds this word."""
    (text,) = (block.text for block in blocks("yaml") if word in block.text)
    return text


@pytest.fixture(scope="module")
def installed(cluster: ControlPlane) -> Iterator[ControlPlane]:
    """The API server after the steps of the operating page, but for the CRDs."""
    kubectl(cluster, "create", "namespace", "dbclaims-system")
    manifests = f"{shown('kind: ClusterRoleBinding')}---\n{shown('kind: Deployment')}"
    applied = kubectl(cluster, "apply", "-f", "-", text=manifests)
    assert (applied.returncode, applied.stderr) == (0, "")
    yield cluster
    kubectl(cluster, "delete", "-f", "-", text=manifests)


def may(cluster: ControlPlane, verb: str, resource: str, namespace: str = "shop") -> bool:
    return kubectl(cluster, "auth", "can-i", verb, resource, f"--as={ACCOUNT}", "-n", namespace).stdout.strip() == "yes"


def test_the_controller_may_read_a_secret_by_name_and_may_not_list_them(installed: ControlPlane) -> None:
    allowed = {
        verb for verb in ("get", "list", "watch", "create", "update", "delete") if may(installed, verb, "secrets")
    }
    assert allowed == {"get", "create", "update", "delete"}


def test_the_controller_may_hold_a_lease_in_its_own_namespace_alone(installed: ControlPlane) -> None:
    assert may(installed, "update", "leases.coordination.k8s.io", "dbclaims-system")
    assert not may(installed, "update", "leases.coordination.k8s.io", "shop")


def test_the_controller_may_not_give_itself_more(installed: ControlPlane) -> None:
    assert not any(may(installed, verb, "clusterroles") for verb in ("create", "update", "patch", "bind", "escalate"))
