"""The examples through a real kubectl: applied, read, waited for, logged in with psql, edited, deleted.

The examples are applied as they are but for their overlay: host, port and the Secrets' data.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from dbclaims.core.kinds import CLAIM, ROLE, SERVER
from tests.api.examples import documents
from tests.conftest import StartPostgres, needed
from tests.core.test_manager import until
from tests.parts import MissingPart

from .conftest import MakeWorld
from .world import World

pytestmark = pytest.mark.scopes("cluster", "namespaces")


def kubectl(world: World, *arguments: str, text: str = "", code: int = 0) -> str:
    """What kubectl says; its end must be `code`."""
    command = [str(world.cluster.kubectl), "--kubeconfig", str(world.cluster.kubeconfig()), *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def psql(secret: Mapping[str, str], folder: Path, sql: str) -> str:
    """Run SQL with a real psql by the published `uri`, with the authority where PGSSLROOTCERT says."""
    authority = folder / "ca.crt"
    authority.write_text(secret["ca.crt"])
    environment = {**os.environ, "PGSSLROOTCERT": str(authority)}
    program = needed(_psql)
    done = subprocess.run(
        [program, "-XAtc", sql, secret["uri"]],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _psql() -> str:
    found = shutil.which("psql")
    if found is None:
        raise MissingPart("psql is not installed: apt-get install postgresql-client")
    return found


@pytest.fixture
def examples(new_world: MakeWorld, new_postgres: StartPostgres) -> World:
    """A world of the examples' own names, with the examples applied and carried out."""
    world = new_world(new_postgres(), tag="")
    manifests = sorted((_overlaid(world, each) for each in documents()), key=lambda each: each["kind"] != "Namespace")
    kubectl(world, "apply", "-f", "-", text="---\n".join(yaml.safe_dump(each) for each in manifests))

    def ready() -> bool:
        world.settle()
        return all(
            world.is_current(name, kind, ns) for name, kind, ns in (("orders", CLAIM, "shop"), ("reports", ROLE, "bi"))
        )

    until(ready, 30)
    return world


def _overlaid(world: World, document: dict[str, Any]) -> dict[str, Any]:
    if document["kind"] == "DatabaseServer":
        document["spec"]["config"] |= {"host": world.postgres.host, "port": world.postgres.port}
    if document["metadata"]["name"] == "shared-admin":
        document["stringData"] = {"username": world.admin.username, "password": world.admin.password}
    if document["metadata"]["name"] == "shared-ca":
        document["stringData"] = {"ca.crt": world.postgres.ca_file.read_text()}
    return document


def test_the_examples_become_ready_read_well_and_end_as_they_say(examples: World, tmp_path: Path) -> None:
    world = examples
    assert psql(world.secret("orders-db"), tmp_path, "SELECT current_user, digest('x', 'md5') IS NOT NULL") == (
        "orders_owner|t"
    )
    assert psql(world.secret("orders-reports", "bi"), tmp_path, "SELECT has_schema_privilege('app', 'USAGE')") == "t"

    everything = kubectl(world, "get", "dbclaims", "-A")
    assert everything.count("Available") == 5
    table = kubectl(world, "get", "databaseclaims", "-A")
    assert table.split()[:8] == ["NAMESPACE", "NAME", "READY", "REASON", "DATABASE", "VERSION", "CLASS", "AGE"]
    claims = kubectl(world, "get", "databaseclaims", "-n", "shop", "-o", "wide").splitlines()
    assert "orders-db" in claims[1]
    assert "True" in claims[1]
    described = kubectl(world, "describe", "databaseclaim", "orders", "-n", "shop")
    assert "Secret orders-db holds it." in described
    assert "Normal" in described
    assert "Available" in described.split("Events:")[1]

    kubectl(world, "wait", "--for=condition=Ready", "--timeout=5s", "-n", "shop", "databaseclaim/orders")
    kubectl(world, "wait", "--for=condition=Ready", "--timeout=5s", "-n", "bi", "roleclaim/reports")
    kubectl(world, "wait", "--for=condition=Ready", "--timeout=5s", "-n", "platform", "databaseserver/shared")
    kubectl(world, "wait", "--for=condition=Ready", "--timeout=5s", "databaseclass/shared-postgres")
    kubectl(world, "wait", "--for=condition=Ready", "--timeout=5s", "-n", "shop", "claimgrant/bi-may-read")

    world.edit(CLAIM, "orders", extensions=["pgcrypto", "postgis"])
    world.settle()
    kubectl(world, "wait", "--for=condition=Ready", "--timeout=1s", "-n", "shop", "databaseclaim/orders", code=1)
    assert "ExtensionNotAllowed" in kubectl(world, "describe", "databaseclaim", "orders", "-n", "shop")
    assert psql(world.secret("orders-db"), tmp_path, "SELECT 1") == "1"
    world.edit(CLAIM, "orders", extensions=["pgcrypto"])
    world.settle()
    kubectl(world, "wait", "--for=condition=Ready", "--timeout=5s", "-n", "shop", "databaseclaim/orders")

    refused = kubectl(
        world,
        "patch",
        "databaseclaim",
        "orders",
        "-n",
        "shop",
        "--type=merge",
        "-p",
        '{"spec": {"databaseName": "other"}}',
        code=1,
    )
    assert "databaseName is immutable; moving a database is a migration; make another claim" in refused

    databases = "SELECT count(*) FROM pg_database WHERE datname = 'orders'"
    kubectl(world, "delete", "databaseclaim", "orders", "-n", "shop", "--wait=false")
    until(lambda: _deleted(world, "orders"))
    assert world.postgres.execute(databases) == [(0,)], "the example's policy is Delete"


def test_under_retain_kubectl_delete_leaves_the_database(examples: World) -> None:
    world = examples
    world.edit(CLAIM, "orders", deletionPolicy="Retain")
    world.settle()
    kubectl(world, "delete", "databaseclaim", "orders", "-n", "shop", "--wait=false")
    until(lambda: _deleted(world, "orders"))
    assert world.postgres.execute("SELECT count(*) FROM pg_database WHERE datname = 'orders'") == [(1,)]
    assert world.find(SERVER, "shared", "platform") is not None


def _deleted(world: World, name: str) -> bool:
    world.settle()
    return world.find(CLAIM, name) is None
