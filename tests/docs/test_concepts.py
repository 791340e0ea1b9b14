"""The objects of the concepts page, put into a directory and reconciled: what it promises stands in the server."""

from __future__ import annotations

from pathlib import Path

from tests.commands.directory import dbclaims
from tests.conftest import StartPostgres
from tests.overlay import write

from .shown import acts_as, objects, offered


def test_the_objects_of_the_page_become_a_database_with_two_working_logins(
    new_postgres: StartPostgres, tmp_path: Path
) -> None:
    server = new_postgres()
    further = [each for each in objects("concepts.md") if each["kind"] != "DatabaseServer"]
    write(tmp_path / "objects.yaml", *offered(server, server.create_admin()), *further)

    ended = dbclaims("up", tmp_path, "--once")

    assert (ended.returncode, ended.stderr) == (0, "")
    secrets = tmp_path / ".dbclaims" / "secrets"
    assert acts_as(secrets / "shop" / "orders-db", server) == ("shop_orders_a", "shop_orders_owner")
    assert acts_as(secrets / "bi" / "orders-reports", server)[1].startswith("shop_orders_")
    (owner,) = server.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'shop_orders'")
    assert owner[0].startswith("dbclaims_")
    roles = server.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'shop\\_orders\\__' AND NOT rolcanlogin")
    assert roles == [("shop_orders_b",)]
