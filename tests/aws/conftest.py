"""The environment of the double: credentials, its address, and a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader

from dbclaims.conformance.doubles.farm import EmptyFarm
from dbclaims.conformance.doubles.rds import Quotas, RdsDouble
from dbclaims.core.spi import ServerRef
from dbclaims.providers.aws import fleet
from tests.clock import FakeClock
from tests.servers.farm import ServerFarm

from .driver import REF, Driver
from .world import World

MakeWorld = Callable[..., World]

_LOADER = Loader()
"""Of the SDK's models: each client would read its service's megabytes anew, which is a third of these tests' time."""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """Make boto3 find a login and nothing of this machine's; return the clock that stands for time."""
    clock = FakeClock()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI-never-to-be-seen",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(fleet, "monotonic", clock.monotonic)
    monkeypatch.setattr("botocore.session.create_loader", lambda _: _LOADER)
    return clock


@pytest.fixture
def double(aws: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[RdsDouble]:
    """AWS with nothing behind its endpoints."""
    with RdsDouble(EmptyFarm(), quotas=Quotas(instances=1000)) as started:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", started.url)
        yield started


@pytest.fixture
def new_world(aws: FakeClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MakeWorld]:
    """Return a function that makes a world with real servers; what the double lacks fails the test."""
    with ExitStack() as opened:
        made: list[World] = []

        def make(seed: int = 0, **quotas: int) -> World:
            farm = opened.enter_context(ServerFarm())
            double = opened.enter_context(RdsDouble(farm, quotas=Quotas(**quotas), seed=seed))
            monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", double.url)
            made.append(World(tmp_path / f"home{len(made)}", double, farm, aws, seed=seed))
            return made[-1]

        yield make
        for world in made:
            world.close()
        assert [r for w in made for r in w.double.control.log(lambda r: r.outcome == "NotImplemented")] == []


@pytest.fixture
def world(new_world: MakeWorld) -> World:
    """A world with nothing in it."""
    return new_world()


@pytest.fixture
def new_driver(double: RdsDouble) -> Iterator[Callable[..., Driver]]:
    """Return a function that opens a session of the provider: `new_driver({"aurora": {}})`."""
    opened: list[Driver] = []

    def make(config: Mapping[str, Any] | None = None, ref: ServerRef = REF) -> Driver:
        opened.append(Driver(double, config, ref))
        return opened[-1]

    yield make
    for driver in opened:
        driver.close()
    assert double.control.log(lambda request: request.outcome == "NotImplemented") == []


@pytest.fixture
def rds(new_driver: Callable[..., Driver]) -> Driver:
    """A session for an instance."""
    return new_driver()
