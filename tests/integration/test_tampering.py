"""What others do to a live database: a DBA who breaks a login, and an application that turns on its controller."""

from __future__ import annotations

import psycopg
import pytest

from dbclaims.core.kinds import CLAIM

from .test_secrets import RESYNC
from .world import World


def test_a_password_that_somebody_changed_is_set_again_to_the_published_one(live: World) -> None:
    before = live.secret()
    live.postgres.execute(f"ALTER ROLE \"{before['username']}\" PASSWORD 'changed'")
    assert not live.logs_in()
    live.pass_time(RESYNC)
    assert live.secret() == before
    assert live.logs_in()
    assert live.is_current()


@pytest.mark.parametrize(
    "harm",
    [
        'REVOKE "{db}_owner" FROM "{db}_a"',
        'ALTER ROLE "{db}_a" NOLOGIN',
        'ALTER ROLE "{db}_a" RESET role',
        'ALTER ROLE "{db}_a" CONNECTION LIMIT 0',
        'ALTER ROLE "{db}_a" IN DATABASE "{db}" SET role = none',
        'REVOKE CONNECT ON DATABASE "{db}" FROM "{db}_owner"',
    ],
)
def test_what_somebody_took_from_the_login_is_given_back(live: World, harm: str) -> None:
    before = live.secret()
    live.postgres.execute(harm.format(db=before["database"]))
    live.pass_time(RESYNC, steps=2)
    assert live.secret() == before
    assert live.logs_in()
    with live.login() as connection:
        connection.execute("CREATE TABLE app.works ()")
    assert live.is_current()


def test_a_dropped_account_is_made_again_with_the_published_password(live: World) -> None:
    before = live.secret()
    live.postgres.execute(f'DROP ROLE "{before["username"]}"')
    live.pass_time(RESYNC, steps=2)
    assert live.secret() == before
    assert live.logs_in()


def test_a_dropped_owner_role_is_made_again(live: World) -> None:
    before = live.secret()
    database = before["database"]
    live.postgres.execute(f'REASSIGN OWNED BY "{database}_owner" TO postgres', dbname=database)
    live.postgres.execute(f'DROP OWNED BY "{database}_owner"', dbname=database)
    live.postgres.execute(f'DROP ROLE "{database}_owner"')
    live.pass_time(RESYNC, steps=3)
    assert live.roles() == {f"{database}_owner": False, f"{database}_a": True, f"{database}_b": False}
    assert not live.is_current() or live.logs_in()


ATTACKS = [
    "COMMENT ON DATABASE \"{db}\" IS 'mine'",
    "COMMENT ON ROLE \"{db}_owner\" IS 'mine'",
    'ALTER ROLE "{db}_a" CONNECTION LIMIT -1',
    'ALTER DATABASE "{db}" CONNECTION LIMIT 0',
    "ALTER DATABASE \"{db}\" SET role = '{db}_owner'",
    'DROP DATABASE "{db}"',
    'ALTER DATABASE "{db}" RENAME TO stolen',
    'ALTER DATABASE "{db}" OWNER TO "{db}_owner"',
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_applications_own_login_is_refused(live: World, attack: str) -> None:
    database = live.secret()["database"]
    with live.login() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(attack.format(db=database))
    live.edit(CLAIM, "orders", schemas=["app", "more"])
    live.settle()
    assert live.is_current()


def test_functions_and_operators_of_an_application_do_not_run_as_the_admin(live: World) -> None:
    database = live.secret()["database"]
    with live.login() as connection:
        connection.execute("CREATE SCHEMA trap")
        connection.execute(
            "CREATE FUNCTION trap.string_agg(text, text) RETURNS text LANGUAGE plpgsql AS "
            "$$ BEGIN EXECUTE 'CREATE ROLE \"stolen_" + live.tag + "\"'; RETURN ''; END $$"
        )
        connection.execute(f'ALTER ROLE CURRENT_USER IN DATABASE "{database}" SET search_path = trap')
    live.edit(CLAIM, "orders", schemas=["app", "more"])
    live.pass_time(RESYNC)
    assert f"stolen_{live.tag}" not in live.roles()
    assert live.is_current()


def test_a_schema_that_belongs_to_somebody_else_is_not_taken(live: World) -> None:
    live.postgres.execute("CREATE SCHEMA theirs", dbname=live.secret()["database"])
    live.edit(CLAIM, "orders", schemas=["app", "theirs"])
    live.settle()
    live.expect("Stalled", "SchemaTaken", "theirs")
    assert live.logs_in()
