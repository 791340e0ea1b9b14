"""ControlPlane is a real Kubernetes: users with only their rights, an honest audit log, garbage collection.

Not covered: Kubernetes itself.
"""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..parts import MissingPart
from . import build
from .cluster import ControlPlane


def _namespace(cluster: ControlPlane, name: str) -> str:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert cluster.request("POST", "/api/v1/namespaces", body)[0] == 201
    return f"/api/v1/namespaces/{name}"


def _wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)


def test_kubectl_speaks_to_a_server_of_its_own_version(cluster: ControlPlane) -> None:
    command: list[str | Path] = [cluster.kubectl, "--kubeconfig", cluster.kubeconfig(), "version"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    client, server = (line.split()[-1] for line in answer.splitlines() if line.startswith(("Client", "Server")))
    assert client == server != "v0.0.0"


def test_a_user_has_no_right_that_nobody_gave(cluster: ControlPlane) -> None:
    status, answer = cluster.request("GET", "/api/v1/secrets", user="controller")
    assert status == 403
    assert 'User "controller" cannot list resource "secrets"' in answer["message"]


def test_the_audit_log_counts_every_request_with_its_user_agent_and_code(cluster: ControlPlane) -> None:
    position = cluster.audit_position()
    cluster.request("GET", "/api/v1/secrets", user="developer", agent="audited/1")
    _namespace(cluster, "audited")
    events = [event for event in cluster.audit_since(position) if event.user in ("developer", "admin")]
    mine = [event for event in events if event.user_agent in ("audited/1", "dbclaims-tests")]
    assert [(e.user, e.verb, e.resource, e.name, e.code, e.is_write) for e in mine] == [
        ("developer", "list", "secrets", "", 403, False),
        ("admin", "create", "namespaces", "audited", 201, True),
    ]


def test_what_an_object_owns_goes_with_it(cluster: ControlPlane) -> None:
    maps = _namespace(cluster, "collected") + "/configmaps"
    owner = cluster.request("POST", maps, {"metadata": {"name": "owner"}})[1]["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"]}
    cluster.request("POST", maps, {"metadata": {"name": "owned", "ownerReferences": [reference]}})
    cluster.request("DELETE", f"{maps}/owner")
    _wait_for(lambda: cluster.request("GET", f"{maps}/owned")[0] == 404)


def test_a_deleted_namespace_goes_with_everything_in_it(cluster: ControlPlane) -> None:
    namespace = _namespace(cluster, "doomed")
    cluster.request("POST", f"{namespace}/configmaps", {"metadata": {"name": "content"}})
    cluster.request("DELETE", namespace)
    _wait_for(lambda: cluster.request("GET", namespace)[0] == 404)


def test_assets_without_a_program_are_refused_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    for name in ("etcd", "kube-apiserver", "kubectl"):
        (tmp_path / name).touch()
    with pytest.raises(MissingPart, match="has no kube-controller-manager; add it, or unset the variable"):
        build.binaries()


def test_a_complete_folder_of_assets_wins_over_building(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    for name in build.PROGRAMS:
        (tmp_path / name).touch()
    assert build.binaries() == tmp_path
