"""The core profile: a server that is away, silent, or refuses our login. An error is never absence."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress

import attrs
import pytest

from dbclaims.conformance.database import DatabaseDriver
from dbclaims.core.spi import Credentials, Endpoint, Refused, Unreachable

Call = Callable[[DatabaseDriver], object]

CALLS: dict[str, Call] = {
    "survey": lambda claim: claim.engine.survey(claim.session),
    "hold": lambda claim: claim.engine.hold(claim.session, "any"),
    "observe": lambda claim: claim.observe(),
    "probe": lambda claim: claim.probe(),
    "sessions": lambda claim: claim.engine.sessions(claim.session, claim.ref),
    "lock": lambda claim: claim.engine.lock(claim.session, claim.ref).__enter__(),
}


def test_a_session_opens_while_the_server_is_away(claim: DatabaseDriver) -> None:
    claim.reopen(endpoint=Endpoint("127.0.0.1", 1))
    assert claim.session is not None, "engine_open must return a session: any object that the other hooks need"


def test_a_server_that_is_away_is_unreachable(database: DatabaseDriver) -> None:
    with database.outage():
        for name, call in CALLS.items():
            try:
                answer = call(database)
            except Unreachable:
                continue
            raise AssertionError(f"{name} answers {answer!r}; while nothing answers, raise Unreachable")
    database.require_working()


def test_a_server_that_never_answers_is_unreachable_in_time(claim: DatabaseDriver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, claim.recorder.unread():
        claim.reopen(endpoint=attrs.evolve(claim.backend.endpoint, port=silent.getsockname()[1]))
        started = time.monotonic()
        with pytest.raises(Unreachable):
            claim.observe()
        assert time.monotonic() - started < 10, "every answer must be waited for less than 10 s"


def test_a_refused_admin_is_no_absent_database(database: DatabaseDriver) -> None:
    database.recorder.guard("not-the-admins-password")
    database.reopen(admin=Credentials(database.backend.admin.username, "not-the-admins-password"))
    with pytest.raises(Refused):
        database.observe()


def test_a_session_survives_the_server_s_restart(database: DatabaseDriver) -> None:
    with database.outage():
        pass
    # A connection of the pool may tell that it was cut; the next look opens another.
    with suppress(Unreachable):
        database.observe()
    assert database.look().present


def test_a_database_that_was_dropped_behind_our_back_is_seen(database: DatabaseDriver) -> None:
    database.close()
    database.backend.execute(f"DROP DATABASE {database.name}")
    database.reopen()
    observed = database.look()
    assert not observed.present, "the database is gone and its roles are not"
    database.create()
    database.require_working()
