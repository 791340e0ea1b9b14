"""`kubectl claims list` on a cluster with 1,000 claims: what it costs the machine of whoever types it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import pytest
import yaml

from dbclaims.core.kinds import CLAIM

from ..controlplane.cluster import ControlPlane
from .report import Report

pytestmark = pytest.mark.bench

CLAIMS, RUNS, MOST_CPU, MOST_REQUESTS = 1000, 11, 120.0, 3
NAMESPACE = "typed"


@pytest.mark.usefixtures("yard")
def test_what_a_list_of_a_thousand_claims_costs(cluster: ControlPlane, report: Report, tmp_path: Path) -> None:
    _populate(cluster)
    # As people have it: YAML, not the JSON that a ControlPlane writes.
    config = tmp_path / "config"
    config.write_text(yaml.safe_dump(yaml.safe_load(cluster.kubeconfig().read_text())))
    # As the console script does it; `-m` would add the cost of finding the module.
    start = "import sys; from dbclaims.core.kubectl.claims import main; sys.exit(main())"
    ours = [sys.executable, "-c", start, "--kubeconfig", str(config)]
    verbs = {"list": ["-n", NAMESPACE], "list -A": ["-A"], "list -o wide": ["-n", NAMESPACE, "-o", "wide"]}
    commands = {f"kubectl claims {name}": [*ours, *flags] for name, flags in verbs.items()}
    commands["an interpreter that does nothing"] = [sys.executable, "-c", "pass"]
    get = ["get", "databaseclaims", "-n", NAMESPACE]
    commands["kubectl get databaseclaims"] = [str(cluster.kubectl), "--kubeconfig", str(config), *get]
    position = cluster.audit_position()
    subprocess.run(commands["kubectl claims list"], stdout=subprocess.DEVNULL, check=True)
    requests = [each for each in cluster.audit_since(position) if each.user_agent == "kubectl-claims"]
    environment = _installed(tmp_path / "compiled")
    figures = {name: _costs(command, environment) for name, command in commands.items()}
    rows = [(name, *_row(costs)) for name, costs in figures.items()]
    report.table(f"{CLAIMS} claims, ms", ("command", "least CPU", "median CPU", "median wall"), rows)
    least = min(cpu for cpu, _ in figures["kubectl claims list"])
    report.aim("kubectl claims list: CPU, least of the runs", least, MOST_CPU, " ms")
    report.aim("kubectl claims list: requests", len(requests), MOST_REQUESTS)


def _row(costs: Sequence[tuple[float, float]]) -> tuple[str, str, str]:
    cpus, walls = zip(*costs, strict=True)
    return f"{min(cpus):.0f}", f"{median(cpus):.0f}", f"{median(walls):.0f}"


def _installed(cache: Path) -> dict[str, str]:
    """An environment in which our modules are compiled once, as pip compiles what it installs."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "KUBECONFIG": "", "PYTHONPYCACHEPREFIX": str(cache)}


def _costs(command: list[str], environment: dict[str, str]) -> list[tuple[float, float]]:
    """What each run costs after a first one, which compiles."""
    return [_cost(command, environment) for _ in range(RUNS + 1)][1:]


def _cost(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """One run's own CPU time and its duration, in milliseconds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu * 1000, wall * 1000


def _populate(cluster: ControlPlane) -> None:
    """A namespace with claims as they are when they are Ready."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    cluster.request("POST", "/api/v1/namespaces", body)
    path = f"/apis/{CLAIM.api_version}/namespaces/{NAMESPACE}/{CLAIM.plural}"
    for number in range(CLAIMS):
        name = f"claim-{number:04}"
        claim = {"apiVersion": CLAIM.api_version, "kind": CLAIM.kind, "metadata": {"name": name}}
        spec = {"className": "shared-postgres", "secretName": f"{name}-db"}
        cluster.request("POST", path, {**claim, "spec": spec})
        status = {"status": _status(name)}
        code, answer = cluster.request("PATCH", f"{path}/{name}/status", status, kind="merge-patch+json")
        assert code == 200, answer


def _status(name: str) -> dict[str, object]:
    since = "2026-11-20T10:00:00Z"
    message = f"Login {name}_a works; Secret {name}-db holds it."
    says: dict[str, object] = {"status": "True", "reason": "Available", "message": message}
    conditions = [
        {"type": each, **says, "observedGeneration": 1, "lastTransitionTime": since} for each in ("Ready", "Synced")
    ]
    return {
        "observedGeneration": 1,
        "conditions": conditions,
        "serverRef": {"name": "shared", "namespace": "platform"},
        "endpoint": {"host": "pg.example.internal", "port": 5432},
        "databaseName": name,
        "version": "17.10",
        "secretName": f"{name}-db",
        "login": {"username": f"{name}_a", "since": since, "nextRotation": "2026-11-21T10:00:00Z"},
    }
