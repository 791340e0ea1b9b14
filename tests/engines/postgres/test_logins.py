"""What is repaired when somebody changed a login behind our back, and how one account gives way to the other."""

from __future__ import annotations

import secrets

import attrs
import psycopg
import pytest
from psycopg import sql

from dbclaims.core.spi import Credentials, Verdict
from dbclaims.engines import postgres as engine

from .world import World

TAMPERINGS = {
    "the membership was revoked": "REVOKE {owner} FROM {a}",
    "the login was closed": "ALTER ROLE {a} NOLOGIN",
    "the limit was lifted": "ALTER ROLE {a} CONNECTION LIMIT -1",
    "the role setting is gone": "ALTER ROLE {a} RESET role",
    "the search path is another": "ALTER ROLE {a} SET search_path = public",
    "a setting here beats ours": "ALTER ROLE {a} IN DATABASE {database} SET search_path = public",
    "the idle account forgot its role": "ALTER ROLE {b} RESET ALL",
    "the idle account was dropped": "DROP ROLE {b}",
    "everybody was let in": "GRANT CONNECT ON DATABASE {database} TO PUBLIC",
    "the owner was shut out": "REVOKE CREATE ON DATABASE {database} FROM {owner}",
    "the mark was wiped": "COMMENT ON DATABASE {database} IS NULL",
}


def _run(claim: World, words: str, dbname: str = "postgres") -> None:
    names = {"owner": claim.owner, "a": claim.a, "b": claim.b, "database": claim.name}
    made = sql.SQL(words).format(**{key: sql.Identifier(name) for key, name in names.items()})
    if words.startswith("REVOKE {owner}") and claim.server.installation.major >= 16:
        # From 16 on a membership is revoked by whoever granted it.
        made += sql.SQL(" GRANTED BY {}").format(sql.Identifier(claim.session.admin.username))
    claim.server.execute(made, dbname=dbname)


@pytest.mark.parametrize("tampering", TAMPERINGS.values(), ids=TAMPERINGS)
def test_what_was_changed_behind_our_back_is_repaired(claim: World, tampering: str) -> None:
    before = claim.lasting()
    _run(claim, tampering)
    assert claim.lasting() != before
    assert claim.converge(claim.spec()) != []
    assert claim.lasting() == before


def test_a_dropped_owner_role_is_made_again_and_the_accounts_rejoin(claim: World) -> None:
    _run(claim, "REASSIGN OWNED BY {owner} TO postgres", dbname=claim.name)
    _run(claim, "DROP OWNED BY {owner}", dbname=claim.name)
    _run(claim, "DROP ROLE {owner}")
    claim.converge(claim.spec())
    assert claim.probe().acts_as == claim.owner
    assert claim.look().opened


def test_a_changed_password_is_refused_by_proof_and_set_again(claim: World) -> None:
    _run(claim, "ALTER ROLE {a} PASSWORD 'another'")
    assert claim.probe().verdict is Verdict.REFUSED
    claim.create()
    assert claim.probe().verdict is Verdict.ACCEPTED


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
        assert claim.probe(account=claim.b).acts_as == claim.owner
        assert old.execute("SELECT 1").fetchone() == (1,)
        assert engine.engine_sessions(session=claim.session, ref=claim.ref)[claim.a] == 1
        claim.armed = (False, True)
        assert claim.converge(claim.spec()) == ["closeAccounts"]
        with pytest.raises(psycopg.OperationalError):
            old.execute("SELECT 1")
    assert claim.probe(password=first).verdict is Verdict.CLOSED


def test_the_search_path_is_the_claims_schemas_in_order(claim: World) -> None:
    claim.schemas = ("app", "Zweites \"Schema'", "select")
    claim.converge(claim.spec(), deep=True)
    with claim.login() as connection:
        rows = connection.execute("SELECT current_schemas(false)").fetchone()
    assert rows == (list(claim.schemas),)
    assert claim.converge(claim.spec(), deep=True) == []


def test_no_password_and_no_plain_form_reaches_the_servers_log(claim: World) -> None:
    claim.create()
    log = claim.server.log_since().text
    assert claim.verifier(claim.a).split("$")[1].split(":")[0] == "4096"
    assert claim.password not in log
    assert "SCRAM-SHA-256$4096:" in log


def test_nothing_secret_shows_in_a_plan_or_a_session(claim: World) -> None:
    verifier = claim.verifier(claim.a)
    shown = repr(claim.plan(claim.spec(verifier), claim.look())) + repr(claim.session) + repr(claim.spec(verifier))
    for secret in (verifier, claim.session.admin.password, repr(claim.session.installation.lock_key)):
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
        probe = claim.probe()
    assert probe.verdict is Verdict.FULL
    claim.limit = None
    assert claim.converge(claim.spec()) == ["changeLogin"]
    assert claim.look().roles[claim.a].limit is None


def test_sessions_of_a_role_that_does_not_exist_are_none(world: World) -> None:
    assert set(engine.engine_sessions(session=world.session, ref=world.ref).values()) == {0}


def test_a_verifier_is_what_the_server_would_have_made(claim: World) -> None:
    password = "a b'c\\d\"$%{}"
    claim.password = password
    claim.create()
    assert claim.probe().verdict is Verdict.ACCEPTED
    assert engine.engine_verifier(login=Credentials("x", password)) != claim.verifier("x")
