"""RoleClaims: what a reader and a writer can do, what they cannot, and what happens when their grant changes."""

from __future__ import annotations

import attrs
import psycopg
import pytest

from dbclaims.core.spi import Access, Account, Login, Verdict

from .conftest import MakeWorld
from .world import World, without_verifiers

WRITES = ("INSERT INTO app.t VALUES (2)", "UPDATE app.t SET id = 3", "DELETE FROM app.t")
NEVER = (
    "TRUNCATE app.t",
    "CREATE TABLE app.mine ()",
    "CREATE TRIGGER x AFTER INSERT ON app.t EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "DROP TABLE app.t",
    "CREATE SCHEMA mine",
    "SELECT * FROM secret.t",
)


@pytest.fixture
def shop(new_world: MakeWorld) -> World:
    """Return a claim with two schemas, a table in each, a reader `r` and a writer `w` of the first."""
    shop = new_world(schemas=("app", "secret"))
    shop.create()
    with shop.login() as connection:
        connection.execute("CREATE TABLE app.t (id serial)")
        connection.execute("CREATE TABLE secret.t (id int)")
    shop.role_claim("r", {"app": Access.READER})
    shop.role_claim("w", {"app": Access.WRITER})
    shop.converge(shop.spec(), deep=True)
    return shop


def _may(world: World, role: str, statement: str) -> bool:
    with world.login(f"{world.name}_{role}_a") as connection:
        try:
            connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            return False
    return True


def test_a_reader_reads_and_does_nothing_else(shop: World) -> None:
    assert _may(shop, "r", "SELECT * FROM t")
    assert [statement for statement in (*WRITES, *NEVER) if _may(shop, "r", statement)] == []


def test_a_writer_writes_and_does_nothing_else(shop: World) -> None:
    assert [
        statement for statement in ("INSERT INTO t DEFAULT VALUES", *WRITES) if not _may(shop, "w", statement)
    ] == []
    assert [statement for statement in NEVER if _may(shop, "w", statement)] == []


def test_later_objects_of_either_account_are_readable(shop: World) -> None:
    with shop.login() as connection:
        connection.execute("CREATE TABLE app.by_a ()")
    shop.armed = (True, True)
    arming = attrs.evolve(shop.spec().logins[0].accounts[1], verifier=shop.verifier(shop.b))
    spec = without_verifiers(shop.spec())
    first = attrs.evolve(spec.logins[0], accounts=(spec.logins[0].accounts[0], arming))
    shop.converge(attrs.evolve(spec, logins=(first, *spec.logins[1:])))
    with shop.login(shop.b) as connection:
        connection.execute("CREATE TABLE by_b ()")
    assert _may(shop, "r", "SELECT FROM app.by_a")
    assert _may(shop, "r", "SELECT FROM app.by_b")


def test_the_accounts_act_as_the_role_and_own_nothing(shop: World) -> None:
    probe = shop.probe(account=f"{shop.name}_r_a")
    assert (probe.verdict, probe.acts_as) == (Verdict.ACCEPTED, f"{shop.name}_r")


def test_a_narrowed_grant_takes_rights_away(shop: World) -> None:
    shop.role_claim("w", {"app": Access.READER})
    assert shop.converge(without_verifiers(shop.spec()), deep=True) == ["grant"]
    assert [statement for statement in WRITES if _may(shop, "w", statement)] == []
    assert _may(shop, "w", "SELECT * FROM app.t")


def test_a_grant_moved_to_another_schema_leaves_the_first(shop: World) -> None:
    shop.role_claim("r", {"secret": Access.READER})
    assert "grant" in shop.converge(without_verifiers(shop.spec()), deep=True)
    assert _may(shop, "r", "SELECT * FROM secret.t")
    assert not _may(shop, "r", "SELECT * FROM app.t")
    assert shop.converge(without_verifiers(shop.spec()), deep=True) == []


@pytest.mark.parametrize(
    "tampering",
    [
        "REVOKE SELECT ON app.t FROM {}",
        "GRANT TRUNCATE ON app.t TO {}",
        "REVOKE USAGE ON SCHEMA app FROM {}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE SELECT ON TABLES FROM {}",
        "GRANT SELECT ON secret.t TO {}",
    ],
)
def test_rights_that_are_no_preset_are_put_right(shop: World, tampering: str) -> None:
    with shop.login() as connection:
        connection.execute(psycopg.sql.SQL(tampering).format(psycopg.sql.Identifier(f"{shop.name}_r")))
    assert shop.converge(without_verifiers(shop.spec()), deep=True) == ["grant"]
    assert [statement for statement in (*WRITES, *NEVER) if _may(shop, "r", statement)] == []
    assert _may(shop, "r", "SELECT * FROM app.t")


def test_a_dropped_login_is_gone_and_its_objects_stay(shop: World) -> None:
    with shop.login() as connection:
        connection.execute(psycopg.sql.SQL("GRANT CREATE ON SCHEMA app TO {}").format(_id(f"{shop.name}_w")))
    with shop.login(f"{shop.name}_w_a") as connection:
        connection.execute("CREATE TABLE app.left_behind ()")
    shop.further = tuple(attrs.evolve(login, drop=login.role.endswith("_w")) for login in shop.further)
    assert set(shop.converge(without_verifiers(shop.spec()), deep=True)) >= {"closeAccounts", "dropLogin"}
    assert not {f"{shop.name}_w", f"{shop.name}_w_a", f"{shop.name}_w_b"} & shop.look().roles.keys()
    with shop.login() as connection:
        assert connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'left_behind'").fetchall() == [
            (shop.owner,)
        ]
    assert shop.converge(without_verifiers(shop.spec()), deep=True) == []


def test_access_owner_acts_as_the_owner_itself(shop: World) -> None:
    accounts = (Account(f"{shop.name}_o_a", True, shop.verifier("")), Account(f"{shop.name}_o_b"))
    shop.further = (*shop.further, Login(shop.owner, accounts))
    shop.converge(shop.spec(), deep=True)
    assert shop.probe(account=f"{shop.name}_o_a").acts_as == shop.owner
    shop.further = (*shop.further[:-1], attrs.evolve(shop.further[-1], drop=True))
    shop.converge(without_verifiers(shop.spec()), deep=True)
    assert shop.probe(account=f"{shop.name}_o_a").verdict is Verdict.CLOSED
    assert shop.probe().verdict is Verdict.ACCEPTED


def test_a_foreign_table_in_the_schema_does_not_stop_a_grant(new_world: MakeWorld) -> None:
    world = new_world()
    world.create()
    world.server.execute("CREATE TABLE app.theirs ()", dbname=world.name)
    world.role_claim("r", {"app": Access.READER})
    world.converge(world.spec(), deep=True)
    assert world.probe(account=f"{world.name}_r_a").verdict is Verdict.ACCEPTED


def _id(name: str) -> psycopg.sql.Identifier:
    return psycopg.sql.Identifier(name)
