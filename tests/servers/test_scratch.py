"""Servers keep their data in memory where there is room, and on the disk elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import scratch


@pytest.mark.parametrize(
    ("memory", "room", "chosen"), [("", 0, "memory"), ("", 2**60, "disk"), ("/missing", 0, "disk")]
)
def test_the_place_follows_the_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: str, room: int, chosen: str
) -> None:
    for name in ("memory", "disk"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "disk"))
    monkeypatch.setattr(scratch, "MEMORY", Path(memory) if memory else tmp_path / "memory")
    monkeypatch.setattr(scratch, "ROOM", room)
    assert scratch.scratch_folder("it").parent == tmp_path / chosen
