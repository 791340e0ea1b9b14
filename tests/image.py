"""The steps of the Dockerfile's first stage, done in a folder: `python -m tests.image FOLDER` (`make image-env`).

What is installed, and whether it works, can so be seen where there is no container engine.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.docs.blocks import REPOSITORY

_CONTINUED = re.compile(r"\\\n\s*")
_STAGE = re.compile(r"^FROM .* AS build\n(.*?)^FROM ", re.MULTILINE | re.DOTALL)
_ROOT = re.compile(r"(?<=\s)/(opt|src)/")


def build_wheel(folder: Path) -> None:
    """Build our wheel into a folder, with the locked hatchling of this environment."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*command, str(REPOSITORY)], check=True)


def steps(folder: Path) -> Iterator[str]:
    """The RUN lines of the stage that installs, with our folder in the place of the image's root."""
    stage = _STAGE.search((REPOSITORY / "Dockerfile").read_text())
    assert stage is not None, "the Dockerfile has no stage called build"
    for line in _CONTINUED.sub("", stage[1]).splitlines():
        instruction, _, step = line.partition("RUN")
        if not instruction and step:
            yield _ROOT.sub(rf"{folder}/\1/", step).strip()


def install(folder: Path) -> Path:
    """Do them all; return the environment's folder of programs. Raises `CalledProcessError`."""
    source = folder / "src"
    source.mkdir(parents=True, exist_ok=True)
    build_wheel(source)
    (source / "requirements.txt").write_bytes((REPOSITORY / "requirements.txt").read_bytes())
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    for step in steps(folder):
        # The lines are the Dockerfile's, for the shell that it would use.
        subprocess.run(["/bin/sh", "-ec", step], check=True, cwd="/", env=environment)
    return folder / "opt" / "dbclaims" / "bin"


def main(arguments: Sequence[str]) -> None:
    """Install into the folder, and say where."""
    print(install(Path(arguments[0]).resolve()))


if __name__ == "__main__":
    main(sys.argv[1:])
