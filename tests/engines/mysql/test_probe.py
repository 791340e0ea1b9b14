"""How a server answers a login, in every way that it can refuse one; only an unexplained 1045 is a proof."""

from __future__ import annotations

import secrets
from contextlib import ExitStack

import pymysql
import pytest

from dbclaims.core.spi import TLS, Credentials, Endpoint, Refused, TLSMode, Unreachable, Verdict
from dbclaims.engines import mysql as engine
from dbclaims.engines.mysql.probe import Facts, classify
from dbclaims.engines.mysql.quoting import identifier
from tests.conftest import StartMySQL
from tests.servers.faults import RstHost, SilentHost
from tests.servers.mysql import MySQLServer

from .world import World, installation, open_session

REFUSALS = {
    "locked": ("ALTER USER {a} ACCOUNT LOCK", Verdict.CLOSED),
    "account renamed": ("RENAME USER {a} TO {other}", Verdict.CLOSED),
    "account dropped": ("DROP USER {a}", Verdict.CLOSED),
    "account of one host": ("RENAME USER {a} TO {elsewhere}", Verdict.CLOSED),
    "password expired": ("ALTER USER {a} PASSWORD EXPIRE", Verdict.CLOSED),
    "database gone": ("DROP DATABASE {database}", Verdict.CLOSED),
    "rights revoked": ("REVOKE ALL ON {database}.* FROM {a}", Verdict.CLOSED),
    "a certificate is demanded": ("ALTER USER {a} REQUIRE X509", Verdict.UNKNOWN),
    "another account is tried first": ("CREATE USER {shadow} IDENTIFIED BY 'x'", Verdict.UNKNOWN),
    "password changed": ("ALTER USER {a} IDENTIFIED BY 'another'", Verdict.REFUSED),
}


def _run(claim: World, words: str) -> None:
    hosts = {"a": "%", "other": "%", "elsewhere": "10.9.9.9", "shadow": "127.0.0.1"}
    names = {key: f"`{claim.a}{'x' if key == 'other' else ''}`@'{host}'" for key, host in hosts.items()}
    claim.server.execute(words.format(**names, database=identifier(claim.name)))


@pytest.mark.parametrize(("change", "verdict"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_told_apart(claim: World, change: str, verdict: Verdict) -> None:
    _run(claim, change)
    assert claim.probe().verdict is verdict
    assert "another" not in claim.probe(password="another").message


def test_a_locked_account_is_closed_and_its_wrong_password_is_no_proof(claim: World) -> None:
    _run(claim, "ALTER USER {a} ACCOUNT LOCK")
    assert claim.probe(password="wrong").verdict is Verdict.CLOSED


def test_an_account_at_its_limit_is_full_and_a_wrong_password_is_refused(claim: World) -> None:
    claim.limit = 1
    claim.converge(claim.spec())
    with claim.login():
        assert claim.probe().verdict is Verdict.FULL
        assert claim.probe(password="wrong").verdict is Verdict.REFUSED


def test_an_account_that_hides_ours_with_our_password_is_no_success(claim: World) -> None:
    _run(claim, "CREATE USER {shadow} IDENTIFIED BY '" + claim.password + "'")
    claim.server.execute(f"GRANT SELECT ON {identifier(claim.name)}.* TO `{claim.a}`@'127.0.0.1'")
    probe = claim.probe()
    assert probe.verdict is Verdict.UNKNOWN
    assert f"{claim.a}@127.0.0.1" in probe.message
    assert "ShadowedLogin" in {finding.reason for finding in claim.look().findings}


@pytest.mark.parametrize(
    ("errno", "facts", "verdict"),
    [
        (1045, Facts(login=True, plain=True), Verdict.REFUSED),
        (1045, Facts(login=False, plain=True), Verdict.CLOSED),
        (1045, Facts(login=True, plain=False), Verdict.UNKNOWN),
        (1040, Facts(login=True, plain=True), Verdict.FULL),
        (1226, Facts(login=True, plain=True), Verdict.FULL),
        (3118, Facts(login=True, plain=True), Verdict.CLOSED),
        (4151, Facts(login=True, plain=True), Verdict.CLOSED),
        (4150, Facts(login=True, plain=True), Verdict.UNKNOWN),
        (1184, Facts(login=True, plain=True), Verdict.UNKNOWN),
        (9999, Facts(login=True, plain=True), Verdict.UNKNOWN),
    ],
)
def test_only_a_proved_refusal_is_a_refusal(errno: int, facts: Facts, verdict: Verdict) -> None:
    assert classify(errno, facts) is verdict


def test_a_full_server_is_full(mysql: MySQLServer, new_mysql: StartMySQL) -> None:
    world = _private(new_mysql(mysql.installation.version, options=["--max-connections=10"]))
    with ExitStack() as opened:
        # One more than the limit is for those who may administrate, and it is taken too.
        while True:
            try:
                opened.enter_context(world.server.connect())
            except pymysql.MySQLError:
                break
        assert world.probe().verdict is Verdict.FULL
    assert world.probe().verdict is Verdict.ACCEPTED


def test_a_stopped_server_is_unreachable_and_is_used_again(mysql: MySQLServer, new_mysql: StartMySQL) -> None:
    server = new_mysql(mysql.installation.version)
    world = _private(server)
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
    host: type[SilentHost] | type[RstHost], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbclaims.engines.mysql.dial.CONNECT_TIMEOUT_S", 0.5)
    with host() as dead:
        session = engine.engine_open(
            endpoint=Endpoint(dead.host, dead.port, TLS()),
            admin=Credentials("x", "y"),
            installation=installation(),
            slots=1,
        )
        with pytest.raises(Unreachable):
            engine.engine_survey(session=session)


def test_a_wrong_admin_password_says_so(mysql: MySQLServer) -> None:
    session = open_session(mysql, Credentials("root", "wrong"), installation())
    with pytest.raises(Refused) as refusal:
        engine.engine_survey(session=session)
    assert refusal.value.reason == "AdminLoginRefused"


@pytest.mark.parametrize("name", ["db.example.internal", None], ids=["another name", "another authority"])
def test_a_certificate_that_does_not_fit_gets_no_password(
    mysql: MySQLServer, new_mysql: StartMySQL, name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = mysql.ca_file.read_text() if name else new_mysql("mariadb-10.11").ca_file.read_text()
    if name:
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (mysql.host, mysql.port))])
    endpoint = Endpoint(name or mysql.host, mysql.port, TLS(ca=other))
    admin = Credentials(mysql.superuser.username, mysql.superuser.password)
    session = engine.engine_open(endpoint=endpoint, admin=admin, installation=installation(), slots=1)
    position = mysql.log_position()
    with pytest.raises(Unreachable) as refusal:
        engine.engine_survey(session=session)
    assert refusal.value.reason == "TLSRefused"
    assert mysql.log_since(position).by("root").connections == ()


@pytest.mark.parametrize("mode", [TLSMode.VERIFY_CA, TLSMode.REQUIRE, TLSMode.DISABLE])
def test_a_lower_mode_connects_as_it_says(mysql: MySQLServer, mode: TLSMode) -> None:
    ca = mysql.ca_file.read_text() if mode is TLSMode.VERIFY_CA else None
    endpoint = Endpoint(mysql.host, mysql.port, TLS(mode, ca))
    admin = Credentials(mysql.superuser.username, mysql.superuser.password)
    session = engine.engine_open(endpoint=endpoint, admin=admin, installation=installation(), slots=1)
    assert engine.engine_survey(session=session).version
    engine.engine_close(session=session)


def test_an_admin_without_rights_is_told_what_it_lacks(mysql: MySQLServer) -> None:
    nobody = mysql.create_login(f"nobody{secrets.token_hex(3)}")
    session = open_session(mysql, Credentials(nobody.username, nobody.password), installation())
    with pytest.raises(Refused, match="CREATE USER") as refusal:
        engine.engine_survey(session=session)
    assert refusal.value.reason == "AdminLacksRight"


def _private(server: MySQLServer) -> World:
    admin = server.create_admin()
    session = open_session(server, Credentials(admin.username, admin.password), installation(), slots=1)
    identity = engine.engine_hold(session=session, identity="i")
    world = World(server, session, "db", identity=identity)
    world.create()
    return world
