"""Worlds: a fresh claim on the shared server of each version, by an admin with what hosted servers give."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dbclaims.core.spi import Credentials
from dbclaims.engines import mysql as engine
from tests.servers.mysql import MySQLServer

from .world import World, installation, open_session

MakeWorld = Callable[..., World]


@pytest.fixture(scope="session")
def admins() -> dict[int, Credentials]:
    """The admin of each server, made once."""
    return {}


def _admin(server: MySQLServer, admins: dict[int, Credentials]) -> Credentials:
    if server.port not in admins:
        account = server.create_admin("engine_admin")
        admins[server.port] = Credentials(account.username, account.password)
    return admins[server.port]


@pytest.fixture
def new_world(mysql: MySQLServer, admins: dict[int, Credentials]) -> Iterator[MakeWorld]:
    """Return a function that makes a world, by default of an installation of its own that holds the server already."""
    made: list[World] = []

    def make(*, like: World | None = None, superuser: bool = False, **fields: Any) -> World:
        root = Credentials(mysql.superuser.username, mysql.superuser.password)
        admin = root if superuser else _admin(mysql, admins)
        session = like.session if like else open_session(mysql, admin, installation())
        identity = like.identity if like else engine.engine_hold(session=session, identity=secrets.token_hex(8))
        fields.setdefault("name", f"db{secrets.token_hex(4)}")
        made.append(World(mysql, session, **{"identity": identity, **fields}))
        return made[-1]

    yield make
    for world in made:
        engine.engine_close(session=world.session)


@pytest.fixture
def world(new_world: MakeWorld) -> World:
    """Return a world in which nothing is made yet."""
    return new_world()


@pytest.fixture
def claim(world: World) -> World:
    """Return a world whose claim is real."""
    world.create()
    return world
