"""What people are told about a server although the work goes on, what stops it, and what a false server is told."""

from __future__ import annotations

import secrets
import socket
import struct
import threading
from collections.abc import Iterator

import attrs
import pytest

from dbclaims.core.spi import TLS, Credentials, Endpoint, NotOwned, Survey, Terminal, TLSMode, Unreachable
from dbclaims.engines import mysql as engine
from dbclaims.engines.mysql.dial import Line
from tests.conftest import StartMySQL
from tests.servers.mysql import MySQLServer

from .conftest import MakeWorld
from .world import World, installation, open_session


def _survey(server: MySQLServer) -> Survey:
    session = open_session(server, Credentials("root", server.superuser.password), installation())
    try:
        return engine.engine_survey(session=session)
    finally:
        engine.engine_close(session=session)


def test_a_new_server_has_no_identity_until_it_is_held(world: World) -> None:
    session = open_session(world.server, world.session.admin, installation())
    before = engine.engine_survey(session=session)
    assert (before.identity, before.marked, before.read_only) == (None, False, False)
    assert engine.engine_hold(session=session, identity="one") == "one"
    assert engine.engine_hold(session=session, identity="two") == "one"
    after = engine.engine_survey(session=session)
    assert (after.identity, after.marked) == ("one", False)
    engine.engine_close(session=session)


def test_an_account_that_only_looks_like_our_holder_is_left_alone(world: World) -> None:
    session = open_session(world.server, world.session.admin, installation())
    world.server.create_login(session.holder)
    with pytest.raises(NotOwned):
        engine.engine_hold(session=session, identity="one")
    engine.engine_close(session=session)


@pytest.mark.parametrize("length", [23, 24, 40])
def test_a_long_installation_id_makes_an_account_name_that_fits(world: World, length: int) -> None:
    ours = attrs.evolve(installation(), id=secrets.token_hex(20)[:length])
    session = open_session(world.server, world.session.admin, ours)
    assert engine.engine_hold(session=session, identity="one") == "one"
    assert len(session.holder) <= 32
    assert engine.engine_survey(session=session).identity == "one"
    engine.engine_close(session=session)


def test_a_read_only_server_says_so(mysql: MySQLServer, new_mysql: StartMySQL) -> None:
    server = new_mysql(mysql.installation.version)
    assert not _survey(server).read_only
    server.execute("SET GLOBAL read_only = ON")
    assert _survey(server).read_only


def test_what_applications_will_meet_is_a_finding(mysql: MySQLServer, new_mysql: StartMySQL) -> None:
    assert _survey(mysql).findings == ()
    options = ["--event-scheduler=DISABLED", "--lower-case-table-names=1"]
    if mysql.is_mariadb:
        options += ["--log-bin=binlog"]
        expected = {"EventsDisabled", "NamesFolded", "TriggersRefused"}
    else:
        # MySQL fixes how it folds names when its data directory is made.
        options = options[:1]
        expected = {"EventsDisabled"}
    assert {
        each.reason for each in _survey(new_mysql(mysql.installation.version, options=options)).findings
    } == expected


def test_names_that_the_server_folds_are_one(new_mysql: StartMySQL) -> None:
    server = new_mysql("mariadb-10.11", options=["--lower-case-table-names=1"])
    admin = server.create_admin()
    session = open_session(server, Credentials(admin.username, admin.password), installation())
    identity = engine.engine_hold(session=session, identity="i")
    first = World(server, session, "Orders_x", identity=identity)
    first.create()
    assert first.converge(first.spec()) == []
    second = World(server, session, "orders_X", identity=identity)
    with pytest.raises(NotOwned):
        second.create()
    engine.engine_close(session=session)


def test_an_address_behind_which_connections_are_shared_is_a_pooler(
    new_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = new_world()
    world.create()
    monkeypatch.setattr(Line, "greeted_as", 0)
    for look in (world.observe, lambda: engine.engine_survey(session=world.session)):
        with pytest.raises(Terminal) as refusal:
            look()
        assert refusal.value.reason == "PoolerEndpoint"


def test_a_lock_that_was_forgotten_is_a_pooler(claim: World) -> None:
    def lose_it() -> None:
        with engine.engine_lock(session=claim.session, ref=claim.ref) as session:
            assert session.lock is not None
            session.lock.line.rows("SELECT RELEASE_ALL_LOCKS()")
            engine.engine_observe(session=session, ref=claim.ref)

    with pytest.raises(Terminal) as refusal:
        lose_it()
    assert refusal.value.reason == "PoolerEndpoint"


class Thief:
    """A false server without TLS that asks for the password in clear text, and keeps what it hears."""

    def __init__(self, plugin: bytes) -> None:
        self.heard = b""
        self._plugin = plugin
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it, when whoever called has hung up."""
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.settimeout(5)
            # Protocol 10, as the manual's "Protocol::HandshakeV10" has it: no TLS among its capabilities.
            greeting = b"\x0a9.7.0\0" + struct.pack("<I", 7) + b"12345678\0" + struct.pack("<H", 0xF7DF & ~0x0800)
            greeting += b"\xff\x02\0" + struct.pack("<H", 0xDFFF) + b"\x15" + b"\0" * 10 + b"123456789012\0"
            self._send(connection, 0, greeting + b"caching_sha2_password\0")
            connection.recv(4096)
            self._send(connection, 2, b"\xfe" + self._plugin + b"\0")
            self.heard = connection.recv(4096)

    @staticmethod
    def _send(connection: socket.socket, number: int, payload: bytes) -> None:
        connection.sendall(struct.pack("<I", len(payload))[:3] + bytes([number]) + payload)


@pytest.fixture(params=[b"mysql_clear_password", b"dialog"])
def thief(request: pytest.FixtureRequest) -> Iterator[Thief]:
    """Return a thief for each plugin by which one may ask."""
    thief = Thief(request.param)
    yield thief
    thief.close()


def test_a_server_without_a_checked_certificate_is_told_no_password(thief: Thief) -> None:
    endpoint = Endpoint("127.0.0.1", thief.port, TLS(TLSMode.DISABLE))
    session = engine.engine_open(
        endpoint=endpoint, admin=Credentials("root", "t0psecret"), installation=installation(), slots=1
    )
    with pytest.raises(Unreachable) as refusal:
        engine.engine_survey(session=session)
    assert refusal.value.reason == "TLSRefused"
    thief.close()
    assert thief.heard == b""
