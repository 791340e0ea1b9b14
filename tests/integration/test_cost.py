"""What a claim costs: requests in the API server's audit log, statements and connections in PostgreSQL's log.

The bounds are those of issue 3, "Shows", number 5. Requests that were refused or without effect count as defects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from dbclaims.core.kinds import CLAIM
from tests.conftest import StartPostgres
from tests.controlplane.audit import AuditEvent
from tests.servers.serverlog import ServerLog

from .conftest import MakeWorld
from .test_secrets import RESYNC
from .world import World


def _writes(world: World, act: Callable[[], object]) -> tuple[list[AuditEvent], list[AuditEvent]]:
    """The controller's writes while something happens, and its Events apart from them; each must have an effect."""
    since = world.cluster.audit_position()
    act()
    found = [each for each in world.account.asked(since) if each.is_write]
    assert [each for each in found if each.code >= 300] == [], "refused"
    events = [each for each in found if each.resource == "events"]
    return [each for each in found if each not in events], events


def _sql(world: World, act: Callable[[], object]) -> ServerLog:
    """What this world's logins did in the server while something happens; a COMMIT that is sent counts too."""
    since = world.postgres.log_position()
    act()
    log = world.postgres.log_since(since)
    mine = [name for name in {entry.user for entry in log.statements + log.connections} if world.tag in name]
    statements = tuple(entry for entry in log.statements if entry.user in mine)
    return ServerLog(statements, tuple(entry for entry in log.connections if entry.user in mine), (), "")


def _told(what: str, writes: list[AuditEvent], events: list[AuditEvent]) -> None:
    print(f"\n{what}: {len(writes)} writes, {len(events)} Events", Counter(f"{e.verb} {e.resource}" for e in writes))


@pytest.fixture
def offered(world: World) -> World:
    """A world whose server and class are ready."""
    world.offer()
    world.settle()
    return world


def test_a_claim_is_made_with_three_writes_and_one_event(offered: World) -> None:
    offered.claim(schemas=["app"])
    writes, events = _writes(offered, offered.settle)
    _told("create", writes, events)
    assert offered.is_current()
    assert len(writes) <= 3
    assert len(events) == 1


def test_a_rotation_takes_five_writes_and_one_event(live: World) -> None:
    live.annotate(CLAIM, "orders", rotate="1")
    writes, events = _writes(live, lambda: live.pass_time(1300, steps=13))
    _told("rotation with the old login's end", writes, events)
    assert sum(live.roles().values()) == 1, "the old login is closed"
    assert len(writes) <= 5
    assert len(events) == 1


@pytest.mark.scopes("cluster", "namespaces")
def test_a_steady_state_writes_nothing_over_ten_resyncs(live: World) -> None:
    live.role(ns="shop")
    live.grant()
    live.role("second")
    live.settle()
    passes = live.process.passes
    writes, events = _writes(live, lambda: live.pass_time(10 * RESYNC, steps=20))
    _told(f"ten resyncs, {live.process.passes - passes} passes", writes, events)
    assert live.process.passes - passes >= 20
    assert writes + events == []


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", [50, pytest.param(1000, marks=pytest.mark.long)])
def test_a_restart_writes_nothing(new_world: MakeWorld, new_postgres: StartPostgres, number: int) -> None:
    offered = new_world(new_postgres())
    offered.offer()
    offered.settle()
    for index in range(number):
        offered.claim(f"orders-{index}")
        # The queue's age is a promise about time, and here none passes: the claims are taken in as they come.
        offered.settle()
    assert all(offered.is_current(f"orders-{index}") for index in range(0, number, 10))

    def restart() -> None:
        offered.restart()
        offered.pass_time(RESYNC, steps=4)

    writes, events = _writes(offered, restart)
    _told(f"restart with {number} claims, {offered.process.passes} passes", writes, events)
    assert offered.process.passes >= number
    assert writes + events == []


def test_a_claim_is_made_with_few_statements_and_connections(offered: World) -> None:
    offered.claim(schemas=["app"], extensions=["pgcrypto"])
    log = _sql(offered, offered.settle)
    print(f"\ncreate: {len(log.statements)} statements, {len(log.connections)} connections")
    assert offered.is_current()
    assert len(log.statements) <= 26, [each.text for each in log.statements]
    assert len(log.connections) <= 3


def test_a_pass_in_sync_takes_few_statements_and_one_connection(live: World) -> None:
    live.annotate(CLAIM, "orders", paused="true")
    live.settle()
    live.annotate(CLAIM, "orders", paused=None)
    log = _sql(live, live.settle)
    print(f"\nin sync: {len(log.statements)} statements, {len(log.connections)} connections")
    assert live.is_current()
    assert 1 <= len(log.statements) <= 4, [each.text for each in log.statements]
    assert len(log.connections) <= 1
