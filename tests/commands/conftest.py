"""Fixtures of the commands' tests: servers and a cluster of their own, since a controller serves a whole cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import StartPostgres, needed
from tests.controlplane.cluster import ControlPlane
from tests.core.conftest import metrics, store, transport, wire

from .directory import Directory
from .served import Served

__all__ = ["metrics", "store", "transport", "wire"]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A control plane with our CRDs, and two users with exactly the controller's rights."""
    with needed(ControlPlane) as control_plane:
        yield Served(control_plane)


@pytest.fixture
def empty(tmp_path: Path) -> Directory:
    """A directory without a document."""
    path = tmp_path / "databases"
    path.mkdir()
    return Directory(path)


@pytest.fixture
def examples(empty: Directory, new_postgres: StartPostgres) -> Directory:
    """A directory with the examples, made to fit a server of its own."""
    return empty.filled(new_postgres())
