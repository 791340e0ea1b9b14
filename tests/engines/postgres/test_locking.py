"""One controller per database: against ourselves, against a stranger on the lock, and behind a transaction pooler."""

from __future__ import annotations

import psycopg
import pytest

from dbclaims.core.spi import TLS, Credentials, Endpoint, Terminal, Transient
from dbclaims.engines import postgres as engine
from dbclaims.engines.postgres.locking import key
from tests.conftest import needed
from tests.servers.pgbouncer import PgBouncer

from .conftest import MakeWorld, OpenSession
from .world import World


def test_a_second_controller_waits_and_then_says_who_holds_the_lock(claim: World, new_world: MakeWorld) -> None:
    lock = engine.engine_lock
    with lock(session=claim.session, ref=claim.ref):
        with pytest.raises(Transient) as refusal, lock(session=claim.session, ref=claim.ref):
            pass
        with lock(session=claim.session, ref=new_world(like=claim).ref):
            pass
    assert refusal.value.reason == "LockHeld"
    with lock(session=claim.session, ref=claim.ref) as again:
        assert engine.engine_observe(session=again, ref=claim.ref) is not None


def test_a_stranger_on_the_lock_delays_and_never_stops_us(claim: World) -> None:
    stranger = claim.server.create_login(f"{claim.name}_stranger")
    with psycopg.connect(claim.server.dsn(stranger), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [key(claim.session.installation, claim.name)])
        claim.limit = 9
        assert claim.converge(claim.spec()) == ["changeLogin"]
        with engine.engine_lock(session=claim.session, ref=claim.ref) as session:
            found = engine.engine_observe(session=session, ref=claim.ref)
        assert found is not None
        assert "LockHeld" in {finding.reason for finding in found.findings}


def test_a_lock_that_is_gone_by_the_next_statement_is_a_pooler(claim: World) -> None:
    with engine.engine_lock(session=claim.session, ref=claim.ref) as session:
        assert session.lock is not None
        session.lock.connection.execute("SELECT pg_advisory_unlock_all()")
        with pytest.raises(Terminal) as refusal:
            engine.engine_observe(session=session, ref=claim.ref)
    assert refusal.value.reason == "PoolerEndpoint"


@pytest.mark.parametrize("settings", [{}, {"ignore_startup_parameters": "options"}], ids=["refuses", "drops"])
def test_a_real_transaction_pooler_is_noticed(claim: World, connect: OpenSession, settings: dict[str, str]) -> None:
    """Whether it refuses the start-up options or drops them, pgbouncer does not pass for a server."""
    with needed(lambda: PgBouncer(claim.server, settings)) as pooler:
        endpoint = Endpoint(pooler.host, pooler.port, TLS(ca=claim.server.ca_file.read_text()))
        session = connect(endpoint, claim.session.admin)
        with pytest.raises(Terminal) as refusal:
            engine.engine_survey(session=session)
    assert refusal.value.reason == "PoolerEndpoint"


def test_lock_keys_differ_by_database_and_installation(new_world: MakeWorld) -> None:
    one, other = new_world(), new_world()
    keys = {key(world.session.installation, name) for world in (one, other) for name in ("a", "b")}
    assert len(keys) == 4
    assert all(-(2**63) <= number < 2**63 for number in keys)


def test_a_broken_connection_is_not_lent_again(claim: World) -> None:
    claim.look()
    claim.server.execute(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE usename = %s AND application_name = %s",
        [claim.session.admin.username, "dbclaims"],
    )
    assert claim.look().present


def test_more_callers_than_slots_wait_for_their_turn(
    claim: World, connect: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbclaims.engines.postgres.session._SLOT_WAIT_S", 0.1)
    admin = Credentials(claim.session.admin.username, claim.session.admin.password)
    session = connect(claim.server, admin, slots=1)
    with session.maintenance(), pytest.raises(Transient) as refusal:
        engine.engine_survey(session=session)
    assert refusal.value.reason == "ServerBusy"
