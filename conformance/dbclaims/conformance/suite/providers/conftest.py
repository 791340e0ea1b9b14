"""A new backend and one server on it for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dbclaims.conformance.driver import Driver
from dbclaims.conformance.harness import ProviderBackend, ProviderHarness
from dbclaims.conformance.server import ServerDriver
from dbclaims.core.plugins import Provider


@pytest.fixture(scope="session")
def server_name() -> str:
    """Return which kind of server the harness is to give; a harness with several has each in turn."""
    return ""


@pytest.fixture
def harness(driver: Driver, server_name: str) -> ProviderHarness:
    """Return the harness of one kind of server."""
    assert isinstance(driver.harness, ProviderHarness)
    return driver.harness.kinds.get(server_name, driver.harness)


@pytest.fixture
def backend(driver: Driver, harness: ProviderHarness) -> Iterator[ProviderBackend]:
    """Return an empty backend of the harness."""
    with harness.backend() as backend:
        driver.recorder.state = backend.state
        yield backend
        driver.recorder.state = None


@pytest.fixture
def server(driver: Driver, harness: ProviderHarness, backend: ProviderBackend) -> Iterator[ServerDriver]:
    """Return a server that is not made yet."""
    assert isinstance(driver.plugin, Provider)
    server = ServerDriver(driver.plugin, harness, backend, driver.recorder)
    yield server
    server.close()
