"""Held, released, taken back, adopted, dropped: whose a database is, and what happens to it at each change of hands."""

from __future__ import annotations

import secrets

import attrs
import psycopg
import pytest
from psycopg import sql

from dbclaims.core.spi import RELEASED, Access, NotOwned, Refused, Terminal, Unsupported, Verdict
from dbclaims.engines import postgres as engine

from .conftest import MakeWorld, OpenSession
from .world import World


def _ident(text: str, **names: str) -> sql.Composed:
    return sql.SQL(text).format(**{key: sql.Identifier(name) for key, name in names.items()})


def _legacy(world: World) -> str:
    """A database that somebody made by hand, owned by a login of theirs."""
    owner = f"{world.name}_legacy"
    world.server.create_login(owner)
    world.server.execute(_ident("CREATE DATABASE {name} OWNER {owner}", name=world.name, owner=owner))
    return owner


def _exists(world: World) -> bool:
    return bool(world.server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [world.name]))


def _roles(world: World) -> list[str]:
    rows = world.server.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE %s ORDER BY 1", [f"{world.name}%"])
    return [name for (name,) in rows]


def test_retain_ends_sessions_and_closes_logins_and_keeps_the_data(claim: World) -> None:
    reader = claim.role_claim("bi", {"app": Access.READER})
    claim.create()
    with claim.login() as owner, claim.login(reader.accounts[0].name) as bi:
        owner.execute("CREATE TABLE app.kept AS SELECT 1 AS one")
        released = attrs.evolve(claim, state=RELEASED)
        assert set(released.converge(released.spec())) == {"closeAccounts", "markRole", "markDatabase"}
        for connection in (owner, bi):
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
    assert claim.probe().verdict is Verdict.CLOSED
    found = claim.look()
    assert found.mark is not None
    assert found.mark.state == RELEASED
    assert claim.server.execute("SELECT one FROM app.kept", dbname=claim.name) == [(1,)]
    assert released.converge(released.spec()) == []


def test_a_released_database_is_taken_back_with_a_new_password(claim: World) -> None:
    released = attrs.evolve(claim, state=RELEASED)
    released.converge(released.spec())
    again = attrs.evolve(claim, uid="uid-9", password=secrets.token_urlsafe(24))
    again.create()
    assert again.probe().verdict is Verdict.ACCEPTED
    found = again.look()
    assert found.mark == again.mark
    assert found.roles[again.owner].mark == again.mark


def test_releasing_what_was_never_made_does_nothing(world: World) -> None:
    released = attrs.evolve(world, state=RELEASED)
    assert released.converge(released.spec()) == []


def test_delete_leaves_nothing_behind(claim: World) -> None:
    claim.role_claim("bi", {"app": Access.WRITER})
    claim.create()
    with claim.login() as connection:
        connection.execute("CREATE TABLE app.gone (id serial)")
        claim.converge(None)
    assert not _exists(claim)
    assert _roles(claim) == []
    assert claim.observe() is None
    assert claim.converge(None) == []


def test_delete_removes_roles_of_role_claims_that_the_core_forgot(claim: World) -> None:
    claim.role_claim("bi", {"app": Access.READER})
    claim.create()
    claim.further = ()
    claim.converge(None)
    assert _roles(claim) == []


def test_a_database_without_a_mark_is_never_dropped(world: World) -> None:
    _legacy(world)
    with pytest.raises(NotOwned):
        world.converge(None)
    assert _exists(world)


def test_a_foreign_database_under_our_name_is_left_alone(world: World) -> None:
    owner = _legacy(world)
    with pytest.raises(NotOwned) as refusal:
        world.create()
    assert refusal.value.reason == "NameTaken"
    assert owner not in refusal.value.message
    assert _roles(world) == [owner]


@pytest.mark.parametrize("suffix", ["owner", "a", "b"])
def test_a_foreign_role_under_our_name_is_left_alone(world: World, suffix: str) -> None:
    world.server.create_login(f"{world.name}_{suffix}")
    with pytest.raises(NotOwned, match="belongs to somebody else"):
        world.create()
    assert not _exists(world)


def test_another_namespaces_claim_does_not_get_the_database(claim: World) -> None:
    other = attrs.evolve(claim, nsuid="ns-2")
    with pytest.raises(NotOwned):
        other.create()
    assert claim.look().mark == claim.mark


def test_a_database_of_the_former_namespace_is_adopted_with_consent(claim: World) -> None:
    other = attrs.evolve(claim, nsuid="ns-2", adopt=True, password=secrets.token_urlsafe(24))
    other.create()
    assert other.probe().verdict is Verdict.ACCEPTED
    assert other.look().mark == other.mark


def test_a_database_of_another_installation_is_adopted_with_consent(claim: World, connect: OpenSession) -> None:
    session = connect(claim.server, claim.session.admin)
    identity = engine.engine_hold(session=session, identity=secrets.token_hex(8))
    other = attrs.evolve(claim, session=session, identity=identity, password=secrets.token_urlsafe(24))
    with pytest.raises(NotOwned):
        other.create()
    other = attrs.evolve(other, adopt=True)
    other.create()
    found = other.look()
    assert found.held
    assert found.mark == other.mark
    assert other.probe().acts_as == other.owner
    with pytest.raises(NotOwned):
        claim.create()


def test_an_adopted_database_keeps_its_owner_and_gets_two_logins(world: World) -> None:
    owner = _legacy(world)
    adopting = attrs.evolve(world, adopt=True)
    if world.server.installation.major >= 16:
        with pytest.raises(Refused) as refusal:
            adopting.create()
        assert refusal.value.reason == "AdminLacksRole"
        way_out = refusal.value.message.split(": run ")[1].removesuffix(" as a superuser")
        world.server.execute(sql.SQL(way_out))
    before = world.server.execute("SELECT rolpassword, rolcanlogin FROM pg_authid WHERE rolname = %s", [owner])
    adopting.create()
    assert adopting.probe().acts_as == owner
    found = adopting.look()
    assert (found.owner, found.held, found.mark) == (owner, False, adopting.mark)
    assert "AdoptedOwner" in {finding.reason for finding in found.findings}
    assert before == world.server.execute("SELECT rolpassword, rolcanlogin FROM pg_authid WHERE rolname = %s", [owner])
    assert adopting.converge(adopting.spec(), deep=True) == ["createSchemas"]
    assert adopting.converge(adopting.spec(), deep=True) == []


def test_an_adopted_database_is_released_and_dropped_like_another(new_world: MakeWorld) -> None:
    world = new_world(superuser=True, adopt=True)
    owner = _legacy(world)
    world.create()
    released = attrs.evolve(world, state=RELEASED, adopt=False)
    released.converge(released.spec())
    assert world.probe().verdict is Verdict.CLOSED
    world.converge(None)
    assert not _exists(world)
    assert _roles(world) == [owner]


def test_a_database_of_a_powerful_role_is_not_adopted(world: World) -> None:
    adopting = attrs.evolve(world, adopt=True)
    world.server.execute(_ident("CREATE DATABASE {name}", name=world.name))
    with pytest.raises(Unsupported) as refusal:
        adopting.create()
    assert refusal.value.reason == "OwnerTooPowerful"


def test_another_server_is_noticed_before_anything_else(claim: World) -> None:
    elsewhere = attrs.evolve(claim, identity="another")
    with pytest.raises(Terminal) as refusal:
        elsewhere.observe()
    assert refusal.value.reason == "ServerChanged"


def test_the_identity_that_stands_wins_and_survives(claim: World) -> None:
    assert engine.engine_hold(session=claim.session, identity="newer") == claim.identity
    survey = engine.engine_survey(session=claim.session)
    assert (survey.identity, survey.marked) == (claim.identity, True)
    assert survey.version.startswith(str(claim.server.installation.major))


def test_a_schema_of_somebody_else_is_refused_after_all_else_is_done(claim: World) -> None:
    claim.server.execute("CREATE SCHEMA theirs", dbname=claim.name)
    claim.schemas, claim.limit = ("app", "theirs", "new"), 7
    with pytest.raises(NotOwned) as refusal:
        claim.converge(claim.spec(), deep=True)
    assert refusal.value.reason == "SchemaTaken"
    found = claim.deep()
    assert found.roles[claim.a].limit == 7
    assert found.contents is not None
    assert "new" in found.contents.schemas


def test_a_comment_that_people_wrote_is_kept(claim: World) -> None:
    mark = claim.mark.write()
    comment = sql.Literal(f"call Ann\n{mark} x=1")
    claim.server.execute(_ident("COMMENT ON DATABASE {name} IS ", name=claim.name) + comment)
    again = attrs.evolve(claim, uid="uid-3")
    assert "markDatabase" in again.converge(again.spec())
    assert again.look().comment == f"call Ann\n{again.mark.write()} x=1"
