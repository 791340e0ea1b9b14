"""`dbclaims run` as a process on a real API server, with exactly the rights of `dbclaims.core.rights`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from dbclaims.core.api import SCHEMA_ANNOTATION as SCHEMA
from dbclaims.core.definitions import WrongDefinitions, check_definitions
from dbclaims.core.kube.store import KubernetesStore
from dbclaims.core.rights import own_rules, rules
from tests.conftest import StartPostgres
from tests.controlplane.audit import AuditEvent
from tests.core.test_manager import until
from tests.overlay import overlaid
from tests.published import Published
from tests.servers.postgres import PostgresServer

from .directory import dbclaims
from .served import LEASE, USERS, Running, Served

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/databaseclaims.dbclaims.io"


@pytest.fixture
def applied(served: Served, new_postgres: StartPostgres) -> PostgresServer:
    """The examples, applied, with a grace of seconds; the server that they name."""
    server = new_postgres()
    documents = [each for _, group in overlaid(server, server.create_admin()) for each in group]
    for document in documents:
        if document["kind"] == "DatabaseClass":
            document["spec"]["rotation"]["grace"] = "2s"
    # Namespaces first, as kubectl applies in the order of the stream.
    documents.sort(key=lambda document: document["kind"] != "Namespace")
    served.apply(yaml.safe_dump_all(documents))
    return server


def logged(running: Running) -> list[dict[str, Any]]:
    return [json.loads(line) for line in running.log.read_text().splitlines()]


def refusals(served: Served, position: int) -> list[AuditEvent]:
    events = served.plane.audit_since(position)
    return [each for each in events if each.user in USERS and each.code in (401, 403)]


def used(served: Served, position: int) -> set[tuple[str, str]]:
    return {(each.resource, each.verb) for each in served.plane.audit_since(position) if each.user in USERS}


def granted() -> set[tuple[str, str]]:
    found = [*rules(), *own_rules()]
    return {(resource, verb) for rule in found for resource in rule.resources for verb in rule.verbs}


def test_a_claim_lives_its_whole_life_with_exactly_these_rights(
    served: Served, applied: PostgresServer, tmp_path: Path
) -> None:
    position = served.plane.audit_position()
    running = Running(served, tmp_path / "run.log")
    served.kubectl("wait", "--for=condition=Ready", "--timeout=60s", "dbclaim/orders", "-n", "shop")
    served.kubectl("wait", "--for=condition=Ready", "--timeout=60s", "dbrole/reports", "-n", "bi")
    first = _published(served)
    assert first.log_in() == "orders_a as orders_owner"

    served.kubectl("annotate", "dbclaim/orders", "-n", "shop", "dbclaims.io/rotate=now")
    until(lambda: _published(served).username == "orders_b", 30)
    assert _published(served).log_in() == "orders_b as orders_owner"
    closed = "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'orders_a'"
    until(lambda: applied.execute(closed) == [(False,)], 30)
    assert first.is_refused()

    served.kubectl("delete", "dbclaim/orders", "-n", "shop", "--timeout=30s")
    assert applied.execute("SELECT 1 FROM pg_database WHERE datname = 'orders'") == []
    served.kubectl("delete", "dbrole/reports", "-n", "bi", "--timeout=30s")
    served.kubectl("delete", "dbclass/shared-postgres", "--timeout=30s")
    served.kubectl("delete", "dbserver/shared", "-n", "platform", "--timeout=30s")

    assert (running.answer("/healthz")[0], running.answer("/readyz")[0]) == (200, 200)
    assert 'controller_runtime_reconcile_total{controller="databaseclaim"' in running.answer("/metrics")[1]
    assert running.stop() == 0
    assert refusals(served, position) == []
    # No claim of the examples has a server of its own.
    assert granted() - used(served, position) == {("databaseservers", "create"), ("databaseservers", "delete")}
    lines = logged(running)
    assert {line["level"] for line in lines} <= {"info"}, lines


def test_sigterm_hands_the_lease_to_the_waiting_process(served: Served, tmp_path: Path) -> None:
    first = Running(served, tmp_path / "first.log")
    until(lambda: served.holder() != "" and first.is_ready(), 30)
    holder = served.holder()
    second = Running(served, tmp_path / "second.log", user=USERS[1])
    until(second.is_ready, 30)
    assert served.holder() == holder, "the second one waits"
    began = time.monotonic()
    assert first.stop() == 0
    released = time.monotonic()
    until(lambda: served.holder() not in ("", holder), 10)
    assert time.monotonic() - released <= 3.0
    assert released - began <= 5.0
    until(lambda: any(line["msg"] == "starting workers" for line in logged(second)))
    assert second.stop() == 0


def test_a_process_that_loses_its_lease_ends_at_once(served: Served, tmp_path: Path) -> None:
    running = Running(served, tmp_path / "run.log")
    until(lambda: served.holder() != "", 30)
    taken = {"spec": {"holderIdentity": "somebody else", "leaseDurationSeconds": 3600}}
    assert served.plane.request("PATCH", LEASE, taken, kind="merge-patch+json")[0] == 200
    until(lambda: not running.process.running, 30)
    assert running.process.returncode == 1
    assert [line["msg"] for line in logged(running)][-2:] == ["lease lost", "ending, since the lease is lost"]
    assert served.plane.request("DELETE", LEASE)[0] == 200


def test_another_version_s_definitions_stop_the_start_with_one_sentence(served: Served) -> None:
    annotation = served.plane.request("GET", CRD)[1]["metadata"]["annotations"][SCHEMA]
    _annotate(served, "older")
    done = dbclaims("run", "--kubeconfig", served.plane.kubeconfig(USERS[0]), "--health-port", "0")
    _annotate(served, annotation)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "dbclaims: the cluster's definition of databaseclaims.dbclaims.io is another version's; run "
        "`dbclaims crds | kubectl apply --server-side -f -` with this version of dbclaims, and start it again"
    ]


def test_missing_definitions_are_named(store: KubernetesStore) -> None:
    with pytest.raises(WrongDefinitions, match=r"the cluster has no definition of databaseclasses\.dbclaims\.io, .*"):
        check_definitions(store)


def test_a_lost_identity_stops_the_start(served: Served, applied: PostgresServer, tmp_path: Path) -> None:
    running = Running(served, tmp_path / "run.log")
    served.kubectl("wait", "--for=condition=Ready", "--timeout=60s", "dbserver/shared", "-n", "platform")
    assert running.stop() == 0
    kept = served.kubectl("get", "secret/dbclaims-identity", "-n", "dbclaims-system", "-o", "yaml")
    served.kubectl("delete", "secret/dbclaims-identity", "-n", "dbclaims-system")
    again = Running(served, tmp_path / "again.log")
    until(lambda: not again.process.running, 30)
    served.kubectl("create", "-f", "-", text=kept)
    assert again.stop() == 1
    assert "Secret dbclaims-identity in namespace dbclaims-system is gone although" in again.log.read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--kubeconfig", "/nowhere"], "/nowhere cannot be used"),
    ],
)
def test_what_cannot_start_says_so_in_one_sentence(options: list[str], said: str) -> None:
    done = dbclaims("run", *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_taken_health_port_says_so(served: Served, tmp_path: Path) -> None:
    first = Running(served, tmp_path / "first.log")
    until(first.is_ready, 30)
    second = Running(served, tmp_path / "second.log", "--health-port", str(first.port))
    until(lambda: not second.process.running, 30)
    assert first.stop() == 0
    assert second.stop() == 1
    assert f"port {first.port} cannot be listened on" in second.log.read_text()


def _published(served: Served) -> Published:
    found = served.published("orders-db", "shop")
    assert found is not None
    return found


def _annotate(served: Served, checksum: str) -> None:
    patch = {"metadata": {"annotations": {SCHEMA: checksum}}}
    assert served.plane.request("PATCH", CRD, patch, kind="merge-patch+json")[0] == 200
