"""What an application's own login may try, as the owner and after `SET ROLE NONE` (PROTOCOL.md §1, §4.8)."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql

from dbclaims.core.spi import Verdict

from .conftest import MakeWorld
from .world import World

ATTACKS = {
    "forge the mark": "COMMENT ON DATABASE {database} IS 'dbclaims/1 installation=x kind=x nsuid=x ns=x name=x'",
    "forge the role's mark": "COMMENT ON ROLE {owner} IS 'mine'",
    "steer sessions by role": "ALTER DATABASE {database} SET role = {owner}",
    "steer sessions by search_path": "ALTER DATABASE {database} SET search_path = app",
    "make the database read-only": "ALTER DATABASE {database} SET default_transaction_read_only = on",
    "limit the database": "ALTER DATABASE {database} CONNECTION LIMIT 0",
    "lift its own limit": "ALTER ROLE {a} CONNECTION LIMIT -1",
    "open the other account": "ALTER ROLE {b} LOGIN",
    "set the other's password": "ALTER ROLE {b} PASSWORD 'x'",
    "drop the database": "DROP DATABASE {database}",
    "rename the database": "ALTER DATABASE {database} RENAME TO stolen",
    "take the database": "ALTER DATABASE {database} OWNER TO {owner}",
    "steer the admin": "ALTER ROLE {admin} SET search_path = app",
    "become the holder": "SET ROLE {holder}",
    "hand the owner on": "GRANT {owner} TO PUBLIC",
    "make a role": "CREATE ROLE intruder",
}


def _attack(claim: World, words: str) -> sql.Composed:
    names = {
        "database": claim.name,
        "owner": claim.owner,
        "a": claim.a,
        "b": claim.b,
        "admin": claim.session.admin.username,
        "holder": claim.session.holder,
    }
    return sql.SQL(words).format(**{key: sql.Identifier(name) for key, name in names.items()})


def _is_refused(connection: psycopg.Connection[Any], attack: sql.Composed) -> bool:
    try:
        connection.execute(attack)
    except psycopg.Error:
        return True
    return False


def test_no_attack_of_the_login_succeeds(claim: World) -> None:
    before = claim.lasting()
    for prelude in ("SELECT 1", "SET ROLE NONE"):
        with claim.login() as connection:
            connection.execute(prelude)
            succeeded = [goal for goal, words in ATTACKS.items() if not _is_refused(connection, _attack(claim, words))]
        assert succeeded == [], f"after {prelude!r}"
    assert claim.lasting() == before


def test_letting_everybody_in_does_not_work(claim: World) -> None:
    with claim.login() as connection:
        connection.execute(_attack(claim, "GRANT CONNECT ON DATABASE {database} TO PUBLIC"))
    assert claim.look().closed


def test_a_login_that_leaves_its_role_for_good_is_brought_back(claim: World) -> None:
    for leaving in ("ALTER ROLE {a} IN DATABASE {database} SET role = none", "ALTER ROLE {a} SET role = none"):
        with claim.login() as connection:
            connection.execute("SET ROLE NONE")
            connection.execute(_attack(claim, leaving))
        assert claim.probe().acts_as == claim.a
        assert claim.converge(claim.spec(), deep=True) == ["changeLogin"]
        assert claim.probe().acts_as == claim.owner


def test_a_schema_made_outside_of_the_role_is_given_back_to_the_owner(new_world: MakeWorld) -> None:
    claim = new_world(schemas=("app", "side"))
    claim.create()
    with claim.login() as connection:
        connection.execute("DROP SCHEMA side")
        connection.execute("SET ROLE NONE")
        connection.execute("CREATE SCHEMA side")
        connection.execute("CREATE TABLE side.astray ()")
    assert claim.converge(claim.spec(), deep=True) == ["takeSchemas"]
    with claim.login() as connection:
        assert connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'astray'").fetchall() == [
            (claim.owner,)
        ]


def test_an_operator_of_the_application_does_not_mislead_the_probe(claim: World) -> None:
    with claim.login() as connection:
        connection.execute("CREATE FUNCTION app.count(anyelement) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'")
        connection.execute("CREATE VIEW app.pg_roles AS SELECT 0::oid AS oid, 'nobody'::name AS rolname")
    assert claim.probe().verdict is Verdict.ACCEPTED
    assert claim.converge(claim.spec(), deep=True) == []


def test_another_claims_login_cannot_enter(claim: World, new_world: MakeWorld) -> None:
    neighbour = new_world(like=claim)
    neighbour.create()
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(
            host=claim.server.host,
            port=claim.server.port,
            user=neighbour.a,
            password=neighbour.password,
            dbname=claim.name,
        )
