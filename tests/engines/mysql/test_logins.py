"""What is repaired when somebody changed a login behind our back, and how one account gives way to the other."""

from __future__ import annotations

import secrets

import attrs
import pymysql
import pytest

from dbclaims.core.spi import Credentials, Verdict
from dbclaims.engines import mysql as engine
from dbclaims.engines.mysql.quoting import identifier

from .world import World

TAMPERINGS = {
    "the rights were revoked": "REVOKE ALL ON {database}.* FROM {a}",
    "the login was locked": "ALTER USER {a} ACCOUNT LOCK",
    "the limit was lifted": "ALTER USER {a} WITH MAX_USER_CONNECTIONS 0",
    "a certificate is demanded": "ALTER USER {a} REQUIRE X509",
    "the idle account was dropped": "DROP USER {b}",
    "the idle account lost its rights": "REVOKE SELECT ON {database}.* FROM {b}",
    "it may hand its rights on": "GRANT SELECT ON {database}.* TO {a} WITH GRANT OPTION",
}


def _run(claim: World, words: str) -> None:
    names = {"a": f"`{claim.a}`@'%'", "b": f"`{claim.b}`@'%'", "database": identifier(claim.name)}
    claim.server.execute(words.format(**names))


@pytest.mark.parametrize("tampering", TAMPERINGS.values(), ids=TAMPERINGS)
def test_tampering_is_undone_and_the_login_works(claim: World, tampering: str) -> None:
    _run(claim, tampering)
    assert claim.plan(claim.spec(), claim.look()) != ()
    claim.converge(claim.spec())
    assert claim.probe().verdict is Verdict.ACCEPTED
    assert claim.converge(claim.spec()) == []


def test_a_changed_password_is_set_again(claim: World) -> None:
    with claim.login() as cursor:
        cursor.execute("SET PASSWORD = " + ("PASSWORD('mine')" if claim.server.is_mariadb else "'mine'"))
    assert claim.probe().verdict is Verdict.REFUSED
    claim.create()
    assert claim.probe().verdict is Verdict.ACCEPTED


def test_an_expired_password_is_set_again_and_expires_no_more(claim: World) -> None:
    _run(claim, "ALTER USER {a} PASSWORD EXPIRE")
    assert claim.probe().verdict is Verdict.CLOSED
    claim.create()
    assert claim.probe().verdict is Verdict.ACCEPTED


def test_an_older_password_that_was_kept_is_discarded(claim: World) -> None:
    if claim.server.is_mariadb:
        with pytest.raises(pymysql.ProgrammingError):
            _run(claim, "ALTER USER {a} IDENTIFIED BY 'newer' RETAIN CURRENT PASSWORD")
        return
    _run(claim, "ALTER USER {a} IDENTIFIED BY 'newer' RETAIN CURRENT PASSWORD")
    assert claim.probe(password="newer").verdict is Verdict.ACCEPTED
    claim.create()
    assert claim.probe().verdict is Verdict.ACCEPTED
    assert claim.probe(password="newer").verdict is Verdict.REFUSED


def test_the_other_account_takes_over_and_the_first_is_closed_with_its_sessions(claim: World) -> None:
    first = claim.password
    with claim.login() as old:
        claim.password = secrets.token_urlsafe(24)
        spec = claim.spec()
        accounts = (
            attrs.evolve(spec.logins[0].accounts[0], login=None),
            attrs.evolve(spec.logins[0].accounts[1], login=True, verifier=claim.verifier(claim.b)),
        )
        claim.converge(attrs.evolve(spec, logins=(attrs.evolve(spec.logins[0], accounts=accounts),)))
        assert claim.probe(account=claim.b).verdict is Verdict.ACCEPTED
        old.execute("SELECT 1")
        assert engine.engine_sessions(session=claim.session, ref=claim.ref)[claim.a] == 1
        claim.armed = (False, True)
        assert claim.converge(claim.spec()) == ["closeAccounts"]
        with pytest.raises(pymysql.MySQLError):
            old.execute("SELECT 1")
    assert claim.probe(password=first).verdict is Verdict.CLOSED
    assert engine.engine_sessions(session=claim.session, ref=claim.ref)[claim.a] == 0


def test_sessions_of_an_account_at_its_limit_are_ended_too(claim: World) -> None:
    claim.limit = 1
    claim.converge(claim.spec())
    with claim.login() as cursor:
        claim.armed = (False, None)
        claim.converge(claim.spec())
        with pytest.raises(pymysql.MySQLError):
            cursor.execute("SELECT 1")
    assert (claim.look().roles[claim.a].login, claim.look().roles[claim.a].limit) == (False, 1)


def test_nothing_secret_shows_in_a_plan_or_a_session(claim: World) -> None:
    verifier = claim.verifier(claim.a)
    shown = repr(claim.plan(claim.spec(verifier), claim.look())) + repr(claim.session) + repr(claim.spec(verifier))
    for secret in (*verifier.split(), claim.session.admin.password, repr(claim.session.installation.lock_key)):
        assert secret not in shown


def test_every_action_may_be_repeated(claim: World) -> None:
    claim.converge(None)
    for action in claim.plan(claim.spec(claim.verifier(claim.a)), None):
        engine.engine_apply(session=claim.session, ref=claim.ref, action=action)
        engine.engine_apply(session=claim.session, ref=claim.ref, action=action)
    assert claim.probe().verdict is Verdict.ACCEPTED
    for action in claim.plan(None, claim.look()):
        engine.engine_apply(session=claim.session, ref=claim.ref, action=action)
        engine.engine_apply(session=claim.session, ref=claim.ref, action=action)
    assert claim.observe() is None


def test_a_connection_limit_holds_and_is_lifted(claim: World) -> None:
    claim.limit = 1
    assert claim.converge(claim.spec()) == ["changeLogin"]
    with claim.login():
        assert claim.probe().verdict is Verdict.FULL
    claim.limit = None
    assert claim.converge(claim.spec()) == ["changeLogin"]
    assert claim.look().roles[claim.a].limit is None


def test_sessions_of_an_account_that_does_not_exist_are_none(world: World) -> None:
    assert set(engine.engine_sessions(session=world.session, ref=world.ref).values()) == {0}


@pytest.mark.parametrize("password", ["a b'c\\d\"$%{}", "x", "p" * 70])
def test_a_verifier_lets_its_password_in(claim: World, password: str) -> None:
    claim.password = password
    claim.create()
    assert claim.probe().verdict is Verdict.ACCEPTED
    assert claim.probe(password=password + "x").verdict is Verdict.REFUSED
    assert engine.engine_verifier(login=Credentials("x", password)) != claim.verifier("x")
