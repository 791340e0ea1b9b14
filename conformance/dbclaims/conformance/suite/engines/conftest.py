"""One server for the run, and claims with names of their own for every test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dbclaims.conformance.database import DatabaseDriver, Make
from dbclaims.conformance.driver import Driver
from dbclaims.conformance.harness import EngineBackend, EngineHarness
from dbclaims.core.plugins import Engine


@pytest.fixture(scope="session")
def backend(driver: Driver, server_name: str) -> Iterator[EngineBackend]:
    """Return a server of the harness, each in turn."""
    assert isinstance(driver.harness, EngineHarness)
    with driver.harness.servers[server_name]() as backend:
        driver.recorder.state = backend.state
        yield backend
        driver.recorder.state = None


@pytest.fixture
def make(driver: Driver, backend: EngineBackend) -> Iterator[Make]:
    """Return a function that makes a claim of a new installation, or of that of another claim (`like`)."""
    made: list[DatabaseDriver] = []
    assert isinstance(driver.plugin, Engine)
    assert isinstance(driver.harness, EngineHarness)
    fixed: dict[str, Any] = {"engine": driver.plugin, "harness": driver.harness, "recorder": driver.recorder}

    def claim(like: DatabaseDriver | None = None, **fields: Any) -> DatabaseDriver:
        shared = {"installation": like.installation, "identity": like.identity} if like else {}
        made.append(DatabaseDriver(backend=backend, **{**fixed, **shared, **fields}))
        return made[-1]

    yield claim
    for each in made:
        each.close()


@pytest.fixture
def claim(make: Make) -> DatabaseDriver:
    """Return a claim of which nothing is made yet."""
    return make()


@pytest.fixture
def database(claim: DatabaseDriver) -> DatabaseDriver:
    """Return a claim that is real."""
    claim.create()
    return claim
