"""What a claim refers to, and what is missing of it: classes, servers, plugins, Secrets, in any order.

Each missing thing has a reason and a sentence that names the way out, and is found without a nudge once it is there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from dbclaims.core.kinds import CLAIM, CLASS, GRANT, ROLE, SERVER

from .world import World

HALF_A_MINUTE = 33
"""Thirty seconds and the queue's tenth of jitter (DESIGN.md §5: a reference is looked up again every 30 s)."""


def test_an_unknown_class_is_said_and_found_when_it_comes(world: World) -> None:
    world.claim()
    world.settle()
    world.expect("Stalled", "ClassNotFound", world.named("shared"), "create it")
    assert world.verdicts() == {"Ready": "False", "Synced": "False", "Stalled": "True"}
    world.offer()
    world.settle()
    assert world.is_current()


def test_an_unknown_provider_is_said_on_the_server_and_on_its_claim(world: World) -> None:
    world.offer()
    world.create(SERVER, "odd", {"provider": "nobody", "engine": "postgres"}, "platform")
    world.create(CLASS, world.named("odd"), {"serverRef": {"name": "odd", "namespace": world.named("platform")}})
    world.claim(className=world.named("odd"))
    world.settle()
    world.expect("Stalled", "PluginMissing", "nobody", name="odd", kind=SERVER, ns="platform")
    world.expect("Synced", "ServerNotReady", "nobody")


def test_an_unknown_engine_is_said(world: World) -> None:
    world.create(SERVER, "odd", {**world.server_spec(), "engine": "oracle"}, "platform")
    world.create(
        CLASS, world.named("shared"), world.class_spec(serverRef={"name": "odd", "namespace": world.named("platform")})
    )
    world.claim()
    world.settle()
    world.expect("Stalled", "PluginMissing", "oracle", name="odd", kind=SERVER, ns="platform")
    world.expect("Stalled", "PluginMissing", "oracle")


@pytest.mark.parametrize(
    ("field", "value", "feature"),
    [("size", "small", "size"), ("highAvailability", True, "high"), ("deletionPolicy", "Snapshot", "snapshot")],
)
def test_a_feature_that_the_provider_does_not_declare_is_refused(
    world: World, field: str, value: object, feature: str
) -> None:
    world.create(SERVER, "shared", {**world.server_spec(), field: value}, "platform")
    world.create(CLASS, world.named("shared"), world.class_spec())
    world.settle()
    world.expect("Stalled", "Unsupported", "existing", feature, name="shared", kind=SERVER, ns="platform")


def test_false_is_no_need_for_a_feature(world: World) -> None:
    world.offer()
    world.edit(SERVER, "shared", "platform", highAvailability=False)
    world.settle()
    assert world.is_current("shared", SERVER, "platform")


def test_a_server_that_does_not_exist_is_said_and_found_when_it_comes(world: World) -> None:
    world.create(CLASS, world.named("shared"), world.class_spec())
    world.claim()
    world.settle()
    world.expect("Stalled", "ServerNotFound", "platform", "create it")
    world.expect("Stalled", "ServerNotFound", "shared", name=world.named("shared"), kind=CLASS)
    world.put_secret("shared-admin", username=world.admin.username, password=world.admin.password)
    world.put_secret("shared-ca", **{"ca.crt": world.postgres.ca_file.read_text()})
    world.create(SERVER, "shared", world.server_spec(), "platform")
    world.settle()
    assert world.is_current()
    assert world.is_current(world.named("shared"), CLASS)


def test_a_server_that_no_class_names_is_left_alone_and_its_secrets_unread(world: World) -> None:
    since = world.cluster.audit_position()
    world.create(SERVER, "shared", world.server_spec(), "platform")
    world.settle()
    world.expect("Stalled", "NoClass", "serverRef", name="shared", kind=SERVER, ns="platform")
    assert [each.uri for each in world.account.asked(since) if each.resource == "secrets"] == []
    world.offer_class()
    world.settle()
    world.expect("Synced", "SecretMissing", name="shared", kind=SERVER, ns="platform")


class Broken:
    """Three ways in which an admin Secret is wrong, and what is said of each."""

    MISSING: tuple[dict[str, str], str, str] = ({}, "SecretMissing", "shared-admin")
    WITHOUT_KEY = ({"username": "somebody"}, "SecretKeyMissing", "password")
    WRONG = ({"username": "postgres", "password": "not the one"}, "AdminLoginRefused", "postgres")


@pytest.mark.parametrize(("data", "reason", "word"), [Broken.MISSING, Broken.WITHOUT_KEY, Broken.WRONG])
def test_an_admin_secret_that_is_wrong_is_said_and_found_mended_without_a_nudge(
    world: World, data: dict[str, str], reason: str, word: str
) -> None:
    if data:
        world.put_secret("shared-admin", **data)
    world.put_secret("shared-ca", **{"ca.crt": world.postgres.ca_file.read_text()})
    world.create(SERVER, "shared", world.server_spec(), "platform")
    world.offer_class()
    world.claim()
    world.settle()
    world.expect("Synced", reason, word, name="shared", kind=SERVER, ns="platform")
    world.expect("Synced", "ServerNotReady", word)
    world.put_secret("shared-admin", username=world.admin.username, password=world.admin.password)
    world.pass_time(HALF_A_MINUTE, steps=3)
    assert world.is_current("shared", SERVER, "platform")
    assert world.is_current()
    assert world.logs_in()


def test_a_secret_that_is_applied_after_its_server_is_found_in_seconds_and_a_lost_one_looked_for_less_and_less(
    world: World,
) -> None:
    world.create(SERVER, "shared", world.server_spec(), "platform")
    world.offer_class()
    since = world.cluster.audit_position()
    world.settle()
    world.pass_time(120, steps=60)
    world.expect("Synced", "SecretMissing", name="shared", kind=SERVER, ns="platform")
    looks = [each for each in world.account.asked(since) if each.resource == "secrets"]
    assert 6 <= len(looks) <= 10
    world.delete(SERVER, "shared", "platform")
    world.settle()

    world.create(SERVER, "shared", world.server_spec(), "platform")
    world.settle()
    world.expect("Synced", "SecretMissing", name="shared", kind=SERVER, ns="platform")
    world.put_secret("shared-admin", username=world.admin.username, password=world.admin.password)
    world.put_secret("shared-ca", **{"ca.crt": world.postgres.ca_file.read_text()})
    world.pass_time(2, steps=2)
    assert world.is_current("shared", SERVER, "platform")


def test_an_admin_password_that_breaks_later_leaves_ready_alone(live: World) -> None:
    live.postgres.execute(f"ALTER ROLE \"{live.admin.username}\" PASSWORD 'changed by others'")
    live.postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [live.admin.username]
    )
    live.pass_time(700, steps=4)
    live.expect("Synced", "AdminLoginRefused", name="shared", kind=SERVER, ns="platform")
    assert live.verdicts()["Ready"] == "True"
    assert live.verdicts()["Synced"] == "False"
    assert live.logs_in()
    live.put_secret("shared-admin", username=live.admin.username, password="changed by others")
    live.pass_time(HALF_A_MINUTE * 2, steps=4)
    assert live.is_current("shared", SERVER, "platform")
    assert live.verdicts() == {"Ready": "True", "Synced": "True"}


def test_a_ca_that_is_no_certificate_is_said_and_a_key_beside_it_is_not_copied(world: World) -> None:
    world.offer()
    world.put_secret("shared-ca", **{"ca.crt": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"})
    world.settle()
    world.expect("Stalled", "InvalidCA", "shared-ca", name="shared", kind=SERVER, ns="platform")
    key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    world.put_secret("shared-ca", **{"ca.crt": key + world.postgres.ca_file.read_text()})
    world.claim()
    world.pass_time(HALF_A_MINUTE, steps=2)
    assert "PRIVATE" not in world.secret()["ca.crt"]
    assert world.logs_in()


def test_a_certificate_of_another_host_is_refused(world: World) -> None:
    world.offer({"host": "127.0.0.2"})
    world.settle()
    synced = world.says("Synced", "shared", SERVER, "platform")
    assert synced["reason"] in ("TLSRefused", "BackendUnreachable")


ORDERS = list(itertools.permutations(("server", "class", "claim", "grant", "role")))


@pytest.mark.parametrize("number", range(0, len(ORDERS), 17))
def test_objects_may_be_applied_in_any_order(world: World, number: int) -> None:
    world.put_secret("shared-admin", username=world.admin.username, password=world.admin.password)
    world.put_secret("shared-ca", **{"ca.crt": world.postgres.ca_file.read_text()})
    make: dict[str, Callable[[], object]] = {
        "server": lambda: world.create(SERVER, "shared", world.server_spec(), "platform"),
        "class": world.offer_class,
        "claim": lambda: world.claim(schemas=["app"]),
        "grant": world.grant,
        "role": world.role,
    }
    for part in ORDERS[number]:
        make[part]()
        world.settle()
    for kind, name, ns in ((SERVER, "shared", "platform"), (CLAIM, "orders", "shop"), (ROLE, "reports", "bi")):
        assert world.is_current(name, kind, ns), (ORDERS[number], kind.kind)
    assert world.is_current("bi-may-read", GRANT)
    assert world.is_current(world.named("shared"), CLASS)
    assert world.logs_in()
    assert world.logs_in(world.secret("reports", "bi"))
