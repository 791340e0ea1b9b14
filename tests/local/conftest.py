"""Fixtures of the local home's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .home import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    directory = tmp_path / "databases"
    directory.mkdir()
    home = Home(directory)
    yield home
    home.store.close()
