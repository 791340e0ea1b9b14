"""The page about adoption, step by step: an old database becomes a claim's, and nobody is locked out."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.commands.directory import dbclaims
from tests.conftest import StartPostgres
from tests.overlay import write
from tests.servers.postgres import Account, PostgresServer

from .blocks import REPOSITORY, blocks_of
from .shown import acts_as, objects, offered

DATABASE = "legacy_orders"
GRANT, CLOSE = [block.text for block in blocks_of(REPOSITORY / "docs" / "adopt.md") if block.language == "sql"]


@pytest.fixture
def server(new_postgres: StartPostgres) -> PostgresServer:
    """A server whose admin is called as on the page."""
    return new_postgres()


@pytest.fixture
def keeper(server: PostgresServer) -> Account:
    """The owner of the old database, in which it has a table."""
    keeper = server.create_login("legacy_owner")
    server.execute(f"CREATE DATABASE {DATABASE} OWNER {keeper.username}")
    with psycopg.connect(server.dsn(keeper, DATABASE), autocommit=True) as connection:
        connection.execute("CREATE TABLE remembered AS SELECT 42 AS answer")
    return keeper


def test_a_database_is_adopted_as_the_page_says(server: PostgresServer, keeper: Account, tmp_path: Path) -> None:
    write(tmp_path / "objects.yaml", *offered(server, server.create_admin()), *objects("adopt.md"))
    refused = dbclaims("up", tmp_path, "--once")
    assert refused.returncode == 1
    assert GRANT.rstrip(";\n") in refused.stderr.replace('"', ""), "the line that the message holds is the page's"

    server.execute(GRANT)
    adopted = dbclaims("up", tmp_path, "--once")
    assert (adopted.returncode, adopted.stderr) == (0, "")
    secret = tmp_path / ".dbclaims" / "secrets" / "shop" / "orders-db"
    assert acts_as(secret, server) == (f"{DATABASE}_a", keeper.username)
    assert reads(server.dsn(keeper, DATABASE)), "the former login works on"

    server.execute(CLOSE)
    assert dbclaims("up", tmp_path, "--once").returncode == 0
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        reads(server.dsn(keeper, DATABASE))
    assert reads(f"{(secret / 'dsn').read_text()} sslrootcert={server.ca_file}")


def reads(dsn: str) -> bool:
    with psycopg.connect(dsn) as connection:
        return connection.execute("SELECT answer FROM remembered").fetchone() == (42,)
