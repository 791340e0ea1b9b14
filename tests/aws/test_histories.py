"""Seeded histories: faults at 0, 5 and 25 % of AWS's answers, and a controller that is killed at any point.

In the end every claim has one server and a login that works; after its end nothing is left but what is to be kept.
"""

from __future__ import annotations

import random

import pytest

from .conftest import MakeWorld
from .world import PLATFORM, World

CLAIMS = ("orders", "stock")
SHARE = 1
"""Seeds for each rate in `make test`; the rest is long."""
RATES = (0.0, 0.05, 0.25)


def play(world: World, rng: random.Random, steps: int, rate: float) -> None:
    """Let time pass under faults and kills."""
    world.double.control.rate = rate
    for _ in range(steps):
        if rng.random() < 0.3:
            world.process.calls.arm(rng.randrange(12))
        world.pass_time(40, 40)
    world.process.calls.disarm()
    world.double.control.calm()


def calm(world: World, steps: int = 16) -> None:
    """Let time pass without faults, as long as a breaker or a backoff may still wait."""
    for _ in range(steps):
        world.pass_time(100, 50)


def run(world: World, seed: int, rate: float) -> None:
    """One history."""
    rng = random.Random(f"{seed} {rate}")
    world.offer(deletionPolicy="Snapshot", parameters={"work_mem": "8192"})
    for name in CLAIMS:
        world.claim(name, deletionPolicy="Delete")
    play(world, rng, 14, rate)
    calm(world)
    assert all(world.is_ready(name) for name in CLAIMS), [world.find(name=name) for name in CLAIMS]
    assert world.instances() == sorted(world.identifier(name) for name in CLAIMS)
    assert all(world.secret(f"shop.{name}-admin", PLATFORM) for name in CLAIMS)

    world.delete(name="stock")
    play(world, rng, 8, rate)
    calm(world)
    assert world.find(name="stock") is None
    assert world.instances() == [world.identifier("orders")]
    assert world.is_ready("orders")
    tables = world.double.account.tables
    assert (len(tables["snapshots"]), len(tables["parameter_groups"])) == (1, 1)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", range(SHARE))
@pytest.mark.timeout(600)
def test_faults_and_kills_leave_one_server_for_each_claim(new_world: MakeWorld, seed: int, rate: float) -> None:
    run(new_world(seed), seed, rate)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", range(SHARE, 34))
def test_a_hundred_histories_end_as_they_should(new_world: MakeWorld, seed: int, rate: float) -> None:
    run(new_world(seed), seed, rate)
