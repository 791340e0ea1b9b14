"""A server that stops answering: no call of the engine waits for it for ever, and none of it is taken for absence."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator

import pytest

from dbclaims.core.spi import Credentials, Unreachable
from dbclaims.engines import mysql as engine
from dbclaims.engines.mysql import dial
from tests.conftest import StartMySQL
from tests.servers.mysql import MySQLServer

from .world import World, installation, open_session

IN_TIME = 5.0
"""Seconds, much more than the deadlines that the tests set and much less than no deadline at all."""


@pytest.fixture
def stopped(mysql: MySQLServer, new_mysql: StartMySQL, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A real claim with a kept admin connection; its server may be paused. Deadlines are those of impatient people."""
    server = new_mysql(mysql.installation.version)
    account = server.create_admin()
    monkeypatch.setattr(dial, "CONNECT_TIMEOUT_S", 1.0)
    monkeypatch.setattr(dial, "ANSWER_TIMEOUT_S", 1.0)
    session = open_session(server, Credentials(account.username, account.password), installation())
    engine.engine_hold(session=session, identity=secrets.token_hex(8))
    world = World(server, session, "orders")
    world.create()
    yield world
    server.resume()
    engine.engine_close(session=session)


def test_a_wait_for_a_lock_ends_before_ours_and_ours_below_ten_seconds() -> None:
    assert "lock_wait_timeout = 5, innodb_lock_wait_timeout = 5" in dial.ADMIN_SETTINGS
    assert dial.CONNECT_TIMEOUT_S < dial.ANSWER_TIMEOUT_S < 10.0


def test_a_statement_that_is_not_answered_ends_as_unreachable(stopped: World) -> None:
    stopped.server.pause()
    began = time.monotonic()
    with pytest.raises(Unreachable):
        stopped.observe()
    with pytest.raises(Unreachable):
        stopped.probe()
    assert time.monotonic() - began < IN_TIME


def test_a_server_that_stops_under_our_lock_is_waited_for_once(stopped: World) -> None:
    def stop_and_look() -> None:
        with engine.engine_lock(session=stopped.session, ref=stopped.ref) as locked:
            stopped.server.pause()
            engine.engine_observe(session=locked, ref=stopped.ref)

    began = time.monotonic()
    with pytest.raises(Unreachable):
        stop_and_look()
    assert time.monotonic() - began < IN_TIME


def test_a_server_that_stops_before_a_step_is_waited_for_once(stopped: World) -> None:
    first, *_ = stopped.plan(stopped.spec(stopped.verifier(stopped.a)), stopped.look())
    stopped.server.pause()
    began = time.monotonic()
    with pytest.raises(Unreachable):
        engine.engine_apply(session=stopped.session, ref=stopped.ref, action=first)
    assert time.monotonic() - began < IN_TIME


def test_many_passes_that_hang_give_every_slot_back(stopped: World) -> None:
    stopped.server.pause()
    refused: list[Unreachable] = []

    def look() -> None:
        with pytest.raises(Unreachable) as caught:
            stopped.observe()
        refused.append(caught.value)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(IN_TIME)
    assert len(refused) == len(threads)
    stopped.server.resume()
    assert stopped.look().present


def test_a_server_that_goes_on_is_used_again(stopped: World) -> None:
    stopped.server.pause()
    with pytest.raises(Unreachable):
        stopped.observe()
    stopped.server.resume()
    assert stopped.look().present
    assert stopped.converge(stopped.spec()) == []
