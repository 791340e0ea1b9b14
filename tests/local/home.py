"""A directory with a store on it, and the documents that its tests write."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

from dbclaims.core.kinds import CLAIM, CLASS
from dbclaims.core.local import LocalStore, Scan
from dbclaims.core.objectstore import Kind, Object
from tests.clock import FakeClock


def document(kind: str, name: str, namespace: str | None = "shop", **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": "dbclaims.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def claim(name: str = "orders", **spec: Any) -> dict[str, Any]:
    return document("DatabaseClaim", name, **{"className": "shared", **spec})


def class_(name: str = "shared", **spec: Any) -> dict[str, Any]:
    return document("DatabaseClass", name, None, serverRef={"name": "shared", "namespace": "platform"}, **spec)


def secret(name: str, namespace: str = "platform", **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


class Home:
    """One directory, and the process that works on it; `reopen` is the next process."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = FakeClock()
        self.store = LocalStore(directory, clock=self.clock)

    @property
    def state(self) -> Path:
        return self.store.state

    def reopen(self) -> None:
        self.store.close()
        self.store = LocalStore(self.directory, clock=self.clock)

    def write(self, file: str, *documents: Mapping[str, Any] | str) -> None:
        """Save a file as editors do: under another name first."""
        path = self.directory / file
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = [each if isinstance(each, str) else yaml.safe_dump(dict(each)) for each in documents]
        path.with_suffix(".new").write_text("---\n".join(texts))
        path.with_suffix(".new").replace(path)

    def remove(self, file: str) -> None:
        (self.directory / file).unlink()

    def scan(self, **options: bool) -> Scan:
        return self.store.scan(**options)

    def changes(self, **options: bool) -> list[str]:
        """What a scan did, as `created DatabaseClaim shop/orders`; nothing may stand in the way."""
        scan = self.scan(**options)
        assert scan.problems == ()
        return [f"{change.verb} {change.kind} {change.key}" for change in scan.changes]

    def problem(self, **options: bool) -> str:
        """The one problem of a scan that changed nothing but, at most, an annotation."""
        scan = self.scan(**options)
        assert [change.verb for change in scan.changes if change.verb != "changed"] == []
        (problem,) = scan.problems
        return str(problem)

    def get(self, kind: Kind = CLAIM, name: str = "orders", namespace: str | None = "shop") -> Object:
        obj = self.store.get(kind, namespace if kind.namespaced else None, name)
        assert obj is not None
        return obj

    def absent(self, kind: Kind = CLAIM, name: str = "orders", namespace: str | None = "shop") -> bool:
        return self.store.get(kind, namespace if kind.namespaced else None, name) is None

    def spec(self) -> Any:
        return self.get()["spec"]

    def names(self, kind: Kind) -> list[str]:
        return [orjson.loads(item)["metadata"]["name"] for item in self.store.list(kind).items]

    def with_claim(self, **spec: Any) -> Home:
        """With a class and one claim taken over."""
        self.write("class.yaml", class_())
        self.write("orders.yaml", claim(**spec))
        created = {"created DatabaseClass shared", "created DatabaseClaim shop/orders"}
        assert set(self.changes()) == created
        assert not self.absent(CLASS, "shared")
        return self

    def fingerprint(self) -> dict[str, tuple[int, int, int, int]]:
        """Every file, with all that a write would change."""
        paths = [Path(folder, name) for folder, _, names in os.walk(self.directory) for name in names]
        stats = {str(path): path.lstat() for path in (*paths, self.directory, self.state)}
        return {path: (at.st_mtime_ns, at.st_ctime_ns, at.st_size, at.st_ino) for path, at in stats.items()}
