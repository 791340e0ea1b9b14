"""One helm on one cluster, with a home of its own: nothing of the machine's helm is read or written."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from attrs import frozen

from .build import helm

Document = dict[str, Any]


class HelmFailed(Exception):
    """helm refused or failed; the message is all that it said."""


@frozen
class Helm:
    """A helm of one major version.

    Attributes:
        home: a folder for its configuration and cache.
        kubeconfig: of the cluster; None where it only renders.
    """

    major: int
    home: Path
    kubeconfig: Path | None = None

    def run(self, *arguments: object, values: Mapping[str, Any] | None = None) -> str:
        """Run a command and return what it printed. `values` go in as a file. Raises `HelmFailed`."""
        command = [str(helm(self.major)), *map(str, arguments), *self._values(values)]
        homes = {f"HELM_{kind}_HOME": str(self.home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        cluster = {"KUBECONFIG": str(self.kubeconfig or os.devnull)}
        environment = {"PATH": os.defpath, "HOME": str(self.home), **homes, **cluster}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise HelmFailed(f"{done.stdout}{done.stderr}")
        return done.stdout

    def template(
        self,
        chart: Path,
        *,
        name: str = "one",
        namespace: str = "dbclaims-system",
        values: Mapping[str, Any] | None = None,
        options: Sequence[object] = (),
    ) -> list[Document]:
        """What a release would consist of."""
        # helm 3 takes itself for a cluster of 1.20 where there is none.
        place = ("--namespace", namespace, "--kube-version", "1.35.4")
        text = self.run("template", name, chart, *place, *options, values=values)
        return list(documents(text))

    def _values(self, values: Mapping[str, Any] | None) -> list[str]:
        if values is None:
            return []
        self.home.mkdir(parents=True, exist_ok=True)
        path = self.home / "values.yaml"
        path.write_text(yaml.safe_dump(dict(values)))
        return ["--values", str(path)]


def documents(text: str) -> Iterator[Document]:
    """The objects of a stream."""
    return (each for each in yaml.load_all(text, yaml.CSafeLoader) if each)
