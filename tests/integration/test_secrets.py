"""The published Secret: deleted, edited, replaced by a stranger, renamed, of another shape."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from dbclaims.core.api import SECRET_KEYS
from dbclaims.core.kinds import CLAIM, SECRET

from .world import World

RESYNC = 700
"""Longer than a resync with its jitter: what is not watched is noticed by then (DESIGN.md §5)."""


def test_a_secret_holds_what_is_promised(live: World) -> None:
    secret = live.get(SECRET, "orders")
    data = live.secret()
    assert secret["type"] == "servicebinding.io/postgresql"
    assert secret["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "dbclaims"
    (owner,) = secret["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("DatabaseClaim", live.get(CLAIM, "orders")["metadata"]["uid"])
    assert set(data) == set(SECRET_KEYS)
    assert data["sslmode"] == "verify-full"
    assert "sslrootcert" not in data["uri"] + data["dsn"]


@pytest.mark.scopes("cluster", "namespaces")
def test_a_deleted_secret_comes_back_with_another_login_within_a_resync(live: World) -> None:
    before = live.secret()
    live.delete(SECRET, "orders")
    live.pass_time(RESYNC)
    after = live.secret()
    assert after["username"] != before["username"]
    assert live.logs_in()
    assert live.is_current()


def test_a_deleted_secret_comes_back_at_once_after_an_edit_of_the_claim(live: World) -> None:
    live.delete(SECRET, "orders")
    live.edit(CLAIM, "orders", schemas=["app", "more"])
    live.settle()
    assert live.logs_in()


def test_an_edited_secret_is_replaced_by_a_login_that_works(live: World) -> None:
    before = live.secret()
    live.patch(SECRET, "orders", {"stringData": {"password": "edited by hand"}})
    live.pass_time(RESYNC)
    after = live.secret()
    assert after["username"] != before["username"]
    assert live.logs_in()
    assert live.logs_in(before), "the login that was published goes on working for a grace"


def test_a_foreign_secret_under_the_name_is_never_overwritten(world: World) -> None:
    world.offer()
    world.put_secret("orders", "shop", mine="keep")
    world.claim()
    world.settle()
    world.expect("Stalled", "SecretNotOurs", "orders", "spec.secretName")
    assert world.secret() == {"mine": "keep"}
    world.edit(CLAIM, "orders", secretName="orders-db")
    world.settle()
    assert world.logs_in(world.secret("orders-db"))
    assert world.secret() == {"mine": "keep"}


def test_a_live_claim_whose_secret_was_replaced_by_a_stranger_says_so_and_leaves_it(live: World) -> None:
    live.put_secret("orders", "shop", mine="keep")
    live.pass_time(RESYNC)
    live.expect("Stalled", "SecretNotOurs")
    assert live.secret() == {"mine": "keep"}
    live.delete(SECRET, "orders")
    live.pass_time(RESYNC)
    assert live.logs_in()
    assert live.is_current()


def test_an_edited_secret_name_publishes_there_and_keeps_the_old_for_one_grace(live: World) -> None:
    live.edit(CLAIM, "orders", secretName="orders-db")
    live.settle()
    assert live.secret("orders-db") == live.secret("orders")
    assert live.get(CLAIM, "orders")["status"]["secretName"] == "orders-db"
    live.pass_time(1300, steps=12)
    assert live.find(SECRET, "orders") is None
    assert live.logs_in(live.secret("orders-db"))
    assert live.is_current()


def test_another_format_of_the_secret(live: World) -> None:
    live.edit(CLAIM, "orders", secretFormat={"type": "Opaque", "keys": ["DATABASE_URL=uri", "dsn"]})
    live.settle()
    secret = live.secret()
    assert set(secret) == {"DATABASE_URL", "dsn"}
    assert live.get(SECRET, "orders")["type"] == "Opaque"
    assert live.logs_in(secret)
    live.annotate(CLAIM, "orders", rotate="1")
    live.settle()
    assert urlsplit(live.secret()["DATABASE_URL"]).username != urlsplit(secret["DATABASE_URL"]).username
    assert live.logs_in()


def test_a_ca_path_stands_in_uri_and_dsn(live: World) -> None:
    live.edit(CLAIM, "orders", caPath="/etc/db/ca.crt")
    live.settle()
    secret = live.secret()
    assert parse_qs(urlsplit(secret["uri"]).query)["sslrootcert"] == ["/etc/db/ca.crt"]
    assert "sslrootcert=/etc/db/ca.crt" in secret["dsn"]


def test_applications_get_the_client_endpoint_and_the_controller_uses_its_own(world: World) -> None:
    world.offer({"clientEndpoint": {"host": "localhost", "port": world.postgres.port}})
    world.claim()
    world.settle()
    assert world.secret()["host"] == "localhost"
    assert world.get(CLAIM, "orders")["status"]["endpoint"] == {"host": "localhost", "port": world.postgres.port}
    assert world.logs_in()


def test_a_secret_goes_with_its_claim(live: World) -> None:
    uid = live.get(CLAIM, "orders")["metadata"]["uid"]
    live.annotate(CLAIM, "orders", rotate="1")
    live.settle()
    secret = live.get(SECRET, "orders")
    assert [each["uid"] for each in secret["metadata"]["ownerReferences"]] == [uid]
    assert live.find(SECRET, f"dbclaims-pending-{uid}") is None
