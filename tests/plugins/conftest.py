"""Strangers: distributions that are installed for one test, as pip would lay them out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Stranger = Callable[..., None]


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stranger]:
    """`stranger(distribution, plugin, source)`: a distribution with one plugin of this name and source."""
    monkeypatch.syspath_prepend(tmp_path)
    modules: list[str] = []

    def install(distribution: str, plugin: str, source: str, version: str = "1.0") -> None:
        module = f"{distribution}_{plugin}".replace("-", "_")
        info = tmp_path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[dbclaims]\n{plugin} = {module}\n")
        (tmp_path / f"{module}.py").write_text(source)
        modules.append(module)

    yield install
    for module in modules:
        sys.modules.pop(module, None)
