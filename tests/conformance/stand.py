"""A stranger's distribution, laid out as pip would, and the suite run over a plugin of it in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

REPOSITORY = Path(__file__).parents[2]
DISTRIBUTION = "stranger-dbclaims"


@attrs.frozen
class Ran:
    """What a run of the suite left behind."""

    code: int
    output: str
    report: Mapping[str, Any]

    @property
    def failed(self) -> dict[str, str]:
        """The failed tests, each with its message."""
        profiles = self.report["profiles"].values()
        return {each["test"]: each["reason"] for profile in profiles for each in profile["failed"]}


def lay_out(folder: Path, plugins: Mapping[str, str], harnesses: Mapping[str, str]) -> None:
    """Write the metadata of a distribution with these entry points."""
    info = folder / "stranger_dbclaims-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: 1.0\n")
    groups = {"dbclaims": plugins, "dbclaims.conformance": harnesses}
    text = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in groups.items()]
    (info / "entry_points.txt").write_text("\n".join(text))


def prove(plugin: str, folder: Path, *options: str) -> Ran:
    """`python -m dbclaims.conformance PLUGIN`, with the distributions of a folder beside those installed."""
    path = folder / "report.json"
    path.unlink(missing_ok=True)
    search = os.pathsep.join([str(folder), str(REPOSITORY), *filter(None, sys.path)])
    command = [sys.executable, "-m", "dbclaims.conformance", plugin, "--report", str(path), *options]
    ran = subprocess.run(command, env={**os.environ, "PYTHONPATH": search}, capture_output=True, text=True, check=False)
    report = json.loads(path.read_text()) if path.exists() else {"profiles": {}}
    return Ran(ran.returncode, ran.stdout + ran.stderr, report)
