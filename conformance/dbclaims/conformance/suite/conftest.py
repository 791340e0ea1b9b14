"""The plugin under proof."""

from __future__ import annotations

import pytest

from dbclaims.conformance.driver import Driver
from dbclaims.conformance.proof import DRIVER


@pytest.fixture(scope="session")
def driver(request: pytest.FixtureRequest) -> Driver:
    """Return the plugin that `--plugin` names."""
    return request.config.stash[DRIVER]
