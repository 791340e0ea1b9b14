"""RoleClaims: what a reader and a writer can do, what they cannot, and what happens when their access changes."""

from __future__ import annotations

import attrs
import pymysql
import pytest

from dbclaims.core.spi import Access, Account, Login, Verdict
from dbclaims.engines.mysql.quoting import identifier

from .world import World, without_verifiers

WRITES = ("INSERT INTO t VALUES (2)", "UPDATE t SET id = 3", "DELETE FROM t", "CREATE TEMPORARY TABLE mine (id INT)")
NEVER = (
    "TRUNCATE t",
    "CREATE TABLE mine (id INT)",
    "ALTER TABLE t ADD extra INT",
    "DROP TABLE t",
    "CREATE VIEW v2 AS SELECT 1",
    "CREATE INDEX i ON t (id)",
    "CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW SET @x = 1",
    "CREATE PROCEDURE p2() SELECT 1",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
    "DROP DATABASE {database}",
    "CREATE DATABASE another",
    "SELECT * FROM mysql.user",
)
DENIED = frozenset({1044, 1142, 1227, 1370})


@pytest.fixture
def shop(claim: World) -> World:
    """Return a claim with a table, a reader `r` and a writer `w`."""
    with claim.login() as cursor:
        cursor.execute("CREATE TABLE t (id INT)")
    claim.role_claim("r", Access.READER)
    claim.role_claim("w", Access.WRITER)
    claim.converge(claim.spec())
    return claim


def _may(world: World, role: str, statement: str) -> bool:
    with world.login(f"{world.name}_{role}_a") as cursor:
        try:
            cursor.execute(statement.replace("{database}", identifier(world.name)))
        except pymysql.MySQLError as error:
            if error.args[0] not in DENIED:
                raise
            return False
    return True


def test_a_reader_reads_and_does_nothing_else(shop: World) -> None:
    assert _may(shop, "r", "SELECT * FROM t")
    assert [statement for statement in (*WRITES, *NEVER) if _may(shop, "r", statement)] == []


def test_a_writer_writes_and_does_nothing_else(shop: World) -> None:
    assert [statement for statement in WRITES if not _may(shop, "w", statement)] == []
    assert [statement for statement in NEVER if _may(shop, "w", statement)] == []


def test_later_objects_of_either_account_are_readable(shop: World) -> None:
    with shop.login() as cursor:
        cursor.execute("CREATE TABLE by_a (id INT)")
    spec = without_verifiers(shop.spec())
    accounts = (spec.logins[0].accounts[0], Account(shop.b, True, shop.verifier(shop.b)))
    shop.converge(attrs.evolve(spec, logins=(attrs.evolve(spec.logins[0], accounts=accounts), *spec.logins[1:])))
    with shop.login(shop.b) as cursor:
        cursor.execute("CREATE TABLE by_b (id INT)")
    assert _may(shop, "r", "SELECT * FROM by_a")
    assert _may(shop, "r", "SELECT * FROM by_b")


def test_what_one_account_made_the_other_uses_and_replaces(shop: World) -> None:
    with shop.login() as cursor:
        cursor.execute("CREATE VIEW v AS SELECT id FROM t")
        cursor.execute("CREATE PROCEDURE p() INSERT INTO t VALUES (7)")
    shop.armed = (False, True)
    spec = without_verifiers(shop.spec())
    accounts = (spec.logins[0].accounts[0], Account(shop.b, True, shop.verifier(shop.b)))
    shop.converge(attrs.evolve(spec, logins=(attrs.evolve(spec.logins[0], accounts=accounts), *spec.logins[1:])))
    assert shop.probe().verdict is Verdict.CLOSED
    with shop.login(shop.b) as cursor:
        cursor.execute("CALL p()")
        cursor.execute("SELECT id FROM v")
        assert cursor.fetchall() == ((7,),)
        cursor.execute("CREATE OR REPLACE VIEW v AS SELECT 1 AS one")


def test_a_narrowed_access_takes_rights_away(shop: World) -> None:
    shop.role_claim("w", Access.READER)
    assert shop.converge(without_verifiers(shop.spec())) == ["grant"]
    assert [statement for statement in WRITES if _may(shop, "w", statement)] == []
    assert _may(shop, "w", "SELECT * FROM t")


@pytest.mark.parametrize(
    "tampering",
    [
        "REVOKE SELECT ON {database}.* FROM {account}",
        "GRANT DROP ON {database}.* TO {account}",
        "GRANT SELECT ON {database}.* TO {account} WITH GRANT OPTION",
        "REVOKE ALL ON {database}.* FROM {account}",
    ],
)
def test_rights_that_are_no_preset_are_put_right(shop: World, tampering: str) -> None:
    account = f"`{shop.name}_r_a`@'%'"
    shop.server.execute(tampering.format(database=identifier(shop.name), account=account))
    assert shop.converge(without_verifiers(shop.spec())) == ["grant"]
    assert [statement for statement in (*WRITES, *NEVER) if _may(shop, "r", statement)] == []
    assert _may(shop, "r", "SELECT * FROM t")


def _without(shop: World, suffix: str) -> World:
    further = tuple(attrs.evolve(login, drop=login.role.endswith(suffix)) for login in shop.further)
    return attrs.evolve(shop, further=further)


def test_a_dropped_login_is_gone(shop: World) -> None:
    less = _without(shop, "_w")
    assert less.converge(without_verifiers(less.spec())) == ["closeAccounts", "dropLogin"]
    assert not {f"{shop.name}_w", f"{shop.name}_w_a", f"{shop.name}_w_b"} & shop.look().roles.keys()
    assert less.converge(without_verifiers(less.spec())) == []
    assert _may(shop, "r", "SELECT * FROM t")


def test_a_dropped_login_that_defines_something_is_kept_locked_and_without_rights(shop: World) -> None:
    account = f"{shop.name}_w_a"
    shop.server.execute(
        f"CREATE DEFINER = `{account}`@'%' PROCEDURE {identifier(shop.name)}.left_behind() SELECT COUNT(*) FROM t"
    )
    less = _without(shop, "_w")
    less.converge(without_verifiers(less.spec()))
    kept = shop.look().roles
    assert not kept[account].login
    assert account not in shop.grants()
    assert f"{shop.name}_w_b" not in kept
    assert less.converge(without_verifiers(less.spec())) == []
    shop.converge(shop.spec())
    assert _may(shop, "w", "INSERT INTO t VALUES (1)")
    less.converge(without_verifiers(less.spec()))
    shop.further = tuple(login for login in shop.further if login.role.endswith("_r"))
    shop.converge(None)
    assert shop.observe() is None


def test_access_owner_has_the_owners_rights_and_no_mark_of_its_own(shop: World) -> None:
    names = (f"{shop.name}_o_a", f"{shop.name}_o_b")
    accounts = (Account(names[0], True, shop.verifier("")), Account(names[1]))
    shop.further = (*shop.further, Login(shop.owner, accounts))
    shop.converge(shop.spec())
    assert _may(shop, "o", "CREATE TABLE made (id INT)")
    shop.further = (*shop.further[:-1], attrs.evolve(shop.further[-1], drop=True))
    shop.converge(without_verifiers(shop.spec()))
    assert shop.probe(account=names[0]).verdict is Verdict.CLOSED
    assert not set(names) & shop.look().roles.keys()
    assert shop.probe().verdict is Verdict.ACCEPTED
