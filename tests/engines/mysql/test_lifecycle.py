"""Held, released, taken back, adopted, dropped, half-made: whose a database is, and what happens at each change."""

from __future__ import annotations

import json
import secrets

import attrs
import pymysql
import pytest

from dbclaims.core.spi import RELEASED, Access, Mark, NotOwned, Terminal, Transient, Verdict
from dbclaims.engines import mysql as engine
from dbclaims.engines.mysql import marking
from dbclaims.engines.mysql.quoting import identifier

from .conftest import MakeWorld
from .world import World, installation, open_session


def _legacy(world: World, *tables: str) -> None:
    """A database that somebody made by hand."""
    world.server.execute(f"CREATE DATABASE {identifier(world.name)}")
    for table in tables:
        world.server.execute(f"CREATE TABLE {identifier(world.name)}.{table} (id INT)")


def _exists(world: World) -> bool:
    return bool(world.server.execute("SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", [world.name]))


def _accounts(world: World) -> list[str]:
    rows = world.server.execute("SELECT User FROM mysql.user WHERE LEFT(User, %s) = %s", [len(world.name), world.name])
    return sorted(name for (name,) in rows)


def _hash(world: World, name: str) -> object:
    return world.server.execute("SELECT authentication_string FROM mysql.user WHERE User = %s", [name])


def _is_gone(cursor: pymysql.cursors.Cursor) -> bool:
    try:
        cursor.execute("SELECT 1")
    except pymysql.MySQLError as error:
        return error.args[0] in (2006, 2013)
    return False


@pytest.mark.parametrize("superuser", [False, True], ids=["without KILL", "superuser"])
def test_retain_ends_sessions_and_closes_logins_and_keeps_the_data(new_world: MakeWorld, superuser: bool) -> None:
    claim = new_world(superuser=superuser)
    reader = claim.role_claim("bi", Access.READER)
    claim.create()
    with claim.login() as owner, claim.login(reader.accounts[0].name) as bi:
        owner.execute("CREATE TABLE kept AS SELECT 1 AS one")
        released = attrs.evolve(claim, state=RELEASED)
        assert set(released.converge(released.spec())) == {"closeAccounts", "grant", "markDatabase"}
        assert _is_gone(owner)
        assert _is_gone(bi)
    assert claim.probe().verdict is Verdict.CLOSED
    found = claim.look()
    assert found.mark is not None
    assert found.mark.state == RELEASED
    assert claim.grants() == {}
    assert claim.server.execute(f"SELECT one FROM {identifier(claim.name)}.kept") == ((1,),)
    assert released.converge(released.spec()) == []


def test_a_released_database_is_taken_back_with_a_new_password(claim: World) -> None:
    released = attrs.evolve(claim, state=RELEASED)
    released.converge(released.spec())
    again = attrs.evolve(claim, uid="uid-9", password=secrets.token_urlsafe(24))
    again.create()
    assert again.probe().verdict is Verdict.ACCEPTED
    assert again.look().mark == again.mark
    assert again.converge(again.spec()) == []


def test_an_event_of_a_released_database_does_not_run_on(claim: World) -> None:
    with claim.login() as cursor:
        cursor.execute("CREATE TABLE ticks (id INT)")
        cursor.execute("CREATE EVENT tick ON SCHEDULE EVERY 1 HOUR DO INSERT INTO ticks VALUES (1)")
    released = attrs.evolve(claim, state=RELEASED)
    released.converge(released.spec())
    may = "SELECT COUNT(*) FROM mysql.db WHERE User IN (%s, %s)"
    assert claim.server.execute(may, [claim.a, claim.b]) == ((0,),)
    definer = "SELECT definer FROM information_schema.events WHERE event_schema = %s"
    assert claim.server.execute(definer, [claim.name]) == ((f"{claim.a}@%",),)


def test_releasing_what_was_never_made_does_nothing(world: World) -> None:
    released = attrs.evolve(world, state=RELEASED)
    assert released.converge(released.spec()) == []


def test_delete_leaves_nothing_behind(claim: World) -> None:
    claim.role_claim("bi", Access.WRITER)
    claim.create()
    with claim.login() as cursor:
        cursor.execute("CREATE TABLE gone (id INT)")
        claim.converge(None)
    assert not _exists(claim)
    assert _accounts(claim) == []
    assert claim.observe() is None
    assert claim.converge(None) == []


def test_delete_removes_the_released_accounts_of_role_claims_that_the_core_forgot(claim: World) -> None:
    claim.role_claim("bi", Access.READER, armed=False)
    claim.create()
    claim.further = ()
    claim.converge(None)
    assert _accounts(claim) == []


def test_delete_of_a_database_that_its_login_made_read_only(claim: World) -> None:
    if claim.server.is_mariadb:
        with claim.login() as cursor, pytest.raises(pymysql.ProgrammingError):
            cursor.execute(f"ALTER DATABASE {identifier(claim.name)} READ ONLY = 1")
    else:
        with claim.login() as cursor:
            cursor.execute(f"ALTER DATABASE {identifier(claim.name)} READ ONLY = 1")
    claim.converge(None)
    assert not _exists(claim)


def test_delete_waits_no_longer_than_it_must_for_a_prepared_transaction(claim: World) -> None:
    with claim.login() as cursor:
        cursor.execute("CREATE TABLE held (id INT PRIMARY KEY)")
        cursor.execute(f"XA START '{claim.name}'")
        cursor.execute("INSERT INTO held VALUES (1)")
        cursor.execute(f"XA END '{claim.name}'")
        cursor.execute(f"XA PREPARE '{claim.name}'")
    with pytest.raises(Transient, match="XA RECOVER") as refusal:
        claim.converge(None)
    assert refusal.value.reason == "DatabaseBusy"
    claim.server.execute(f"XA ROLLBACK '{claim.name}'")
    claim.converge(None)
    assert _accounts(claim) == []


def test_a_database_without_a_mark_is_never_dropped(world: World) -> None:
    _legacy(world)
    with pytest.raises(NotOwned):
        world.converge(None)
    assert _exists(world)


def test_a_foreign_database_under_our_name_is_left_alone(world: World) -> None:
    _legacy(world)
    with pytest.raises(NotOwned) as refusal:
        world.create()
    assert refusal.value.reason == "NameTaken"
    assert _accounts(world) == []


@pytest.mark.parametrize("suffix", ["owner", "a", "b"])
def test_a_foreign_account_under_our_name_is_left_alone(world: World, suffix: str) -> None:
    name = f"{world.name}_{suffix}"
    world.server.create_login(name)
    before = _hash(world, name)
    with pytest.raises(NotOwned, match="belongs to somebody else"):
        world.create()
    assert not _exists(world)
    assert _accounts(world) == [name]
    assert _hash(world, name) == before


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


def test_a_database_of_another_installation_is_adopted_with_consent(claim: World) -> None:
    session = open_session(claim.server, claim.session.admin, installation())
    identity = engine.engine_hold(session=session, identity=secrets.token_hex(8))
    other = attrs.evolve(claim, session=session, identity=identity, password=secrets.token_urlsafe(24))
    with pytest.raises(NotOwned):
        other.create()
    other = attrs.evolve(other, adopt=True)
    other.create()
    found = other.look()
    assert (found.held, found.mark) == (True, other.mark)
    assert other.probe().verdict is Verdict.ACCEPTED
    with pytest.raises(NotOwned):
        claim.create()
    engine.engine_close(session=session)


def test_an_adopted_database_keeps_its_data_and_its_accounts(world: World) -> None:
    _legacy(world, "orders")
    legacy = f"{world.name}_legacy"
    world.server.create_login(legacy)
    world.server.execute(f"GRANT ALL ON {identifier(world.name)}.* TO {legacy}@'%'")
    before = _hash(world, legacy)
    adopting = attrs.evolve(world, adopt=True)
    adopting.create()
    with adopting.login() as cursor:
        cursor.execute("SELECT COUNT(*) FROM orders")
        assert cursor.fetchall() == ((0,),)
    found = adopting.look()
    assert found.mark == adopting.mark
    assert {finding.reason: finding.message for finding in found.findings}["ForeignGrants"].startswith(f"{legacy}@%")
    assert _hash(world, legacy) == before
    assert attrs.evolve(adopting, adopt=False).converge(adopting.spec()) == []


def test_what_was_granted_on_the_name_before_opens_nothing(world: World) -> None:
    stranger = f"{world.name}_x"
    world.server.create_login(stranger)
    world.server.execute(f"GRANT SELECT ON {identifier(world.name)}.* TO {stranger}@'%'")
    with pytest.raises(NotOwned, match=f"{stranger}@%") as refusal:
        world.create()
    assert refusal.value.reason == "NameExposed"
    assert not _exists(world)
    world.server.execute(f"REVOKE SELECT ON {identifier(world.name)}.* FROM {stranger}@'%'")
    world.create()
    assert world.probe().verdict is Verdict.ACCEPTED


def _half_made(world: World) -> None:
    """The state after a crash: the owner's mark says that it is being made, and nothing else stands."""
    making = attrs.evolve(world.mark, state=marking.MAKING)
    first = world.plan(world.spec(), None)[0]
    engine.engine_apply(session=world.session, ref=world.ref, action=first)
    assert world.look().mark == making


def test_what_was_half_made_is_finished(world: World) -> None:
    actions = world.plan(world.spec(world.verifier(world.a)), None)
    for end in range(1, len(actions)):
        for action in actions[:end]:
            engine.engine_apply(session=world.session, ref=world.ref, action=action)
        world.create()
        assert world.probe().verdict is Verdict.ACCEPTED, actions[end].verb
        assert world.look().mark == world.mark
        world.converge(None)


def test_an_empty_database_that_appeared_while_ours_was_made_is_ours(world: World) -> None:
    _half_made(world)
    _legacy(world)
    world.create()
    assert world.look().mark == world.mark


def test_a_database_with_content_that_appeared_while_ours_was_made_is_not_ours(world: World) -> None:
    _half_made(world)
    _legacy(world, "precious")
    with pytest.raises(NotOwned):
        world.create()
    with pytest.raises(NotOwned):
        world.converge(None)
    assert _exists(world)
    adopting = attrs.evolve(world, adopt=True)
    adopting.create()
    assert adopting.look().mark == world.mark


def test_a_database_that_its_own_login_dropped_is_a_mark_without_a_database(claim: World) -> None:
    with claim.login() as cursor:
        cursor.execute(f"DROP DATABASE {identifier(claim.name)}")
    found = claim.look()
    assert (found.present, found.mark) == (False, claim.mark)


def test_another_server_is_noticed_before_anything_else(claim: World) -> None:
    elsewhere = attrs.evolve(claim, identity="another")
    with pytest.raises(Terminal) as refusal:
        elsewhere.observe()
    assert refusal.value.reason == "ServerChanged"


def test_the_identity_that_stands_wins_and_survives(claim: World) -> None:
    assert engine.engine_hold(session=claim.session, identity="newer") == claim.identity
    survey = engine.engine_survey(session=claim.session)
    assert (survey.identity, survey.marked, survey.read_only) == (claim.identity, True, False)
    assert survey.version.startswith(claim.server.installation.version.removeprefix("mariadb-"))


def test_what_other_versions_and_people_wrote_beside_the_mark_is_kept(claim: World) -> None:
    text = f"call Ann\n{claim.look().comment} x=1"
    carrier, value = (
        ("REQUIRE SUBJECT", text) if claim.server.is_mariadb else ("ATTRIBUTE", json.dumps({"dbclaims": text}))
    )
    claim.server.execute(f"ALTER USER `{claim.owner}`@'%%' {carrier} %s", [value])
    again = attrs.evolve(claim, uid="uid-3")
    assert again.converge(again.spec()) == ["markDatabase"]
    comment = again.look().comment
    assert comment.startswith("call Ann\n")
    mark = Mark.read(comment)
    assert mark == again.mark
    assert mark is not None
    assert mark.extra["x"] == "1"
