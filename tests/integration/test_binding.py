"""Binding happens once: what becomes of live claims when their class or their server changes (PROTOCOL.md §3)."""

from __future__ import annotations

from typing import Any

import pytest

from dbclaims.core.api import DatabaseClaimStatus, to_document
from dbclaims.core.kinds import CLAIM, CLASS, SERVER
from tests.conftest import StartPostgres
from tests.core.test_manager import until
from tests.servers.postgres import PostgresServer

from .conftest import MakeWorld
from .test_secrets import RESYNC
from .world import World


@pytest.mark.parametrize("narrower", [{"allowedNamespaces": {"names": ["bi"]}}, {"allowedExtensions": []}])
def test_a_class_that_narrows_leaves_live_claims_what_they_have(world: World, narrower: dict[str, Any]) -> None:
    world.offer()
    world.claim(extensions=["pgcrypto"])
    world.settle()
    before = world.secret()
    world.edit(CLASS, world.named("shared"), **narrower)
    world.settle()
    world.expect("Synced", "OutsideClass", "stays as it is")
    assert world.verdicts()["Ready"] == "True"
    world.annotate(CLAIM, "orders", rotate="1")
    world.settle()
    assert world.secret()["username"] != before["username"]
    assert world.logs_in()
    with world.login() as connection:
        assert connection.execute("SELECT digest('x', 'md5') IS NOT NULL").fetchone() == (True,)


def test_a_new_server_of_a_class_is_for_new_claims(live: World) -> None:
    live.create(SERVER, "second", live.server_spec(host="localhost"), "platform")
    live.edit(CLASS, live.named("shared"), serverRef={"name": "second", "namespace": live.named("platform")})
    live.claim("later")
    live.settle()
    assert live.get(CLAIM, "orders")["status"]["serverRef"]["name"] == "shared"
    assert live.get(CLAIM, "later")["status"]["serverRef"]["name"] == "second"
    assert live.is_current()
    live.annotate(CLAIM, "orders", rotate="1")
    live.settle()
    assert live.logs_in()
    assert live.secret()["host"] == "127.0.0.1"


def test_a_lost_database_is_not_made_again_until_somebody_approves(live: World) -> None:
    database = live.secret()["database"]
    live.postgres.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
    live.pass_time(RESYNC)
    live.expect("Stalled", "DatabaseLost", database, "dbclaims.io/approve")
    assert live.verdicts() == {"Ready": "False", "Synced": "False", "Stalled": "True"}
    assert live.databases() == set()
    status = live.get(CLAIM, "orders")["status"]
    assert [each["action"] for each in status["pending"]] == ["recreate"]
    live.annotate(CLAIM, "orders", approve="another hash")
    live.settle()
    assert live.databases() == set()
    live.annotate(CLAIM, "orders", approve=status["pendingHash"])
    live.settle()
    assert live.is_current()
    assert live.logs_in()


def test_a_lost_database_is_known_by_its_secret_where_the_status_is_lost_too(live: World) -> None:
    live.postgres.execute(f'DROP DATABASE "{live.secret()["database"]}" WITH (FORCE)')
    _forget(live)
    live.restart()
    live.settle()
    live.expect("Stalled", "DatabaseLost")
    assert live.databases() == set()


def test_another_server_under_the_same_address_is_accepted_only_by_approval(
    new_world: MakeWorld, new_postgres: StartPostgres
) -> None:
    world = new_world(new_postgres())
    world.offer()
    world.claim()
    world.settle()
    before = world.secret()
    other = new_postgres()
    point_to(world, other)
    world.settle()
    world.expect("Stalled", "ServerChanged", "dbclaims.io/approve", name="shared", kind=SERVER, ns="platform")
    world.expect("Synced", "ServerChanged")
    assert world.secret() == before
    assert other.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'dbclaims%'") == [(0,)]
    hash_ = world.get(SERVER, "shared", "platform")["status"]["pendingHash"]
    world.annotate(SERVER, "shared", "platform", approve=hash_)
    world.settle()
    world.pass_time(40)
    assert world.is_current("shared", SERVER, "platform")
    world.expect("Stalled", "DatabaseLost")
    world.annotate(CLAIM, "orders", approve=world.get(CLAIM, "orders")["status"]["pendingHash"])
    world.settle()
    assert world.is_current()
    assert other.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [before["database"]]) == [(1,)]


def test_a_server_that_is_made_anew_as_an_object_is_known_again(live: World) -> None:
    before = live.get(SERVER, "shared", "platform")["status"]["identity"]
    live.crash_delete(SERVER, "shared", "platform")
    live.settle()
    live.create(SERVER, "shared", live.server_spec(), "platform")
    live.settle()
    live.pass_time(40)
    assert live.get(SERVER, "shared", "platform")["status"]["identity"] == before
    assert live.is_current()
    assert live.logs_in()


def point_to(world: World, other: PostgresServer) -> None:
    """Let the DatabaseServer's address lead to another server, whose admin has the same name and password."""
    admin = world.admin
    other.execute(f"CREATE ROLE \"{admin.username}\" LOGIN CREATEROLE CREATEDB PASSWORD '{admin.password}'")
    world.put_secret("shared-ca", **{"ca.crt": other.ca_file.read_text()})
    world.edit(SERVER, "shared", "platform", config={"port": other.port})


def _forget(world: World) -> None:
    """Empty the claim's status, as a restore of the objects alone does; the Secret stays."""
    fresh = to_document(DatabaseClaimStatus()) | dict.fromkeys(("serverRef", "databaseName", "login"))
    world.patch_status(CLAIM, "orders", fresh)


@pytest.mark.scopes("cluster", reason="two controllers see one claim, and each of a world's own namespaces would not")
def test_a_claim_whose_class_is_gone_stays_with_its_controller(world: World, new_world: MakeWorld) -> None:
    named = new_world(controller_class="blue")
    named.offer()
    named.claim()
    named.settle()
    assert named.is_current()
    named.delete(CLASS, named.named("shared"))
    named.delete(CLAIM, "orders")
    place = named.named("shop")
    until(lambda: "deletionTimestamp" in (world.process.told(CLAIM, place, "orders") or {}).get("metadata", {}))
    world.settle()
    assert named.find(CLAIM, "orders") is not None, "the nameless controller cannot know what is to be let go"
    named.settle()
    assert named.find(CLAIM, "orders") is None
    assert set(named.roles().values()) == {False}, "every login is closed"
