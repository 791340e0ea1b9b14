"""With exactly the rights that the chart renders, everything works and nothing is refused; and every right is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tests.commands.served import published
from tests.conftest import StartPostgres
from tests.controlplane.audit import AuditEvent
from tests.core.test_manager import until
from tests.rights import may
from tests.servers.postgres import PostgresServer

from .stand import SYSTEM, Installed, Stand, examples

NAMESPACES = ("shop", "bi", "platform")
SCOPES: Mapping[str, Mapping[str, Any]] = {
    "cluster": {},
    "cluster, and Secrets of some namespaces": {"rbac": {"secretNamespaces": list(NAMESPACES)}},
    "namespaces": {"rbac": {"scope": "namespaces", "namespaces": list(NAMESPACES)}},
}


def granted(stand: Stand, installed: Installed) -> set[tuple[str, str]]:
    """Every resource and verb that the cluster's own RBAC gives the account, as it was installed."""
    found: set[tuple[str, str]] = set()
    for kind in ("roles", "clusterroles"):
        path = f"/apis/rbac.authorization.k8s.io/v1/{kind}"
        for role in stand.plane.request("GET", path)[1]["items"]:
            labels = role["metadata"].get("labels", {})
            names_people = role["metadata"]["name"].endswith(("-view", "-edit", "-admin", "-platform"))
            if labels.get("app.kubernetes.io/instance") == installed.name and not names_people:
                found |= {
                    (what, verb) for rule in role["rules"] for what in rule["resources"] for verb in rule["verbs"]
                }
    return found


def used(events: Iterable[AuditEvent]) -> set[tuple[str, str]]:
    return {(each.resource, each.verb) for each in events if each.code not in (401, 403)}


def templated(server: PostgresServer) -> list[dict[str, Any]]:
    """A class that makes a DatabaseServer for each claim, and a claim of it."""
    config = {"host": server.host, "port": server.port, "adminSecretRef": {"name": "shared-admin"}}
    tls = {"tls": {"mode": "verify-full", "caSecretRef": {"name": "shared-ca", "key": "ca.crt"}}}
    template = {"namespace": "platform", "provider": "existing", "engine": "postgres", "config": config | tls}
    head = {"apiVersion": "dbclaims.io/v1alpha1"}
    own = {"className": "own", "databaseName": "own", "deletionPolicy": "Delete"}
    class_ = {"template": template, "allowedDeletionPolicies": ["Retain", "Delete"]}
    return [
        {**head, "kind": "DatabaseClass", "metadata": {"name": "own"}, "spec": class_},
        {**head, "kind": "DatabaseClaim", "metadata": {"name": "own", "namespace": "shop"}, "spec": own},
    ]


@pytest.mark.parametrize("scope", SCOPES)
def test_every_right_is_used_and_none_is_missing(stand: Stand, new_postgres: StartPostgres, scope: str) -> None:
    server = new_postgres()
    stand.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in NAMESPACES)
    installed = stand.install(values=SCOPES[scope])
    position = stand.plane.audit_position()
    replica = installed.start()
    stand.apply([*examples(server, server.create_admin()), *templated(server)])
    stand.wait("dbclaim/orders", "shop")
    stand.wait("dbrole/reports", "bi")
    stand.wait("dbclaim/own", "shop")
    stand.kubectl("annotate", "dbclaim/orders", "-n", "shop", "dbclaims.io/rotate=now")
    until(lambda: _username(stand) == "orders_b", 60)

    for what, namespace in (("dbrole/reports", "bi"), ("dbclaim/orders", "shop"), ("dbclaim/own", "shop")):
        stand.kubectl("delete", what, "-n", namespace, "--timeout=60s")
    until(lambda: "own" not in stand.kubectl("get", "dbserver", "-n", "platform"), 30)
    stand.kubectl("delete", "dbserver/shared", "-n", "platform", "--timeout=60s")
    assert server.execute("SELECT datname FROM pg_database WHERE datname IN ('orders', 'own')") == []
    assert replica.stop() == 0

    events = stand.asked_by(installed.account, position)
    assert [each for each in events if each.code in (401, 403)] == []
    assert granted(stand, installed) - used(events) == set()


def test_a_controller_of_some_namespaces_neither_sees_nor_serves_the_others(
    stand: Stand, new_postgres: StartPostgres
) -> None:
    server = new_postgres()
    stand.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in (*NAMESPACES, "hr"))
    installed = stand.install(values=SCOPES["namespaces"])
    replica = installed.start()
    documents = examples(server, server.create_admin(), allowedNamespaces={"names": ["*"]})
    stand.apply(documents)
    (orders,) = (each for each in documents if each["kind"] == "DatabaseClaim")
    spec = {key: value for key, value in orders["spec"].items() if key != "databaseName"}
    stand.apply([{**orders, "metadata": {"name": "salaries", "namespace": "hr"}, "spec": spec}])
    stand.wait("dbclaim/orders", "shop")
    path = "/apis/dbclaims.io/v1alpha1/namespaces/hr/databaseclaims/salaries"
    assert stand.plane.request("GET", path)[1]["status"]["observedGeneration"] == -1
    assert replica.stop() == 0
    assert not may(stand.plane, installed.account, "list", "databaseclaims", group="dbclaims.io")
    assert not may(stand.plane, installed.account, "get", "secrets", "hr")
    assert not may(stand.plane, installed.account, "list", "namespaces")


def test_secrets_are_read_by_name_and_leases_stand_in_the_own_namespace(stand: Stand) -> None:
    account = stand.install().account
    verbs = ("get", "list", "watch", "create", "update", "patch", "delete")
    allowed = {verb for verb in verbs if may(stand.plane, account, verb, "secrets", "shop")}
    assert allowed == {"get", "create", "update", "delete"}
    assert may(stand.plane, account, "update", "leases", SYSTEM, group="coordination.k8s.io")
    assert not may(stand.plane, account, "update", "leases", "shop", group="coordination.k8s.io")


def _username(stand: Stand) -> str:
    found = published(stand.plane, "orders-db", "shop")
    return found.username if found else ""
