"""The end of claims: under Retain and Delete, with a dead server, a protection, a whole namespace."""

from __future__ import annotations

import psycopg
import pytest

from dbclaims.core.kinds import CLAIM, CLASS, SECRET, SERVER
from tests.conftest import StartPostgres

from .conftest import MakeWorld
from .world import World


def test_retain_keeps_the_data_and_closes_the_logins(live: World) -> None:
    secret = live.secret()
    with live.login() as session:
        session.execute("CREATE TABLE app.kept AS SELECT 7 AS seven")
        live.delete(CLAIM, "orders")
        live.settle()
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    assert live.find(CLAIM, "orders") is None
    assert not live.logs_in(secret)
    assert not any(live.roles().values())
    assert "state=released" in live.mark(secret["database"])
    assert live.postgres.execute("SELECT seven FROM app.kept", dbname=secret["database"]) == [(7,)]


def test_delete_drops_the_database_and_its_roles(world: World) -> None:
    world.offer(deletionPolicy="Delete")
    world.claim(schemas=["app"])
    world.settle()
    with world.login() as connection:
        connection.execute("CREATE TABLE app.gone ()")
    world.delete(CLAIM, "orders")
    world.settle()
    assert world.find(CLAIM, "orders") is None
    assert world.databases() == set()
    assert world.roles() == {}


def test_a_wish_to_delete_that_the_class_refuses_drops_nothing(world: World) -> None:
    world.offer(allowedDeletionPolicies=["Retain"])
    world.claim()
    world.settle()
    world.edit(CLAIM, "orders", deletionPolicy="Delete")
    world.settle()
    world.expect("Stalled", "InvalidSpec", "deletionPolicy")
    assert world.get(CLAIM, "orders")["status"]["deletionPolicy"] == "Retain"
    world.delete(CLAIM, "orders")
    world.settle()
    assert world.find(CLAIM, "orders") is None
    assert len(world.databases()) == 1


def test_a_claim_that_was_refused_at_birth_goes_at_once(world: World) -> None:
    world.claim()
    world.settle()
    world.delete(CLAIM, "orders")
    assert world.find(CLAIM, "orders") is None


def test_a_dead_server_under_retain_is_let_go_by_approval(new_world: MakeWorld, new_postgres: StartPostgres) -> None:
    world = _live(new_world(new_postgres()), "Retain")
    world.postgres.stop()
    world.delete(CLAIM, "orders")
    world.settle()
    world.expect("Synced", "BackendUnreachable", "dbclaims.io/approve: abandon")
    world.annotate(CLAIM, "orders", approve="abandon")
    world.settle()
    assert world.find(CLAIM, "orders") is None
    assert any("let go" in note for note in world.events("Abandoned"))
    world.postgres.start()
    assert "state=held" in world.mark(f"{world.named('shop')}_orders")


def test_a_dead_server_under_delete_is_never_let_go(new_world: MakeWorld, new_postgres: StartPostgres) -> None:
    world = _live(new_world(new_postgres()), "Delete")
    world.postgres.stop()
    world.delete(CLAIM, "orders")
    world.annotate(CLAIM, "orders", approve="abandon")
    world.pass_time(600, steps=3)
    world.expect("Synced", "BackendUnreachable")
    assert "abandon" not in world.says("Synced")["message"]
    world.postgres.start()
    world.pass_time(400, steps=4)
    assert world.find(CLAIM, "orders") is None
    assert world.databases() == set()


def test_a_protected_claim_waits_and_says_so(live: World) -> None:
    live.annotate(CLAIM, "orders", protect="true")
    live.delete(CLAIM, "orders")
    live.settle()
    live.expect("Synced", "Protected", "remove it")
    assert live.logs_in()
    live.annotate(CLAIM, "orders", protect=None)
    live.settle()
    assert live.find(CLAIM, "orders") is None


def test_deletion_reads_none_of_the_claims_secrets(live: World) -> None:
    live.delete(SECRET, "orders")
    since = live.cluster.audit_position()
    live.delete(CLAIM, "orders")
    live.settle()
    assert live.find(CLAIM, "orders") is None
    asked = live.account.asked(since)
    assert [each.name for each in asked if each.resource == "secrets" and each.namespace == live.named("shop")] == []


@pytest.mark.scopes("cluster", reason="in the other the right to let go may go first: test_scope.py")
@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_a_namespace_goes_with_the_claims_in_it(world: World, policy: str) -> None:
    _live(world, policy)
    world.end_namespace("shop")
    assert len(world.databases()) == (policy == "Retain")
    assert not any(world.roles().values())


def test_a_claim_whose_class_is_gone_is_let_go_as_it_was_bound(world: World) -> None:
    _live(world, "Delete")
    world.delete(CLASS, world.named("shared"))
    world.settle()
    world.expect("Stalled", "ClassNotFound")
    assert world.verdicts()["Ready"] == "True"
    assert world.logs_in()
    world.delete(CLAIM, "orders")
    world.settle()
    assert world.find(CLAIM, "orders") is None
    assert world.databases() == set()


def test_a_server_that_claims_use_waits_for_them(live: World) -> None:
    live.delete(SERVER, "shared", "platform")
    live.settle()
    live.expect("Synced", "InUse", "delete them first", name="shared", kind=SERVER, ns="platform")
    live.restart()
    live.pass_time(700)
    assert live.logs_in()
    assert live.verdicts()["Ready"] == "True"
    live.delete(CLAIM, "orders")
    live.settle()
    live.pass_time(40)
    assert live.find(SERVER, "shared", "platform") is None
    assert len(live.databases()) == 1, "deleting an existing host's object never touches the host"


def _live(world: World, policy: str) -> World:
    world.offer(deletionPolicy=policy)
    world.claim()
    world.settle()
    assert world.is_current()
    return world
