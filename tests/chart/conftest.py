"""What is rendered and what runs on a cluster, by helm 4; in `make test-long` also by helm 3, if it says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import needed
from tests.controlplane.cluster import ControlPlane
from tests.helm.build import MAJORS
from tests.helm.build import helm as built
from tests.helm.release import Helm
from tests.share import share

from .stand import Stand


@pytest.fixture(params=share(reversed(MAJORS), len(MAJORS)), ids=lambda major: f"helm{major}")
def helm(request: pytest.FixtureRequest, tmp_path: Path) -> Helm:
    """A helm of each major version in turn, without a cluster."""
    major: int = request.param
    needed(lambda: built(major))
    return Helm(major, tmp_path / "helm")


@pytest.fixture
def major() -> int:
    """The helm of `stand`; a test that runs with each is parametrized with `major`."""
    return MAJORS[-1]


@pytest.fixture
def stand(major: int, tmp_path: Path) -> Iterator[Stand]:
    """A cluster of its own, since CRDs belong to a whole cluster, and a helm that rules it."""
    needed(lambda: built(major))
    with needed(ControlPlane) as plane, closing(Stand(plane, major, tmp_path)) as made:
        yield made
