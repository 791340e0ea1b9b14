"""What an application's own login may try (mysql-protocol.md §3), and what it may do and cannot gain by."""

from __future__ import annotations

import pymysql
import pytest

from dbclaims.core.spi import Transient, Verdict
from dbclaims.engines import mysql as engine
from dbclaims.engines.mysql import locking
from dbclaims.engines.mysql.quoting import identifier

from .conftest import MakeWorld
from .world import World

ATTACKS = {
    "forge the mark": 'ALTER USER {owner} ATTRIBUTE \'{{"dbclaims": "x"}}\'',
    "forge the mark as a subject": "ALTER USER {owner} REQUIRE SUBJECT 'x'",
    "mark itself": "ALTER USER {a} REQUIRE SUBJECT 'x'",
    "read the marks": "SELECT * FROM mysql.user",
    "read MariaDB's marks": "SELECT * FROM mysql.global_priv",
    "show the owner": "SHOW CREATE USER {owner}",
    "lift its own limit": "ALTER USER {a} WITH MAX_USER_CONNECTIONS 0",
    "open the other account": "ALTER USER {b} ACCOUNT UNLOCK",
    "set the other's password": "SET PASSWORD FOR {b} = 'x'",
    "drop the other account": "DROP USER {b}",
    "drop the owner": "DROP USER {owner}",
    "make an account": "CREATE USER intruder",
    "make a role": "CREATE ROLE intruder",
    "hand its rights on": "GRANT SELECT ON {database}.* TO {b}",
    "become another": "GRANT PROXY ON {b} TO {a}",
    "define as the admin": "CREATE DEFINER = {admin} PROCEDURE p() SELECT 1",
    "make another database": "CREATE DATABASE intruding",
    "read files": "LOAD DATA INFILE '/etc/passwd' INTO TABLE t",
    "write files": "SELECT 1 INTO OUTFILE '/tmp/dbclaims-attack'",
    "change the server": "SET GLOBAL max_connections = 1",
    "stop the server": "SHUTDOWN",
    "kill the admin": "KILL {id}",
}


def _attack(claim: World, words: str) -> str:
    with claim.session.maintenance() as line:
        number = line.row("SELECT CONNECTION_ID() AS id")["id"]
    accounts = {"owner": claim.owner, "a": claim.a, "b": claim.b, "admin": claim.session.admin.username}
    quoted = {key: f"`{name}`@'%'" for key, name in accounts.items()}
    return words.format(**quoted, database=identifier(claim.name), id=number)


def test_no_attack_of_the_login_succeeds(claim: World) -> None:
    with claim.login() as cursor:
        cursor.execute("CREATE TABLE t (id TEXT)")
    before = claim.lasting()
    with claim.login() as cursor:
        succeeded = [goal for goal, words in ATTACKS.items() if not _is_refused(cursor, _attack(claim, words))]
    assert succeeded == []
    assert claim.lasting() == before


def _is_refused(cursor: pymysql.cursors.Cursor, attack: str) -> bool:
    try:
        cursor.execute(attack)
    except pymysql.MySQLError as error:
        # A lost connection would be a success of its own.
        return error.args[0] not in (2006, 2013)
    return False


def test_a_login_sees_no_other_session_and_no_other_account(claim: World) -> None:
    with claim.login() as cursor:
        cursor.execute("SELECT DISTINCT user FROM information_schema.processlist")
        assert cursor.fetchall() == ((claim.a,),)


def test_another_claims_login_cannot_enter(claim: World, new_world: MakeWorld) -> None:
    neighbour = new_world(like=claim)
    neighbour.create()
    with pytest.raises(pymysql.OperationalError) as refusal, neighbour.login() as cursor:
        cursor.execute(f"USE {identifier(claim.name)}")
    assert refusal.value.args[0] == 1044


def test_a_name_with_wildcards_opens_no_neighbour(new_world: MakeWorld) -> None:
    for name, other in (("shop_%s", "shopX%s"), ("shop%%%s", "shopping%s")):
        claim = new_world(name=name % "0a1")
        neighbour = new_world(like=claim, name=other % "0a1")
        claim.create()
        neighbour.create()
        with pytest.raises(pymysql.OperationalError) as refusal, claim.login() as cursor:
            cursor.execute(f"USE {identifier(neighbour.name)}")
        assert refusal.value.args[0] == 1044
        claim.converge(None)
        neighbour.converge(None)


def test_a_flip_of_partial_revokes_is_followed(new_world: MakeWorld) -> None:
    claim = new_world(name="flip_0a1")
    claim.create()
    if claim.server.is_mariadb:
        assert claim.grants()[claim.a] == {r"flip\_0a1"}
        return
    try:
        claim.server.execute("SET GLOBAL partial_revokes = ON")
        assert claim.converge(claim.spec()) == ["grant"]
        claim.server.execute("FLUSH PRIVILEGES")
        assert claim.probe().verdict is Verdict.ACCEPTED
        assert claim.grants()[claim.a] == {"flip_0a1"}
    finally:
        claim.server.execute("SET GLOBAL partial_revokes = OFF")
    assert claim.converge(claim.spec()) == ["grant"]
    assert claim.probe().verdict is Verdict.ACCEPTED
    assert claim.grants()[claim.a] == {r"flip\_0a1"}


def test_a_lock_that_a_login_sits_on_delays_and_does_not_stop(claim: World) -> None:
    with claim.login() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, 0)", [locking.key(claim.session.installation, claim.name)])
        with engine.engine_lock(session=claim.session, ref=claim.ref) as session:
            found = engine.engine_observe(session=session, ref=claim.ref)
    assert found is not None
    assert [finding.reason for finding in found.findings] == ["LockHeld"]


def test_another_controller_is_waited_for_and_not_passed_by(claim: World) -> None:
    with engine.engine_lock(session=claim.session, ref=claim.ref):
        with pytest.raises(Transient) as refusal, engine.engine_lock(session=claim.session, ref=claim.ref):
            pytest.fail("two controllers hold one lock")
        assert refusal.value.reason == "LockHeld"
    with engine.engine_lock(session=claim.session, ref=claim.ref) as session:
        assert engine.engine_observe(session=session, ref=claim.ref) is not None
