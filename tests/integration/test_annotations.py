"""What people write on objects: rotate, paused, approve, protect, and words that mean nothing."""

from __future__ import annotations

import pytest

from dbclaims.core.kinds import CLAIM, ROLE, SERVER

from .test_secrets import RESYNC
from .world import World


@pytest.mark.parametrize("value", ["true", "yes"])
def test_a_paused_claim_is_left_alone_until_it_goes_on(live: World, value: str) -> None:
    live.annotate(CLAIM, "orders", paused=value)
    live.edit(CLAIM, "orders", schemas=["app", "more"])
    since = live.postgres.log_position()
    live.pass_time(RESYNC)
    live.expect("Synced", "Paused", *([] if value == "true" else ["'yes'"]))
    assert live.verdicts() == {"Ready": "True", "Synced": "False"}
    said = live.postgres.log_since(since).by(user=live.admin.username).statements
    assert [each.text for each in said if not each.text.lstrip().startswith("SELECT")] == []
    live.annotate(CLAIM, "orders", paused=None)
    live.settle()
    assert live.is_current()
    with live.login() as connection:
        connection.execute("CREATE TABLE more.made ()")


def test_a_paused_server_holds_its_claims(live: World) -> None:
    live.annotate(SERVER, "shared", "platform", paused="true")
    live.settle()
    live.expect("Synced", "Paused", name="shared", kind=SERVER, ns="platform")
    live.expect("Synced", "Paused", "platform")
    assert live.verdicts()["Ready"] == "True"
    live.annotate(SERVER, "shared", "platform", paused=None)
    live.settle()
    assert live.is_current()


@pytest.mark.parametrize("name", ["rotat", "checksums"])
def test_an_annotation_that_means_nothing_is_said_and_the_login_goes_on(live: World, name: str) -> None:
    live.annotate(CLAIM, "orders", **{name: "x"})
    live.settle()
    live.expect("Synced", "InvalidAnnotation", name, "remove it")
    assert live.verdicts()["Ready"] == "True"
    assert live.logs_in()
    live.patch(CLAIM, "orders", {"metadata": {"annotations": {f"dbclaims.io/{name}": None}}})
    live.settle()
    assert live.is_current()


def test_an_annotation_that_means_nothing_on_a_role_claim_is_its_own_matter(live: World) -> None:
    live.grant()
    live.role()
    live.annotate(ROLE, "reports", "bi", typo="x")
    live.settle()
    live.expect("Stalled", "InvalidAnnotation", "typo", name="reports", kind=ROLE, ns="bi")
    assert live.is_current()


def test_a_rotation_happens_once_for_each_value(live: World) -> None:
    first = live.secret()
    live.annotate(CLAIM, "orders", rotate="monday")
    live.settle()
    second = live.secret()
    assert second["username"] != first["username"]
    assert live.logs_in(first), "the old login works for a grace"
    assert live.is_current()
    live.pass_time(1300, steps=13)
    assert live.secret() == second
    assert not live.logs_in(first)
    assert live.logs_in(second)
    live.annotate(CLAIM, "orders", rotate="tuesday")
    live.settle()
    assert live.secret()["username"] == first["username"]
    assert live.get(CLAIM, "orders")["status"]["login"]["rotateToken"] == "tuesday"
    assert live.logs_in()


def test_a_login_rotates_by_its_schedule(world: World) -> None:
    world.offer(rotation={"interval": "12h", "grace": "10m"})
    world.claim()
    world.settle()
    before = world.secret()
    world.pass_time(10 * 3600)
    assert world.secret() == before
    world.pass_time(2.5 * 3600, steps=5)
    assert world.secret()["username"] != before["username"]
    assert world.logs_in()


def test_a_rotation_that_is_asked_for_during_another_s_grace_begins_as_soon_as_that_is_over(live: World) -> None:
    first = live.secret()["username"]
    live.annotate(CLAIM, "orders", rotate="one")
    live.settle()
    live.annotate(CLAIM, "orders", rotate="two")
    live.settle()
    assert live.secret()["username"] != first
    # The grace of ten minutes; the old login is looked at every minute of it.
    live.pass_time(670, steps=67)
    assert live.get(CLAIM, "orders")["status"]["login"]["rotateToken"] == "two"
    assert live.secret()["username"] == first
    assert live.logs_in()
