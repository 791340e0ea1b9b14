"""A new backend and one server on it for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dbclaims.conformance.driver import Driver
from dbclaims.conformance.harness import ProviderBackend, ProviderHarness
from dbclaims.conformance.server import ServerDriver
from dbclaims.core.plugins import Provider


@pytest.fixture
def backend(driver: Driver) -> Iterator[ProviderBackend]:
    """Return an empty backend of the harness."""
    assert isinstance(driver.harness, ProviderHarness)
    with driver.harness.backend() as backend:
        driver.recorder.state = backend.state
        yield backend
        driver.recorder.state = None


@pytest.fixture
def server(driver: Driver, backend: ProviderBackend) -> Iterator[ServerDriver]:
    """Return a server that is not made yet."""
    assert isinstance(driver.plugin, Provider)
    assert isinstance(driver.harness, ProviderHarness)
    server = ServerDriver(driver.plugin, driver.harness, backend, driver.recorder)
    yield server
    server.close()
