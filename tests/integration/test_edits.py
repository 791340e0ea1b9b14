"""Claims that ask for what cannot be, at birth and as an edit of a live one, whose login goes on working."""

from __future__ import annotations

from typing import Any

import pytest

from dbclaims.core.kinds import CLAIM, CLASS, ROLE, SERVER

from .world import World

HOSTILE = [
    '"; DROP ROLE x; --',
    "or'ders",
    "or\x00ders",
    "Bestellungen-ü",
    "x" * 64,
    "../../x",
    "",
    "a b",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_database_name_never_gets_past_the_api_server(world: World, name: str) -> None:
    body = {
        "apiVersion": CLAIM.api_version,
        "kind": "DatabaseClaim",
        "metadata": {"name": "orders", "namespace": world.named("shop")},
        "spec": {"className": "any", "databaseName": name},
    }
    assert "spec.databaseName" in world.refusal("POST", CLAIM, None, body)


@pytest.mark.parametrize("name", ["../../x", "dbclaims-identity", "a/b", "Ü"])
def test_a_hostile_secret_name_never_gets_past_the_api_server(world: World, name: str) -> None:
    world.claim()
    assert "spec.secretName" in world.refusal("PATCH", CLAIM, "orders", {"spec": {"secretName": name}})


@pytest.mark.parametrize(
    ("spec", "reason", "word"),
    [
        ({"databaseName": "postgres"}, "NameReserved", "postgres"),
        ({"databaseName": "template1"}, "NameReserved", "databaseName"),
        ({"databaseName": "rdsadmin"}, "NameReserved", "databaseName"),
        ({"databaseName": "other_orders"}, "NameNotAllowed", "databaseName"),
        ({"extensions": ["postgis"]}, "ExtensionNotAllowed", "postgis"),
        ({"rotation": {"interval": "1m"}}, "InvalidSpec", "interval"),
        ({"deletionPolicy": "Delete"}, "InvalidSpec", "deletionPolicy"),
    ],
)
def test_a_wish_that_the_class_or_the_engine_refuses_is_refused_at_birth(
    world: World, spec: dict[str, Any], reason: str, word: str
) -> None:
    world.offer(
        databaseNames=["{namespace}_*"],
        rotation={"interval": "24h", "min": "1h"},
        allowedDeletionPolicies=["Retain"],
    )
    world.claim(**spec)
    world.settle()
    world.expect("Stalled", reason, word)
    assert world.verdicts() == {"Ready": "False", "Synced": "False", "Stalled": "True"}
    assert world.databases() == set()
    assert "finalizers" not in world.get(CLAIM, "orders")["metadata"]


def test_a_namespace_that_the_class_does_not_serve_is_refused(world: World) -> None:
    world.offer(allowedNamespaces={"names": ["bi-*"]})
    world.claim()
    world.settle()
    world.expect("Stalled", "NamespaceNotAllowed", world.named("shop"))


def test_a_namespace_is_served_as_soon_as_its_labels_say_so(world: World) -> None:
    world.offer(allowedNamespaces={"selector": {"matchLabels": {"databases": "yes"}}})
    world.claim()
    world.settle()
    world.expect("Stalled", "NamespaceNotAllowed")
    world.label_namespace("shop", databases="yes")
    world.settle()
    assert world.is_current()


def test_a_long_name_is_cut_so_that_every_role_of_it_fits(world: World) -> None:
    world.offer()
    name = "a" * 63
    world.claim(name)
    world.settle()
    assert world.is_current(name)
    (database,) = world.databases()
    assert len(database) == 63
    assert all(len(role) <= 63 for role in world.roles())
    assert world.logs_in(world.secret(name))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"className": "a"}, {"className": "b"}),
        ({"databaseName": "a"}, {"databaseName": "b"}),
        ({"databaseName": "a"}, {"databaseName": None}),
        ({}, {"databaseName": "b"}),
    ],
)
def test_an_immutable_field_is_neither_changed_nor_cleared_nor_set_late(
    world: World, before: dict[str, Any], after: dict[str, Any]
) -> None:
    world.claim(**before)
    said = world.refusal("PATCH", CLAIM, "orders", {"spec": after})
    assert "is immutable" in said
    assert "make another claim" in said


def test_a_servers_provider_and_a_role_claims_claim_are_immutable(world: World) -> None:
    world.create(SERVER, "shared", world.server_spec(), "platform")
    refused = world.refusal("PATCH", SERVER, "shared", {"spec": {"provider": "aws"}}, "platform")
    assert "provider is immutable; make another DatabaseServer" in refused
    world.role()
    refused = world.refusal("PATCH", ROLE, "reports", {"spec": {"claimRef": {"name": "other"}}}, "bi")
    assert "is immutable; make another RoleClaim" in refused


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ({"extensions": ["postgis"]}, "ExtensionNotAllowed"),
        ({"schemas": ["app", "more"], "extensions": ["postgis"]}, "ExtensionNotAllowed"),
        ({"rotation": {"interval": "1m"}}, "InvalidSpec"),
        ({"deletionPolicy": "Delete"}, "InvalidSpec"),
        ({"secretFormat": {"keys": ["host"]}}, "InvalidSpec"),
    ],
)
def test_a_ready_claim_that_receives_a_bad_edit_keeps_its_login(
    world: World, edit: dict[str, Any], reason: str
) -> None:
    world.offer(rotation={"interval": "24h", "min": "1h"}, allowedDeletionPolicies=["Retain"])
    world.claim(schemas=["app"])
    world.settle()
    before = world.secret()
    world.edit(CLAIM, "orders", **edit)
    world.settle()
    world.expect("Stalled", reason)
    assert world.verdicts() == {"Ready": "True", "Synced": "False", "Stalled": "True"}
    assert world.says("Ready")["observedGeneration"] == 1
    assert world.get(CLAIM, "orders")["status"]["observedGeneration"] == 2
    assert world.secret() == before
    assert world.logs_in()
    with world.login() as connection:
        assert connection.execute("SELECT to_regnamespace('more')").fetchone() == (None,)


def test_a_bad_edit_that_is_taken_back_leaves_the_claim_as_it_was(live: World) -> None:
    live.edit(CLAIM, "orders", extensions=["postgis"])
    live.settle()
    assert not live.is_current()
    live.edit(CLAIM, "orders", extensions=None)
    live.settle()
    assert live.is_current()
    assert live.says("Ready")["observedGeneration"] == 3


def test_a_good_edit_is_carried_out(live: World) -> None:
    with live.login() as connection:
        connection.execute("CREATE TABLE app.kept (one int)")
    live.edit(CLAIM, "orders", schemas=["app", "more"], extensions=["pgcrypto"])
    live.settle()
    assert live.is_current()
    with live.login() as connection:
        connection.execute("CREATE TABLE more.made (one int)")
        assert connection.execute("SELECT digest('x', 'sha256') IS NOT NULL").fetchone() == (True,)
        assert connection.execute("SELECT count(*) FROM app.kept").fetchone() == (0,)


def test_a_rotation_of_a_claim_with_a_refused_edit_goes_on(live: World) -> None:
    live.edit(CLAIM, "orders", extensions=["postgis"])
    live.settle()
    before = live.secret()
    live.annotate(CLAIM, "orders", rotate="now")
    live.settle()
    assert live.secret()["username"] != before["username"]
    assert live.logs_in()
    live.expect("Stalled", "ExtensionNotAllowed")


def test_two_claims_for_one_database_the_second_is_told(live: World) -> None:
    database = live.secret()["database"]
    live.claim("other", databaseName=database)
    live.settle()
    live.expect("Stalled", "NameTaken", "databaseName", name="other")
    assert "orders " not in live.says("Stalled", "other")["message"].replace(database, "")
    assert live.is_current()
    assert live.logs_in()


def test_the_class_itself_cannot_contradict_itself(world: World) -> None:
    body = {
        "apiVersion": CLASS.api_version,
        "kind": "DatabaseClass",
        "metadata": {"name": world.named("odd")},
        "spec": world.class_spec(deletionPolicy="Delete", allowedDeletionPolicies=["Retain"]),
    }
    assert "allowedDeletionPolicies" in world.refusal("POST", CLASS, None, body)
