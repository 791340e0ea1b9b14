"""A claim becomes a database: who owns what, what it costs, and that doing it again changes nothing."""

from __future__ import annotations

import pytest

from dbclaims.core.spi import Verdict
from dbclaims.engines import postgres as engine

from .conftest import MakeWorld
from .world import World

STATEMENTS = 24
"""At most, to make a claim with one schema and one extension (the design's budget)."""


def test_nothing_is_observed_where_nothing_is(world: World) -> None:
    assert world.observe() is None


@pytest.mark.parametrize("superuser", [False, True], ids=["createrole", "superuser"])
def test_a_claim_becomes_a_database_whose_login_works(new_world: MakeWorld, superuser: bool) -> None:
    world = new_world(superuser=superuser, schemas=("app", "Audit Log"), extensions=("pgcrypto",))
    world.create()
    probe = world.probe()
    assert (probe.verdict, probe.acts_as) == (Verdict.ACCEPTED, world.owner)
    assert probe.contents is not None
    assert probe.contents.extensions >= {"pgcrypto"}
    assert {probe.contents.schemas[schema] for schema in world.schemas} == {world.owner}
    assert world.plan(world.spec(), world.deep()) == ()


def test_the_database_belongs_to_the_holder_and_carries_the_mark(claim: World) -> None:
    found = claim.look()
    assert (found.held, found.closed, found.present) == (True, True, True)
    assert found.mark == claim.mark
    assert found.roles[claim.owner].mark == claim.mark
    assert [found.roles[name].login for name in (claim.owner, claim.a, claim.b)] == [False, True, False]


def test_the_admin_is_left_a_member_of_nothing_but_the_holder(claim: World) -> None:
    rows = claim.server.execute(
        "SELECT m.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.roleid"
        " WHERE pg_get_userbyid(a.member) = %s AND m.rolname LIKE %s AND pg_has_role(a.member, a.roleid, 'USAGE')",
        [claim.session.admin.username, f"{claim.name}%"],
    )
    assert rows == []


def test_making_a_claim_stays_within_its_budget(new_world: MakeWorld) -> None:
    world = new_world(extensions=("pgcrypto",))
    verifier = world.spec(world.verifier(world.a))
    engine.engine_survey(session=world.session)
    position = world.server.log_position()
    world.converge(verifier)
    assert world.probe().verdict is Verdict.ACCEPTED
    log = world.server.log_since(position)
    mine = [entry for user in (world.session.admin.username, world.a) for entry in log.by(user=user).statements]
    opened = [entry for user in (world.session.admin.username, world.a) for entry in log.by(user=user).connections]
    print(f"\n{len(mine)} statements, {len(opened)} connections")
    assert len(mine) <= STATEMENTS, "\n".join(entry.text for entry in mine)
    assert len(opened) <= 2


def test_a_pass_over_a_claim_in_sync_costs_one_statement_and_a_probe(claim: World) -> None:
    position = claim.server.log_position()
    assert claim.plan(claim.spec(), claim.deep()) == ()
    log = claim.server.log_since(position)
    statements = [entry for user in (claim.session.admin.username, claim.a) for entry in log.by(user=user).statements]
    assert len(statements) == 2, statements


def test_making_it_again_changes_nothing(claim: World) -> None:
    assert claim.converge(claim.spec(), deep=True) == []
