"""A node is drained: the budget lets one replica go and keeps the other until there is a new one.

Kubernetes' own controllers make the pods and count them; that they run, which is kubelet's to say, the test says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.conftest import needed
from tests.controlplane.cluster import ControlPlane
from tests.core.test_manager import until
from tests.helm.build import helm as built

from .stand import SYSTEM, Stand

PODS = f"/api/v1/namespaces/{SYSTEM}/pods"
BUDGET = f"/apis/policy/v1/namespaces/{SYSTEM}/poddisruptionbudgets/dbclaims"
RUNNING = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


def pods(plane: ControlPlane) -> list[str]:
    """The names of the pods that are not on their way out."""
    found = plane.request("GET", PODS)[1]["items"]
    return [each["metadata"]["name"] for each in found if "deletionTimestamp" not in each["metadata"]]


def runs(plane: ControlPlane, pod: str) -> None:
    """Say of a pod what kubelet would."""
    answer = plane.request("PATCH", f"{PODS}/{pod}/status", {"status": RUNNING}, kind="merge-patch+json")
    assert answer[0] == 200, answer


def evict(plane: ControlPlane, pod: str) -> int:
    """Ask as `kubectl drain` does; the status of the answer."""
    body: dict[str, Any] = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    return plane.request("POST", f"{PODS}/{pod}/eviction", body)[0]


def may_go(plane: ControlPlane) -> int | None:
    status = plane.request("GET", BUDGET)[1].get("status", {})
    return status.get("disruptionsAllowed") if status.get("currentHealthy") is not None else None


def test_of_two_replicas_one_stays_until_the_other_runs_again(major: int, tmp_path: Path) -> None:
    needed(lambda: built(major))
    with needed(lambda: ControlPlane(controllers=("deployment", "replicaset", "disruption"))) as plane:
        Stand(plane, major, tmp_path).install()
        until(lambda: len(pods(plane)) == 2, 60)
        first, second = pods(plane)
        runs(plane, first)
        runs(plane, second)
        until(lambda: may_go(plane) == 1, 60)

        assert evict(plane, first) == 201
        assert evict(plane, second) == 429
        until(lambda: first not in pods(plane) and len(pods(plane)) == 2, 60)
        assert evict(plane, second) == 429
        (third,) = (pod for pod in pods(plane) if pod != second)
        runs(plane, third)
        until(lambda: may_go(plane) == 1, 60)
        assert evict(plane, second) == 201
