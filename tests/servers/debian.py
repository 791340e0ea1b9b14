"""Programs from the Debian archive, unpacked into a folder and never installed: no root, no service, no conflict.

apt itself resolves what a package needs, fetches it from the machine's own mirror and checks it against the archive's
signatures; it is only told to believe that nothing is installed yet. What came is cached under the hash of its parts;
remove the cache's folder to have it fetched anew.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from ..parts import MissingPart, locked, public_cache_dir

_CONFIGURATION = """
Dir::Etc::sourcelist "{work}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State "{work}/state";
Dir::State::status "{work}/status";
Dir::Cache "{work}/cache";
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Debug::NoLocking "true";
"""


@frozen
class Tree:
    """Some packages with everything that they need, unpacked.

    Attributes:
        root: the folder that stands for `/`.
    """

    root: Path

    @property
    def release(self) -> str:
        """What names exactly these packages."""
        return self.root.name

    def command(self, program: str) -> list[str]:
        """How to run a program of the tree, with its own C library: the machine's may be older."""
        [loader] = {path.resolve() for path in self.root.glob("**/x86_64-linux-gnu/ld-linux-x86-64.so.2")}
        folders = ":".join(str(self.root / each) for each in ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"))
        return [str(loader), "--library-path", folders, str(self.root / program)]


def tree(suite: str, packages: Sequence[str]) -> Tree:
    """Return packages of a suite (`sid`, `bookworm`), fetched if need be.

    Raises:
        MissingPart: apt is not here or cannot have them.
    """
    folder = public_cache_dir("debian")
    name = f"{suite}-{packages[0]}"
    with locked(folder):
        known = sorted(folder.glob(f"{name}-????????????"), key=lambda path: path.stat().st_mtime)
        return Tree(known[-1]) if known else _fetch(suite, packages, folder / name)


def _fetch(suite: str, packages: Sequence[str], target: Path) -> Tree:
    with tempfile.TemporaryDirectory(prefix="dbclaims-apt-") as folder:
        archives = _download(suite, packages, Path(folder))
        digest = hashlib.sha256(b"".join(hashlib.sha256(each.read_bytes()).digest() for each in archives))
        made = target.with_name(f"{target.name}-{digest.hexdigest()[:12]}")
        if not made.exists():
            _unpack(archives, made)
    return Tree(made)


def _download(suite: str, packages: Sequence[str], work: Path) -> list[Path]:
    if shutil.which("apt-get") is None:
        raise MissingPart(f"{packages[0]} comes from the Debian archive through apt, which is not on this machine")
    for name in ("state/lists/partial", "cache/archives/partial"):
        (work / name).mkdir(parents=True)
    (work / "status").touch()
    (work / "sources.list").write_text(f"deb {_mirror()} {suite} main\n")
    (work / "apt.conf").write_text(_CONFIGURATION.format(work=work))
    _apt("update", configuration=work / "apt.conf")
    _apt("--yes", "--download-only", "install", *packages, configuration=work / "apt.conf")
    return sorted((work / "cache/archives").glob("*.deb"))


def _mirror() -> str:
    """The archive that this machine's own apt uses."""
    answer = _apt("indextargets", "--format", "$(REPO_URI)", "Identifier: Packages")
    if not answer.split():
        raise MissingPart("this machine's apt has no package lists; run apt-get update")
    return answer.split()[0]


def _apt(*arguments: str, configuration: Path | None = None) -> str:
    environment = {**os.environ, **({"APT_CONFIG": str(configuration)} if configuration else {})}
    command = ["apt-get", *([] if configuration is None else ["-qq"]), *arguments]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True)
    if answer.returncode:
        raise MissingPart(f"apt-get {arguments[-1]} failed: {answer.stderr.strip()[-500:]}")
    return answer.stdout


def _unpack(archives: Sequence[Path], target: Path) -> None:
    unfinished = target.with_name(target.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    for archive in archives:
        subprocess.run(["dpkg-deb", "--extract", archive, unfinished], check=True)
    # An archive's own "./" may narrow the folder that the server's unprivileged user has to pass.
    unfinished.chmod(0o755)
    unfinished.rename(target)
