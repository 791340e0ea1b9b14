"""What the benchmarks share: one API server, one report, and the contenders."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ..conftest import needed
from ..controlplane.cluster import ControlPlane
from .report import Report
from .yard import Yard


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Iterator[Report]:
    """The report of this run."""
    made = Report()
    yield made
    made.finish()


@pytest.fixture(scope="session")
def yard(cluster: ControlPlane) -> Yard:
    """The API server with our CRDs."""
    return needed(lambda: Yard(cluster))


@pytest.fixture(scope="session")
def sizes() -> dict[int, int]:
    """How many claims at once, and how many rounds of each: `BENCH_SIZES=200x3,1000x1`."""
    pairs = (pair.split("x") for pair in os.environ.get("BENCH_SIZES", "200x3,1000x1").split(","))
    return {int(number): int(rounds) for number, rounds in pairs}
