"""The image: what the Dockerfile installs is locked, complete, and works."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.blocks import REPOSITORY
from tests.image import install

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()


def test_nothing_is_installed_that_is_not_locked_by_its_checksum() -> None:
    locked = (REPOSITORY / "requirements.txt").read_text()
    pinned = re.findall(r"^(\S+)==\S+ \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", locked, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^\S+==", locked, re.MULTILINE)) > 20
    for line in re.findall(r"pip .*? install (.*?)(?=\nRUN|\n\n)", DOCKERFILE, re.DOTALL):
        assert "--require-hashes" in line or "--no-index" in line


def test_the_runtime_s_lock_is_a_part_of_the_development_s() -> None:
    """What is tested is what runs."""
    ours, tests = (
        set(re.findall(r"^(\S+==\S+)", (REPOSITORY / name).read_text(), re.MULTILINE))
        for name in ("requirements.txt", "requirements-dev.txt")
    )
    assert ours <= tests


def test_the_base_is_given_from_outside_and_nobody_is_root() -> None:
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${PYTHON_IMAGE}", "${PYTHON_IMAGE}"]
    assert re.search(r"^ARG PYTHON_IMAGE$", DOCKERFILE, re.MULTILINE)
    assert re.search(r"^USER 65532:65532$", DOCKERFILE, re.MULTILINE)


@pytest.mark.long
def test_what_the_dockerfile_installs_works(tmp_path: Path) -> None:
    programs = install(tmp_path)
    listed = subprocess.run(
        [programs / "dbclaims", "plugins", "-o", "json"], capture_output=True, text=True, check=True, cwd="/", env={}
    )
    unavailable = {each["name"]: each["unavailable"] for each in json.loads(listed.stdout)}
    assert {"existing", "postgres", "mysql"} <= set(unavailable)
    assert set(unavailable.values()) == {""}
    assert not (programs / "pip").exists()
    stamped = [path for path in programs.parent.rglob("*.pyc") if path.read_bytes()[4:8] != b"\x01\0\0\0"]
    assert stamped == [], "bytecode that names a time differs from build to build"
