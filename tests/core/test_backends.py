"""Opened servers: one session each, a breaker for the dead, and an admin login that others may rotate."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dbclaims.core import plugins
from dbclaims.core.api import DatabaseServer, parse
from dbclaims.core.backends import Backends
from dbclaims.core.kinds import SECRET, SERVER
from dbclaims.core.local import LocalStore
from dbclaims.core.spi import (
    Installation,
    InvalidSpec,
    NotReady,
    Refused,
    SPIError,
    Terminal,
    Transient,
    Unreachable,
    Unsupported,
)
from tests.clock import FakeClock
from tests.servers.faults import RstHost
from tests.servers.postgres import Account, PostgresServer

from .models import document


class Place:
    """A store with the admin Secret, and the servers that are opened from it."""

    def __init__(self, folder: Path, pg: PostgresServer) -> None:
        self.clock = FakeClock()
        self.store = LocalStore(folder, clock=self.clock)
        self.backends = Backends(
            plugins.load(), self.store, Installation("i", b"key"), self.clock, lambda name: f"uid of {name}"
        )
        self.admin = pg.create_admin(f"admin_{secrets.token_hex(4)}")
        self._pg = pg
        self.put("ca", {"ca.crt": pg.ca_file.read_text()})
        self.put_admin(self.admin)

    def put(self, name: str, data: dict[str, str]) -> None:
        """Write a Secret anew."""
        self.store.delete(SECRET, "platform", name)
        self.store.create(SECRET, {"metadata": {"name": name, "namespace": "platform"}, "stringData": data})

    def put_admin(self, account: Account) -> None:
        """Write the admin's Secret anew."""
        self.put("admin", {"username": account.username, "password": account.password})

    def server(self, generation: int = 1, engine: str = "postgres", **config: Any) -> DatabaseServer:
        """A DatabaseServer for the shared PostgreSQL."""
        usual = {"host": self._pg.host, "port": self._pg.port, "adminSecretRef": {"name": "admin"}}
        tls = {"tls": {"mode": "verify-full", "caSecretRef": {"name": "ca", "key": "ca.crt"}}}
        spec = {"provider": "existing", "engine": engine, "config": {**usual, **tls, **config}}
        parsed = parse(document(SERVER, spec, "shared", "platform", generation=generation))
        assert isinstance(parsed, DatabaseServer)
        return parsed

    def survey(self, server: DatabaseServer) -> None:
        """Ask the server something."""
        backend = self.backends.get(server)
        with backend.session() as session:
            backend.engine.survey(session)


@pytest.fixture
def place(tmp_path: Path, pg: PostgresServer) -> Iterator[Place]:
    place = Place(tmp_path, pg)
    yield place
    place.backends.close()
    place.store.close()
    pg.execute(f'DROP ROLE "{place.admin.username}"')


def test_a_server_is_opened_once_and_its_connection_is_kept(place: Place, pg: PostgresServer) -> None:
    position = pg.log_position()
    for _ in range(3):
        place.survey(place.server())
    assert len(pg.log_since(position).by(user=place.admin.username).connections) == 1


def test_an_edited_server_is_opened_anew(place: Place) -> None:
    first = place.backends.get(place.server())
    assert place.backends.get(place.server()) is first
    assert place.backends.get(place.server(generation=2)) is not first


def test_a_forgotten_server_is_opened_anew(place: Place) -> None:
    first = place.backends.get(place.server())
    place.backends.forget("platform/shared")
    place.backends.forget("platform/never-seen")
    assert place.backends.get(place.server()) is not first


def test_a_dead_server_is_not_asked_again_before_its_time(place: Place) -> None:
    with RstHost() as host:
        server = place.server(host=host.host, port=host.port)
        for _ in range(3):
            with pytest.raises(Unreachable):
                place.survey(server)
        asked = host.accepted
        place.clock.advance(60.0)
        with pytest.raises(Unreachable):
            place.survey(server)
        assert host.accepted > asked > 0
    assert asked <= 2, "one attempt, and at most one more to trace the answer"


def test_a_password_that_others_rotated_is_read_once_more_at_once(place: Place, pg: PostgresServer) -> None:
    place.survey(place.server())
    pg.execute(f"ALTER ROLE \"{place.admin.username}\" PASSWORD 'changed'")
    pg.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [place.admin.username])
    place.put_admin(Account(place.admin.username, "changed"))
    with pytest.raises(Transient, match="its Secret has changed since") as raised:
        place.survey(place.server())
    assert raised.value.retry_after == 0.0
    place.survey(place.server())


def test_a_refused_admin_is_not_tried_again_and_again(place: Place, pg: PostgresServer) -> None:
    place.put_admin(Account(place.admin.username, "wrong"))
    position = pg.log_position()
    for _ in range(3):
        with pytest.raises(Refused) as raised:
            place.survey(place.server())
        assert raised.value.reason == "AdminLoginRefused"
    assert len(pg.log_since(position).refusals) <= 2


def test_a_refused_admin_whose_secret_is_gone_is_not_tried_again_and_again(place: Place, pg: PostgresServer) -> None:
    place.survey(place.server())
    pg.execute(f"ALTER ROLE \"{place.admin.username}\" PASSWORD 'changed'")
    pg.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [place.admin.username])
    place.store.delete(SECRET, "platform", "admin")
    position = pg.log_position()
    for _ in range(3):
        with pytest.raises(NotReady) as raised:
            place.survey(place.server())
        assert raised.value.reason == "SecretMissing"
    assert len(pg.log_since(position).refusals) == 1


def test_a_pass_that_still_goes_on_over_a_replaced_server_is_not_told_of_a_false_one(place: Place) -> None:
    server = place.server()
    backend = place.backends.get(server)
    with backend.session() as session:
        place.backends.get(place.server(generation=2))
        assert backend.engine.survey(session).version


def test_a_mended_password_is_found_without_a_nudge(place: Place) -> None:
    place.put_admin(Account(place.admin.username, "wrong"))
    with pytest.raises(Refused):
        place.survey(place.server())
    place.put_admin(place.admin)
    place.clock.advance(30.0)
    place.survey(place.server())


SECRETS: dict[str, tuple[dict[str, str] | None, type[SPIError], str]] = {
    "missing": (None, NotReady, "SecretMissing"),
    "without a password": ({"username": "x"}, Terminal, "SecretKeyMissing"),
}


@pytest.mark.parametrize(("data", "error", "reason"), SECRETS.values(), ids=SECRETS)
def test_an_admin_secret_that_is_of_no_use_says_so(
    place: Place, data: dict[str, str] | None, error: type[SPIError], reason: str
) -> None:
    place.store.delete(SECRET, "platform", "admin")
    if data is not None:
        place.put("admin", data)
    with pytest.raises(error, match="admin") as raised:
        place.survey(place.server())
    assert raised.value.reason == reason


def test_an_engine_that_is_not_installed_stops_only_its_servers(place: Place) -> None:
    with pytest.raises(Unsupported) as raised:
        place.backends.get(place.server(engine="oracle"))
    assert raised.value.reason == "PluginMissing"
    place.survey(place.server())


def test_a_misspelt_config_is_refused_with_its_path(place: Place) -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.config\.hots"):
        place.backends.get(place.server(hots="x"))


def test_no_repr_shows_the_admins_password(place: Place) -> None:
    backend = place.backends.get(place.server())
    with backend.session() as session:
        assert place.admin.password not in f"{backend!r} {vars(backend)!r} {session!r}"
