"""The yardstick of peer-cost.md §1: a claim served as the kopf documentation would have it, with default settings.

Database, owner role, login, Secret and status; one connection per claim, seven statements; deleted with the claim.
KUBECONFIG names the cluster and BENCH_DSN the server.
"""

from __future__ import annotations

import base64
import os
import secrets
from typing import Any

import kopf
import kubernetes
import psycopg
from psycopg import sql

kubernetes.config.load_kube_config()  # type: ignore[no-untyped-call]
_api = kubernetes.client.CoreV1Api()
_custom = kubernetes.client.CustomObjectsApi()
_CLAIMS = ("dbclaims.io", "v1alpha1", "databaseclaims")


@kopf.on.create(*_CLAIMS)
def create(namespace: str | None, name: str, uid: str, meta: Any, **_: Any) -> None:
    """Make the database and publish the login."""
    assert namespace is not None
    password = secrets.token_urlsafe(24)
    with psycopg.connect(os.environ["BENCH_DSN"], autocommit=True) as connection:
        _make(connection, name, password)
    owner = {"apiVersion": "dbclaims.io/v1alpha1", "kind": "DatabaseClaim", "name": name, "uid": uid}
    values = {"username": f"{name}_a", "password": password, "database": name}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    metadata = {"name": f"{name}-db", "ownerReferences": [owner]}
    secret: Any = {"metadata": metadata, "data": data}
    _api.create_namespaced_secret(namespace, secret)
    ready = {"type": "Ready", "status": "True", "reason": "Made", "message": "", "observedGeneration": 1}
    status = {"conditions": [ready | {"lastTransitionTime": meta["creationTimestamp"]}]}
    group, version, plural = _CLAIMS
    _custom.patch_namespaced_custom_object_status(group, version, namespace, plural, name, {"status": status})


@kopf.on.delete(*_CLAIMS)
def delete(name: str, **_: Any) -> None:
    """Drop it. That there is such a handler makes kopf set a finalizer."""
    with psycopg.connect(os.environ["BENCH_DSN"], autocommit=True) as connection:
        for what in ("DATABASE", "ROLE", "ROLE"):
            suffix = "" if what == "DATABASE" else "_a"
            connection.execute(sql.SQL(f"DROP {what} IF EXISTS {{}}").format(sql.Identifier(name + suffix)))


def _make(connection: psycopg.Connection[Any], name: str, password: str) -> None:
    database, owner, login = (sql.Identifier(name + suffix) for suffix in ("", "_owner", "_a"))
    if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [f"{name}_owner"]).rowcount:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(owner))
    if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [f"{name}_a"]).rowcount:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(login, sql.Literal(password)))
    connection.execute(sql.SQL("GRANT {} TO {}").format(owner, login))
    if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(database))
