"""The SQL of the pages about the admin login, run as a superuser on real servers: the admin can do its work."""

from __future__ import annotations

import secrets
from collections import Counter

import psycopg
import pytest

from dbclaims.core.spi import Credentials
from dbclaims.engines.postgres import holding
from tests.conftest import StartPostgres
from tests.engines.postgres.world import open_session
from tests.servers.postgres import PostgresServer

from .blocks import blocks

ANOTHER = "another-long-random-one"


def sql(about: str, admin: str, password: str = "") -> list[str]:
    """The statements of the one SQL block that mentions `about`, for an admin of this name and password."""
    (text,) = (block.text for block in blocks("sql") if about in block.text)
    text = text.replace("dbclaims_admin", admin).replace("change-me", password).replace(ANOTHER, password)
    return [statement for statement in text.split(";\n") if statement]


def make_admin(server: PostgresServer) -> Credentials:
    """The admin as the page makes it, under a name of its own."""
    admin = Credentials(f"admin_{secrets.token_hex(4)}", secrets.token_urlsafe())
    for statement in sql("CREATE ROLE", admin.username, admin.password):
        server.execute(statement)
    return admin


def test_every_sql_block_is_run_by_a_test() -> None:
    """Here, and in test_adopt.py."""
    pages = Counter(block.place.partition(":")[0] for block in blocks("sql"))
    assert pages == {"operating.md": 2, "rotate.md": 1, "adopt.md": 2}


def test_the_admin_of_the_page_can_hold_a_server(postgres: PostgresServer) -> None:
    session = open_session(postgres, make_admin(postgres))
    try:
        assert holding.hold(session, "identity") == "identity"
        found = holding.survey(session)
        assert found.identity == "identity"
        assert {finding.reason for finding in found.findings} <= {"SharedCreaterole"}
    finally:
        session.close()


def test_a_closed_maintenance_database_lets_the_admin_in_and_no_application(new_postgres: StartPostgres) -> None:
    server = new_postgres()
    admin, stranger = make_admin(server), server.create_login("stranger")
    for statement in sql("REVOKE CONNECT", admin.username):
        server.execute(statement)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(server.dsn(stranger))
    session = open_session(server, admin)
    try:
        assert holding.hold(session, "identity") == "identity"
    finally:
        session.close()


def test_the_admin_s_password_is_changed_as_the_page_says(pg: PostgresServer) -> None:
    admin = make_admin(pg)
    changed = Credentials(admin.username, secrets.token_urlsafe())
    for statement in sql("ALTER ROLE dbclaims_admin", changed.username, changed.password):
        pg.execute(statement)
    session = open_session(pg, changed)
    try:
        assert holding.hold(session, "identity") == "identity"
    finally:
        session.close()
