"""A claim becomes a database: what stands then, what it costs, and that doing it again changes nothing."""

from __future__ import annotations

import attrs
import pytest

from dbclaims.core.spi import Account, Verdict
from dbclaims.engines import mysql as engine

from .conftest import MakeWorld
from .world import World

STATEMENTS = 22
"""At most, to make a claim and prove its login."""


def test_nothing_is_observed_where_nothing_is(world: World) -> None:
    assert world.observe() is None


@pytest.mark.parametrize("superuser", [False, True], ids=["hosted", "superuser"])
def test_a_claim_becomes_a_database_whose_login_works(new_world: MakeWorld, superuser: bool) -> None:
    world = new_world(superuser=superuser)
    world.create()
    assert world.probe().verdict is Verdict.ACCEPTED
    assert world.plan(world.spec(), world.look()) == ()
    with world.login() as cursor:
        cursor.execute("CREATE TABLE t (id INT PRIMARY KEY)")
        cursor.execute("INSERT INTO t VALUES (1)")
        cursor.execute("SELECT id FROM t")
        assert cursor.fetchall() == ((1,),)


def test_the_mark_stands_on_a_locked_account_without_rights(claim: World) -> None:
    found = claim.look()
    assert (found.present, found.held, found.mark) == (True, True, claim.mark)
    assert [found.roles[name].login for name in (claim.owner, claim.a, claim.b)] == [False, True, False]
    assert claim.grants().keys() == {claim.a, claim.b}


def test_the_database_speaks_utf8_whatever_the_servers_default(claim: World) -> None:
    charset = "SELECT default_character_set_name FROM information_schema.schemata WHERE schema_name = %s"
    assert claim.server.execute(charset, [claim.name]) == (("utf8mb4",),)


def test_making_a_claim_stays_within_its_budget(new_world: MakeWorld) -> None:
    world = new_world()
    wish = world.spec(world.verifier(world.a))
    engine.engine_survey(session=world.session)
    position = world.server.log_position()
    world.converge(wish)
    assert world.probe().verdict is Verdict.ACCEPTED
    log = world.server.log_since(position).by(world.session.admin.username, world.a)
    print(f"\n{len(log.statements)} statements, {len(log.connections)} connections")
    assert len(log.statements) <= STATEMENTS, "\n".join(entry.text for entry in log.statements)
    assert len(log.connections) <= 1


def test_a_pass_over_a_claim_in_sync_costs_three_reads_and_a_login(claim: World) -> None:
    position = claim.server.log_position()
    assert claim.plan(claim.spec(), claim.look()) == ()
    assert claim.probe().verdict is Verdict.ACCEPTED
    log = claim.server.log_since(position).by(claim.session.admin.username, claim.a)
    asked = [entry.text for entry in log.statements if not entry.text.startswith("SET NAMES")]
    print(f"\n{len(asked)} statements, {len(log.connections)} connections")
    assert len(asked) == 4, asked
    assert all(text.lstrip().startswith("SELECT") for text in asked)
    assert len(log.connections) == 1


def test_a_rotation_costs_one_change_on_each_account(claim: World) -> None:
    position = claim.server.log_position()
    spec = claim.spec()
    arming = (spec.logins[0].accounts[0], Account(claim.b, True, claim.verifier(claim.b)))
    claim.converge(attrs.evolve(spec, logins=(attrs.evolve(spec.logins[0], accounts=arming),)))
    assert claim.probe(account=claim.b).verdict is Verdict.ACCEPTED
    claim.armed = (False, True)
    claim.converge(claim.spec())
    log = claim.server.log_since(position).by(claim.session.admin.username, claim.b)
    changes = [
        entry.text.split()[0] for entry in log.statements if not entry.text.lstrip().startswith(("SELECT", "SET"))
    ]
    print(f"\n{len(log.statements)} statements, {len(log.connections)} connections")
    assert changes == ["ALTER", "ALTER"]
    assert len(log.connections) == 1


def test_making_it_again_changes_nothing(claim: World) -> None:
    assert claim.converge(claim.spec()) == []


def test_no_password_reaches_the_servers_log(claim: World) -> None:
    claim.create()
    log = claim.server.log_since().text
    assert claim.password not in log
    assert claim.session.admin.password not in log
    assert claim.name in log
