"""Fixtures of the proofs."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers.mysql import MySQLServer
from tests.servers.postgres import PostgresServer

from .world import World

NewWorld = Callable[..., World]


@contextmanager
def worlds(directory: Path, server: PostgresServer | MySQLServer) -> Iterator[NewWorld]:
    """A function that makes worlds on a server; at the end nothing of them is left there."""
    made: list[World] = []

    def make(**class_spec: Any) -> World:
        objects = directory / f"objects-{len(made)}"
        objects.mkdir()
        made.append(World(objects, server, f"p{secrets.token_hex(4)}", **class_spec))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def new_world(tmp_path: Path, pg: PostgresServer) -> Iterator[NewWorld]:
    """Return a function that makes a world on the shared server."""
    with worlds(tmp_path, pg) as make:
        yield make


@pytest.fixture
def world(new_world: NewWorld) -> World:
    """Return a world in which nothing is claimed yet."""
    return new_world()


@pytest.fixture
def mysql_world(tmp_path: Path, mysql: MySQLServer) -> Iterator[World]:
    """Return such a world on the shared MySQL or MariaDB."""
    with worlds(tmp_path, mysql) as make:
        yield make()
