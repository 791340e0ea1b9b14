"""The objects of the concepts page, put into a directory and reconciled: what it promises stands in the server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from tests.conftest import StartPostgres
from tests.servers.postgres import PostgresServer

from .blocks import blocks


def objects() -> Iterator[dict[str, Any]]:
    """The first object of each kind and name on the page; later ones show further fields."""
    seen = set()
    for block in blocks("yaml"):
        if block.place.startswith("concepts.md"):
            for document in yaml.safe_load_all(block.text):
                name = (document["kind"], document["metadata"]["name"])
                if name not in seen:
                    seen.add(name)
                    yield document


def secret(name: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "platform"},
        "stringData": data,
    }


@pytest.fixture
def server(new_postgres: StartPostgres) -> PostgresServer:
    """A server of its own: the names on the page are plain ones."""
    return new_postgres()


def test_the_objects_of_the_page_become_a_database_with_two_working_logins(
    server: PostgresServer, tmp_path: Path
) -> None:
    admin = server.create_admin()
    documents = [
        *objects(),
        secret("shared-admin", username=admin.username, password=admin.password),
        secret("shared-ca", **{"ca.crt": server.ca_file.read_text()}),
    ]
    for document in documents:
        if document["kind"] == "DatabaseServer":
            document["spec"]["config"] |= {"host": server.host, "port": server.port}
    (tmp_path / "objects.yaml").write_text(yaml.safe_dump_all(documents))

    command = [sys.executable, "-m", "dbclaims.core.cli", "up", str(tmp_path), "--once"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")
    secrets = tmp_path / ".dbclaims" / "secrets"
    assert acts_as(secrets / "shop" / "orders-db", server) == ("shop_orders_a", "shop_orders_owner")
    assert acts_as(secrets / "bi" / "orders-reports", server)[1].startswith("shop_orders_")
    (owner,) = server.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'shop_orders'")
    assert owner[0].startswith("dbclaims_")
    roles = server.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'shop\\_orders\\__' AND NOT rolcanlogin")
    assert roles == [("shop_orders_b",)]


def acts_as(folder: Path, server: PostgresServer) -> tuple[str, str]:
    """Who logs in with a published Secret, and who that is in the database."""
    with psycopg.connect((folder / "dsn").read_text(), sslrootcert=str(server.ca_file)) as connection:
        row = connection.execute("SELECT session_user::text, current_user::text").fetchone()
    assert row is not None
    return row
