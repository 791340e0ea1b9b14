"""Seeded histories against a model: nothing is dropped under Retain, Ready is true, and at the end all is as wished.

`--seed 17` replays one history alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import needed
from tests.servers.installation import installation
from tests.servers.postgres import PostgresServer

from .history import History
from .world import World

SHARE, MANY = range(1, 7), 1000
CHUNK = 3


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Return a server that histories may stop."""
    with needed(lambda: PostgresServer(installation(17))) as server:
        yield server


def test_a_history_of_a_given_seed_can_be_replayed(
    request: pytest.FixtureRequest, server: PostgresServer, tmp_path: Path
) -> None:
    play(server, tmp_path, request.config.getoption("--seed"))


@pytest.mark.parametrize("first", SHARE[::CHUNK])
def test_histories_end_as_wished(server: PostgresServer, tmp_path: Path, first: int) -> None:
    for seed in range(first, first + CHUNK):
        play(server, tmp_path, seed)


@pytest.mark.long
@pytest.mark.timeout(0)
def test_a_thousand_histories_end_as_wished(server: PostgresServer, tmp_path: Path) -> None:
    began = time.monotonic()
    for seed in range(MANY):
        play(server, tmp_path, seed)
    print(f"{MANY} histories, {(time.monotonic() - began) / MANY:.2f} s each")


def play(server: PostgresServer, folder: Path, seed: int) -> None:
    """Play one history; what it told is the message of its failure."""
    directory = folder / f"history-{seed}"
    directory.mkdir()
    world = World(directory, server, f"h{seed}x", seed=seed)
    history = History(world, seed)
    try:
        history.play()
    except Exception as error:
        error.add_note(f"replay with: pytest {__file__} --seed {seed}\n" + "\n".join(history.told))
        raise
    finally:
        if not server.running:
            server.start()
        world.close()
