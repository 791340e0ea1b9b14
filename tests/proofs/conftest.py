"""Fixtures of the proofs."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.postgres import PostgresServer

from .world import World

NewWorld = Callable[..., World]


@pytest.fixture
def new_world(tmp_path: Path, pg: PostgresServer) -> Iterator[NewWorld]:
    """Return a function that makes a world on the shared server."""
    made: list[World] = []

    def make(**class_spec: Any) -> World:
        directory = tmp_path / f"objects-{len(made)}"
        directory.mkdir()
        made.append(World(directory, pg, f"p{secrets.token_hex(4)}", **class_spec))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(new_world: NewWorld) -> World:
    """Return a world in which nothing is claimed yet."""
    return new_world()
