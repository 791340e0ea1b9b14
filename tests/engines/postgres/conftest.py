"""Worlds: a fresh claim on the shared server of each version, by an admin with only CREATEROLE and CREATEDB."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dbclaims.core.spi import Credentials, Endpoint
from dbclaims.engines import postgres as engine
from dbclaims.engines.postgres.session import Session
from tests.servers.postgres import PostgresServer

from .world import World, open_session

MakeWorld = Callable[..., World]
OpenSession = Callable[..., Session]


@pytest.fixture
def connect() -> Iterator[OpenSession]:
    """Return a function like `open_session`, whose sessions are closed after the test."""
    opened: list[Session] = []

    def make(server: PostgresServer | Endpoint, admin: Credentials, **options: Any) -> Session:
        opened.append(open_session(server, admin, **options))
        return opened[-1]

    yield make
    for session in opened:
        engine.engine_close(session=session)


@pytest.fixture(scope="session")
def admins() -> dict[int, Credentials]:
    """The admin of each server, made once."""
    return {}


def _admin(server: PostgresServer, admins: dict[int, Credentials]) -> Credentials:
    if server.port not in admins:
        account = server.create_admin("engine_admin")
        admins[server.port] = Credentials(account.username, account.password)
    return admins[server.port]


@pytest.fixture
def new_world(postgres: PostgresServer, admins: dict[int, Credentials], connect: OpenSession) -> MakeWorld:
    """Return a function that makes a world, by default of an installation of its own that holds the server already."""

    def make(*, like: World | None = None, superuser: bool = False, **fields: Any) -> World:
        root = Credentials(postgres.superuser.username, postgres.superuser.password)
        admin = root if superuser else _admin(postgres, admins)
        session = like.session if like else connect(postgres, admin)
        identity = like.identity if like else engine.engine_hold(session=session, identity=secrets.token_hex(8))
        fields.setdefault("name", f"db{secrets.token_hex(4)}")
        return World(postgres, session, **{"identity": identity, **fields})

    return make


@pytest.fixture
def world(new_world: MakeWorld) -> World:
    """Return a world in which nothing is made yet."""
    return new_world()


@pytest.fixture
def claim(world: World) -> World:
    """Return a world whose claim is real."""
    world.create()
    return world
