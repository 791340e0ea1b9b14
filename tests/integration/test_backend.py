"""Servers that are away, silent, frozen, read-only, full, or behind a pooler."""

from __future__ import annotations

from contextlib import ExitStack

import psycopg
import pytest

from dbclaims.core.kinds import CLAIM, SERVER
from tests.conftest import StartPostgres
from tests.servers.faults import RstHost, SilentHost
from tests.servers.pgbouncer import PgBouncer
from tests.servers.process import free_port

from .conftest import MakeWorld
from .test_secrets import RESYNC
from .world import World


def test_a_host_that_nobody_listens_on_is_said(world: World) -> None:
    world.offer({"port": free_port()})
    world.claim()
    world.settle()
    world.expect("Synced", "BackendUnreachable", "127.0.0.1", name="shared", kind=SERVER, ns="platform")
    world.expect("Synced", "ServerNotReady", "127.0.0.1")
    assert world.verdicts() == {"Ready": "False", "Synced": "False", "Reconciling": "True"}


@pytest.mark.parametrize("fault", [SilentHost, RstHost])
def test_a_host_that_hangs_or_hangs_up_is_said_in_time(world: World, fault: type[SilentHost | RstHost]) -> None:
    with fault() as host:
        world.offer({"port": host.port})
        world.claim()
        world.settle()
        world.expect("Synced", "BackendUnreachable", name="shared", kind=SERVER, ns="platform")
        assert host.accepted <= 2


def test_a_server_that_freezes_makes_ready_unknown_and_nothing_is_altered(
    new_world: MakeWorld, new_postgres: StartPostgres
) -> None:
    live = _live(new_world(new_postgres()))
    before, server = live.secret(), live.postgres
    server.pause()
    try:
        live.pass_time(RESYNC)
        live.expect("Synced", "BackendUnreachable")
        assert live.verdicts() == {"Ready": "True", "Synced": "False"}
        live.pass_time(180, steps=2)
        assert live.verdicts() == {"Ready": "Unknown", "Synced": "False"}
    finally:
        server.resume()
    since = server.log_position()
    live.pass_time(400, steps=4)
    assert live.verdicts() == {"Ready": "True", "Synced": "True"}
    assert live.secret() == before
    assert [each.text for each in server.log_since(since).statements if "ALTER" in each.text] == []


def test_a_server_that_stops_and_comes_back_heals_without_a_nudge(
    new_world: MakeWorld, new_postgres: StartPostgres
) -> None:
    live = _live(new_world(new_postgres()))
    before = live.secret()
    live.postgres.stop()
    live.pass_time(RESYNC + 200, steps=4)
    assert live.verdicts()["Ready"] == "Unknown"
    assert live.verdicts("shared", SERVER, "platform")["Synced"] == "False"
    live.postgres.start()
    live.pass_time(400, steps=4)
    assert live.is_current()
    assert live.secret() == before
    assert live.logs_in()


def test_a_read_only_server_is_said(new_world: MakeWorld, new_postgres: StartPostgres) -> None:
    world = new_world(new_postgres())
    world.postgres.become_replica()
    world.offer()
    world.claim()
    world.settle()
    world.expect("Stalled", "ReadOnly", "primary", name="shared", kind=SERVER, ns="platform")
    world.expect("Synced", "ServerNotReady", "primary")


def test_a_login_at_its_connection_limit_is_no_broken_password(world: World) -> None:
    world.offer(connectionLimit=2)
    world.claim()
    world.settle()
    before = world.secret()
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(world.login())
        with pytest.raises(psycopg.OperationalError, match="too many connections"), world.login():
            raise AssertionError("the limit holds")
        since = world.postgres.log_position()
        world.pass_time(RESYNC)
        world.expect("Synced", "ConnectionLimitReached", before["username"])
        refused = world.postgres.log_since(since).by(user=before["username"]).refusals
        assert len(refused) == 1, "one attempt in a pass"
        world.pass_time(180, steps=2)
        assert world.verdicts() == {"Ready": "Unknown", "Synced": "False"}, "nothing proves that it works"
        altered = world.postgres.log_since(since).by(user=world.admin.username).statements
        assert [each.text for each in altered if "PASSWORD" in each.text] == []
    world.pass_time(RESYNC)
    assert world.is_current()
    assert world.secret() == before


def test_a_transaction_pooler_is_found_and_said(world: World) -> None:
    with PgBouncer(world.postgres) as pooler:
        world.offer({"port": pooler.port})
        world.settle()
        world.expect("Stalled", "PoolerEndpoint", "clientEndpoint", name="shared", kind=SERVER, ns="platform")


def test_a_lower_tls_mode_is_explicit_and_warns(world: World) -> None:
    world.offer({"tls": {"mode": "require"}})
    world.claim()
    world.settle()
    world.expect("InsecureTLS", "InsecureTLS", "verify-full", name="shared", kind=SERVER, ns="platform")
    world.expect("InsecureTLS", "InsecureTLS", "verify-full")
    assert world.is_current()


def test_a_version_that_the_server_does_not_run_is_refused(world: World) -> None:
    world.offer()
    world.edit(SERVER, "shared", "platform", version="16")
    world.settle()
    world.expect("Stalled", "VersionMismatch", "16", "17", name="shared", kind=SERVER, ns="platform")


def test_an_admin_without_the_rights_is_told_what_to_run(world: World) -> None:
    weak = world.stranger("weak")
    world.offer()
    world.put_secret("shared-admin", username=weak.username, password=weak.password)
    world.settle()
    world.expect("Stalled", "AdminLacksRight", "CREATEROLE CREATEDB", name="shared", kind=SERVER, ns="platform")


def _live(world: World) -> World:
    world.offer()
    world.claim()
    world.settle()
    assert world.is_current()
    return world


def test_a_config_that_the_provider_does_not_know_is_refused(world: World) -> None:
    world.offer({"hots": "typo"})
    world.settle()
    world.expect("Stalled", "InvalidSpec", "hots", name="shared", kind=SERVER, ns="platform")
    world.edit(SERVER, "shared", "platform", config={"hots": None})
    world.claim()
    world.settle()
    assert world.is_current()
    assert world.get(CLAIM, "orders")["status"]["serverRef"]["name"] == "shared"
