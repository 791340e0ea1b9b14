"""A process that is measured: started, asked what it has used so far, and stopped."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from attrs import frozen

from ..servers.process import ServerProcess, free_port
from .yard import CONTROLLER, Yard

_TICKS = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).parents[2]


@frozen
class Usage:
    """What a process has used up to now.

    Attributes:
        cpu: seconds of processor time, its own and the kernel's for it.
        rss: resident memory now, in MiB.
    """

    cpu: float
    rss: float


class Contender:
    """A Python module that runs as a process of its own.

    Args:
        module: as after `python -m`.
        arguments: what follows it.
        environment: variables beside PATH.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="dbclaims-bench-")
        self._log = Path(self._folder.name) / "log"
        # Its working directory is /, so that the repository's root is not found by itself.
        known = {"PATH": os.defpath, "HOME": os.environ.get("HOME", "/"), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", module, *arguments]
        self._process = ServerProcess(command, self._log, environment={**known, **environment})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop()
        self._folder.cleanup()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.running

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(errors="replace")

    def usage(self) -> Usage:
        """What it has used so far."""
        process = Path(f"/proc/{self._process.pid}")
        # Behind the name in brackets, which may hold blanks: state is field 3, utime and stime are 14 and 15.
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        rss = re.search(r"VmRSS:\s+(\d+)", (process / "status").read_text())
        return Usage(cpu=(int(fields[11]) + int(fields[12])) / _TICKS, rss=int(rss[1]) / 1024 if rss else 0.0)


def ours(yard: Yard, port: int | None = None) -> Contender:
    """`dbclaims run` as in a pod of the yard's cluster; its metrics are at `port`."""
    options = ["run", "--no-leader-election", "--namespace", CONTROLLER, "--health-port", str(port or free_port())]
    return Contender("tests.bench.pod", [str(yard.account), *options], yard.pod_environment)
