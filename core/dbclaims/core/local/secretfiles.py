"""The Secrets that the controller writes, as files: STATE/secrets/<namespace>/<secret>/<key>.

Laid out as kubelet lays out a Secret volume: every version is a directory of its own, `..data` is a symlink to the
current one, and each key is a symlink through `..data`, so that renaming that one link swaps the whole set at once.
The rest of the object (labels, annotations, owner) lies in the same directory and is swapped with it.
"""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import orjson

from ..kinds import SECRET
from ..objectstore import Object
from .errors import state_errors

# A key of a Secret never begins with two dots (Kubernetes, validation of Secrets), so neither name can be taken.
_CURRENT = "..data"
_OBJECT = "..object"


class SecretFiles:
    """Reads and swaps the files of Secrets; raises `StateUnusable`. Names must have been checked before."""

    def __init__(self, state: Path) -> None:
        self._root = state / "secrets"

    def read(self, namespace: str, name: str) -> Object | None:
        """The Secret as its files are now, edited by hand or not; None where there is none."""
        folder = self._root / namespace / name
        with state_errors(self._root):
            data = {path.name: path.read_bytes() for path in _keys(folder) if path.is_file()}
            described = _described(folder / _CURRENT / _OBJECT)
        if not data and described is None:
            return None
        metadata = {**(described or {}).get("metadata", {}), "name": name, "namespace": namespace}
        body = {"apiVersion": SECRET.api_version, "kind": SECRET.kind, "type": "Opaque", **(described or {})}
        encoded = {key: base64.b64encode(value).decode() for key, value in sorted(data.items())}
        return {**body, "metadata": metadata, "data": encoded}

    def write(self, secret: Object) -> None:
        """Make the Secret's files what the object says, all at once."""
        metadata = secret["metadata"]
        folder = self._root / metadata["namespace"] / metadata["name"]
        with state_errors(self._root):
            version = _written(folder, secret)
            _point(folder / _CURRENT, version)
            for key in secret.get("data", {}):
                _point(folder / key, f"{_CURRENT}/{key}")
            _tidy(folder, {version, _CURRENT, *secret.get("data", {})})

    def remove(self, namespace: str, name: str) -> None:
        """Remove the Secret's files, its keys first."""
        folder = self._root / namespace / name
        with state_errors(self._root):
            _tidy(folder, {_CURRENT})
            shutil.rmtree(folder)

    def owned(self, namespace: str, uid: str) -> list[Object]:
        """The Secrets in a namespace all of whose owners are the object with this uid."""
        with state_errors(self._root):
            folder = self._root / namespace
            names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        found = (self.read(namespace, name) for name in names)
        return [secret for secret in found if secret and _owners(secret) == {uid}]


def _keys(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith("..")] if folder.is_dir() else []


def _described(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    body: dict[str, Any] = orjson.loads(path.read_bytes())
    return body


def _owners(secret: Object) -> set[str]:
    return {owner["uid"] for owner in secret["metadata"].get("ownerReferences", [])}


def _written(folder: Path, secret: Object) -> str:
    """A new directory with one version of the Secret, on the disk before anything points to it; its name."""
    for path in (folder.parent.parent, folder.parent, folder):
        path.mkdir(mode=0o700, exist_ok=True)
    version = Path(tempfile.mkdtemp(prefix="..", dir=folder))
    rest = {key: value for key, value in secret.items() if key != "data"}
    _write(version / _OBJECT, orjson.dumps(rest))
    for key, value in secret.get("data", {}).items():
        _write(version / key, base64.b64decode(value))
    _sync(version)
    return version.name


def _write(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _point(link: Path, target: str) -> None:
    """Make `link` point to `target` in one step."""
    if link.is_symlink() and link.readlink() == Path(target):
        return
    fresh = link.with_name(f"..fresh-{link.name}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
    _sync(link.parent)


def _tidy(folder: Path, keep: set[str]) -> None:
    """Remove what is no part of the current version: old versions, dropped keys, the rest of a crash."""
    for path in folder.iterdir():
        if path.name not in keep and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name not in keep:
            path.unlink()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
