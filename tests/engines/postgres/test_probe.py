"""How a server answers a login, in every way that it can refuse one, in English and in a foreign language."""

from __future__ import annotations

import functools
import os
import secrets
from collections.abc import Callable, Iterator

import pytest
from psycopg import sql

from dbclaims.core.spi import TLS, Credentials, Endpoint, Refused, Unreachable, Verdict
from dbclaims.engines import postgres as engine
from dbclaims.engines.postgres.probe import Facts, classify
from tests.conftest import StartPostgres, needed
from tests.servers.faults import RstHost, SilentHost
from tests.servers.installation import installation as find
from tests.servers.postgres import PostgresServer
from tests.servers.process import ServerProcess

from .conftest import OpenSession
from .world import World, open_session

Private = Callable[[PostgresServer], World]

REFUSALS = {
    "NOLOGIN": ("ALTER ROLE {a} NOLOGIN", Verdict.CLOSED),
    "role renamed": ("ALTER ROLE {a} RENAME TO {other}", Verdict.CLOSED),
    "password expired": ("ALTER ROLE {a} VALID UNTIL '2000-01-01'", Verdict.CLOSED),
    "limit reached": ("ALTER ROLE {a} CONNECTION LIMIT 0", Verdict.FULL),
    "database full": ("ALTER DATABASE {database} CONNECTION LIMIT 0", Verdict.FULL),
    "database closed": ("ALTER DATABASE {database} ALLOW_CONNECTIONS false", Verdict.CLOSED),
    "database gone": ("DROP DATABASE {database}", Verdict.CLOSED),
    "CONNECT revoked": ("REVOKE CONNECT ON DATABASE {database} FROM {owner}", Verdict.CLOSED),
    "password changed": ("ALTER ROLE {a} PASSWORD 'another'", Verdict.REFUSED),
}


def _run(claim: World, words: str) -> None:
    names = {"a": claim.a, "other": f"{claim.a}x", "owner": claim.owner, "database": claim.name}
    claim.server.execute(sql.SQL(words).format(**{key: sql.Identifier(name) for key, name in names.items()}))


@pytest.mark.parametrize(("change", "verdict"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_told_apart(claim: World, change: str, verdict: Verdict) -> None:
    _run(claim, change)
    assert claim.probe().verdict is verdict


@pytest.fixture(scope="module")
def german() -> Iterator[World]:
    """Return a claim on a server whose messages are German (Debian's PostgreSQL has the translations)."""
    with pytest.MonkeyPatch.context() as patch:
        speaking = {"PATH": os.defpath, "LANGUAGE": "de"}
        patch.setattr("tests.servers.postgres.ServerProcess", functools.partial(ServerProcess, environment=speaking))
        server = needed(lambda: PostgresServer(find(15), settings={"lc_messages": "C.UTF-8"}))
    admin = server.create_admin()
    session = open_session(server, Credentials(admin.username, admin.password))
    identity = engine.engine_hold(session=session, identity="i")
    yield World(server, session, "de", identity=identity)
    engine.engine_close(session=session)
    server.close()


@pytest.mark.parametrize(("change", "verdict"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_told_apart_in_german(german: World, change: str, verdict: Verdict) -> None:
    german.name = f"de{secrets.token_hex(4)}"
    german.create()
    _run(german, change)
    probe = german.probe()
    assert probe.verdict is verdict
    assert probe.message.isascii() is False or "FATAL" in probe.message


def test_a_server_that_speaks_german_is_really_foreign(german: World) -> None:
    german.name = f"de{secrets.token_hex(4)}"
    german.create()
    assert "Passwort" in german.probe(password="wrong").message


def test_a_wrong_admin_password_is_told_in_german_too(german: World, connect: OpenSession) -> None:
    session = connect(german.server, Credentials(german.session.admin.username, "wrong"))
    with pytest.raises(Refused) as refusal:
        engine.engine_survey(session=session)
    assert refusal.value.reason == "AdminLoginRefused"


def test_the_password_is_not_in_the_message(claim: World) -> None:
    assert "wr0ng" not in claim.probe(password="wr0ng").message


@pytest.mark.parametrize(
    ("sqlstate", "facts", "verdict"),
    [
        ("28P01", Facts(True, True, True, True), Verdict.REFUSED),
        ("28P01", Facts(False, True, True, True), Verdict.CLOSED),
        ("28P01", Facts(True, True, True, False), Verdict.FULL),
        ("28000", Facts(True, True, True, True), Verdict.UNKNOWN),
        ("53300", Facts(True, True, True, True), Verdict.FULL),
        ("XX000", Facts(True, True, True, True), Verdict.UNKNOWN),
    ],
)
def test_only_a_proved_refusal_is_a_refusal(sqlstate: str, facts: Facts, verdict: Verdict) -> None:
    assert classify(sqlstate, facts) is verdict


def test_a_rejected_host_proves_nothing_about_the_password(new_postgres: StartPostgres, private: Private) -> None:
    world = private(new_postgres(access=["host all db_a 127.0.0.0/8 reject"]))
    assert world.probe().verdict is Verdict.UNKNOWN


def test_a_full_server_is_full(new_postgres: StartPostgres, private: Private) -> None:
    world = private(new_postgres(settings={"max_connections": "6", "superuser_reserved_connections": "3"}))
    with world.login(), world.login():
        assert world.probe().verdict is Verdict.FULL


def test_a_stopped_or_frozen_server_is_unreachable(new_postgres: StartPostgres, private: Private) -> None:
    server = new_postgres()
    world = private(server)
    server.stop()
    with pytest.raises(Unreachable):
        world.probe()
    with pytest.raises(Unreachable):
        world.look()
    server.start()
    assert world.probe().verdict is Verdict.ACCEPTED
    assert world.look().present


@pytest.mark.parametrize("host", [SilentHost, RstHost])
def test_a_host_that_does_not_answer_is_unreachable(
    connect: OpenSession, monkeypatch: pytest.MonkeyPatch, host: type[SilentHost | RstHost]
) -> None:
    # psycopg takes no deadline below two seconds.
    monkeypatch.setattr("dbclaims.engines.postgres.dial.CONNECT_TIMEOUT_S", 2)
    with host() as dead:
        session = connect(Endpoint(dead.host, dead.port, TLS()), Credentials("x", "y"))
        with pytest.raises(Unreachable):
            engine.engine_survey(session=session)


def test_a_wrong_admin_password_says_so(new_postgres: StartPostgres, connect: OpenSession) -> None:
    server = new_postgres()
    session = connect(server, Credentials("postgres", "wrong"))
    with pytest.raises(Refused) as refusal:
        engine.engine_survey(session=session)
    assert refusal.value.reason == "AdminLoginRefused"


def test_a_host_that_asks_for_a_cleartext_password_gets_nothing(
    new_postgres: StartPostgres, connect: OpenSession
) -> None:
    server = new_postgres(access=["hostssl all all 127.0.0.0/8 password"])
    session = connect(server, Credentials(server.superuser.username, server.superuser.password))
    with pytest.raises(Refused) as refusal:
        engine.engine_survey(session=session)
    assert refusal.value.reason == "AuthMethodRefused"


def test_a_certificate_of_another_authority_is_refused(new_postgres: StartPostgres, connect: OpenSession) -> None:
    server, other = new_postgres(), new_postgres()
    endpoint = Endpoint(server.host, server.port, TLS(ca=other.ca_file.read_text()))
    admin = Credentials(server.superuser.username, server.superuser.password)
    session = connect(endpoint, admin)
    with pytest.raises(Refused) as refusal:
        engine.engine_survey(session=session)
    assert refusal.value.reason == "TLSRefused"


def test_an_admin_without_rights_is_told_what_to_run(new_postgres: StartPostgres, connect: OpenSession) -> None:
    server = new_postgres()
    nobody = server.create_login("nobody_special")
    session = connect(server, Credentials(nobody.username, nobody.password))
    with pytest.raises(Refused, match='ALTER ROLE "nobody_special" CREATEROLE CREATEDB'):
        engine.engine_survey(session=session)


@pytest.fixture
def private(connect: OpenSession) -> Private:
    """Return a function that makes a claim `db` real on a server of the test's own."""

    def make(server: PostgresServer) -> World:
        admin = server.create_admin()
        session = connect(server, Credentials(admin.username, admin.password), slots=1)
        world = World(server, session, "db", identity=engine.engine_hold(session=session, identity="i"))
        world.create()
        return world

    return make
