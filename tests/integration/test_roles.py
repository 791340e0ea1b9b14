"""RoleClaims: what they may do, whose consent they need, and how they end."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from dbclaims.core.kinds import CLAIM, GRANT, ROLE

from .world import World

DENIED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def opened(live: World) -> World:
    """A live claim with a table, open to the namespace `bi` up to `owner`."""
    with live.login() as connection:
        connection.execute("CREATE TABLE app.early AS SELECT 1 AS one")
    live.grant(access="owner")
    return live


def _may(world: World, sql: str) -> bool:
    with world.login(world.secret("reports", "bi")) as connection:
        try:
            connection.execute(sql)
        except DENIED:
            return False
        return True


@pytest.mark.parametrize(
    ("access", "may"),
    [
        ("reader", {"SELECT": True, "INSERT": False, "TRUNCATE": False, "CREATE": False}),
        ("writer", {"SELECT": True, "INSERT": True, "TRUNCATE": False, "CREATE": False}),
        ("owner", {"SELECT": True, "INSERT": True, "TRUNCATE": True, "CREATE": True}),
    ],
)
def test_a_preset_holds_for_early_and_for_later_tables(opened: World, access: str, may: dict[str, bool]) -> None:
    opened.role(access=access)
    opened.settle()
    assert opened.is_current("reports", ROLE, "bi")
    with opened.login() as connection:
        connection.execute("CREATE TABLE app.later AS SELECT 1 AS one")
    statements = {
        "SELECT": "SELECT * FROM app.{}",
        "INSERT": "INSERT INTO app.{} VALUES (2)",
        "TRUNCATE": "TRUNCATE app.{}",
        "CREATE": "CREATE TABLE app.more_{} ()",
    }
    for table in ("early", "later"):
        assert {verb: _may(opened, text.format(table)) for verb, text in statements.items()} == may, table


def test_access_by_schema_holds_for_that_schema_alone(opened: World) -> None:
    opened.edit(CLAIM, "orders", schemas=["app", "more"])
    opened.settle()
    with opened.login() as connection:
        connection.execute("CREATE TABLE more.table_ AS SELECT 1 AS one")
    opened.role(schemas={"app": ["writer"]})
    opened.settle()
    assert _may(opened, "INSERT INTO app.early VALUES (2)")
    assert not _may(opened, "SELECT * FROM more.table_")
    opened.edit(ROLE, "reports", "bi", schemas={"app": ["reader"], "more": ["reader"]})
    opened.settle()
    assert not _may(opened, "INSERT INTO app.early VALUES (2)")
    assert _may(opened, "SELECT * FROM more.table_")


@pytest.mark.parametrize(("schemas", "word"), [({"nowhere": ["reader"]}, "nowhere"), ({"app": ["owner"]}, "")])
def test_a_schema_that_the_claim_does_not_have_is_refused(opened: World, schemas: Any, word: str) -> None:
    opened.role(schemas=schemas)
    opened.settle()
    if word:
        opened.expect("Stalled", "InvalidSpec", word, name="reports", kind=ROLE, ns="bi")
        opened.edit(CLAIM, "orders", schemas=["app", word])
        opened.settle()
    assert opened.is_current("reports", ROLE, "bi")


@pytest.mark.scopes("cluster", "namespaces")
def test_consent_comes_goes_and_comes_again(live: World) -> None:
    live.role()
    live.settle()
    live.expect("Stalled", "NotGranted", live.named("shop"), "ClaimGrant", name="reports", kind=ROLE, ns="bi")
    live.grant()
    live.settle()
    secret = live.secret("reports", "bi")
    assert live.logs_in(secret)
    live.delete(GRANT, "bi-may-read")
    live.settle()
    live.expect("Synced", "NotGranted", name="reports", kind=ROLE, ns="bi")
    assert live.verdicts("reports", ROLE, "bi")["Ready"] == "False"
    assert not live.logs_in(secret), "consent that was taken back closes what it had opened"
    live.grant()
    live.settle()
    assert live.is_current("reports", ROLE, "bi")
    assert live.logs_in(live.secret("reports", "bi"))
    assert live.is_current()


def test_more_than_was_granted_is_refused(live: World) -> None:
    live.grant(access="reader")
    live.role(access="writer")
    live.settle()
    live.expect("Stalled", "NotGranted", name="reports", kind=ROLE, ns="bi")
    live.edit(GRANT, "bi-may-read", access="writer")
    live.settle()
    assert live.is_current("reports", ROLE, "bi")


def test_a_namespace_made_anew_is_a_stranger(live: World) -> None:
    live.grant()
    live.role()
    live.settle()
    assert live.is_current("reports", ROLE, "bi")
    live.remake_namespace("bi")
    live.role()
    live.settle()
    live.expect("Stalled", "GrantStale", "anew", name="reports", kind=ROLE, ns="bi")
    live.delete(GRANT, "bi-may-read")
    live.grant()
    live.settle()
    assert live.is_current("reports", ROLE, "bi")


def test_a_role_claim_without_its_claim_says_so_and_is_found(world: World) -> None:
    world.offer()
    world.role(ns="shop")
    world.settle()
    world.expect("Synced", "ClaimNotFound", "orders", "create it", name="reports", kind=ROLE)
    world.claim()
    world.settle()
    assert world.is_current("reports", ROLE)
    assert world.logs_in(world.secret("reports"))


def test_a_role_claim_of_a_released_claim_is_closed_and_can_go(live: World) -> None:
    live.role(ns="shop")
    live.settle()
    secret = live.secret("reports")
    assert live.logs_in(secret)
    live.delete(CLAIM, "orders")
    live.settle()
    live.expect("Synced", "ClaimReleased", "orders", name="reports", kind=ROLE)
    assert live.verdicts("reports", ROLE)["Ready"] == "False"
    assert not live.logs_in(secret)
    live.delete(ROLE, "reports")
    live.settle()
    assert live.find(ROLE, "reports") is None


def test_a_deleted_role_claim_takes_its_roles_along(live: World) -> None:
    live.role(ns="shop", access="writer")
    live.settle()
    before = set(live.roles())
    live.delete(ROLE, "reports")
    live.settle()
    assert live.find(ROLE, "reports") is None
    assert len(before - set(live.roles())) == 3
    assert live.is_current()


@pytest.mark.parametrize("access", ["reader", "owner"])
def test_a_role_claim_that_is_refused_by_now_can_go_all_the_same(live: World, access: str) -> None:
    live.grant(access=access)
    live.role(access=access)
    live.settle()
    before = set(live.roles())
    live.annotate(ROLE, "reports", "bi", typo="x")
    live.delete(GRANT, "bi-may-read")
    live.settle()
    assert live.verdicts("reports", ROLE, "bi")["Synced"] == "False"
    live.delete(ROLE, "reports", "bi")
    live.settle()
    assert live.find(ROLE, "reports", "bi") is None
    assert before - set(live.roles()) == {name for name in before if live.secret()["database"] + "_" in name} - {
        f"{live.secret()['database']}_{suffix}" for suffix in ("owner", "a", "b")
    }
    assert live.is_current()


def test_a_paused_role_claim_is_left_alone_until_it_goes_on(live: World) -> None:
    live.role(ns="shop")
    live.settle()
    secret = live.secret("reports")
    live.annotate(ROLE, "reports", paused="true", rotate="1")
    live.settle()
    live.expect("Synced", "Paused", name="reports", kind=ROLE)
    assert live.verdicts("reports", ROLE) == {"Ready": "True", "Synced": "False"}
    live.delete(ROLE, "reports")
    live.settle()
    assert live.find(ROLE, "reports") is not None
    assert live.logs_in(secret)
    assert live.secret("reports") == secret
    live.annotate(ROLE, "reports", paused=None)
    live.settle()
    assert live.find(ROLE, "reports") is None
    assert not live.logs_in(secret)


def test_a_protected_role_claim_waits_and_says_so(live: World) -> None:
    live.role(ns="shop")
    live.annotate(ROLE, "reports", protect="true")
    live.settle()
    live.delete(ROLE, "reports")
    live.settle()
    live.expect("Synced", "Protected", "remove it", name="reports", kind=ROLE)
    assert live.logs_in(live.secret("reports"))
    live.annotate(ROLE, "reports", protect=None)
    live.settle()
    assert live.find(ROLE, "reports") is None


def test_a_role_claims_login_rotates_on_its_own(live: World) -> None:
    live.role(ns="shop")
    live.settle()
    mine, other = live.secret(), live.secret("reports")
    live.annotate(ROLE, "reports", rotate="1")
    live.settle()
    assert live.secret() == mine
    assert live.secret("reports")["username"] != other["username"]
    assert live.logs_in(live.secret("reports"))


def test_a_name_in_the_server_that_is_taken_is_said(live: World) -> None:
    live.role("first", ns="shop")
    live.settle()
    taken = next(name for name, login in live.roles().items() if name.endswith("_a") and not name.endswith("orders_a"))
    live.delete(ROLE, "first")
    live.settle()
    live.postgres.create_login(taken)
    live.role("first", ns="shop")
    live.settle()
    live.expect("Stalled", "NameTaken", name="first", kind=ROLE)
    assert live.is_current()
