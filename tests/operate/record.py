"""`python -m tests.operate.record`: run the controller on a cluster with the examples, and keep what it then says.

Writes `metrics.txt` (a scrape) and `objects.json` (our objects through a claim's life, each with what it stands for),
which the dashboard is made from and the rules and health checks are tested on.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.commands.served import Running, Served
from tests.controlplane.cluster import ControlPlane
from tests.core.test_manager import until
from tests.overlay import write_examples
from tests.servers.installation import installation
from tests.servers.postgres import PostgresServer

METRICS = Path(__file__).with_name("metrics.txt")
OBJECTS = Path(__file__).with_name("objects.json")

_KINDS = "databaseservers,databaseclasses,databaseclaims,roleclaims,claimgrants"
_CLAIM = ("databaseclaim", "orders", "-n", "shop")


class Recording:
    """The objects at chosen moments."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self.moments: dict[str, list[dict[str, Any]]] = {}

    def keep(self, moment: str) -> None:
        """Every object of ours as it is now."""
        found = json.loads(self._served.kubectl("get", _KINDS, "-A", "-o", "json"))["items"]
        for each in found:
            each["metadata"].pop("managedFields", None)
        self.moments[moment] = found

    def until(self, jsonpath: str, wanted: str) -> None:
        """Wait until the claim says so."""

        def said() -> bool:
            return self._served.kubectl("get", *_CLAIM, "-o", f"jsonpath={jsonpath}") == wanted

        until(said, 60)


def _reason(type_: str) -> str:
    return f'{{.status.conditions[?(@.type=="{type_}")].reason}}'


def _life(served: Served, recording: Recording, start: Callable[[], Running]) -> str:
    """A claim's life; the scrape at its end."""
    recording.keep("fresh")
    controller = start()
    try:
        recording.until(_reason("Ready"), "Available")
        until(lambda: "nextRotation" in served.kubectl("get", "roleclaims", "-A", "-o", "json"), 60)
        recording.keep("ready")
        served.kubectl("annotate", *_CLAIM, "dbclaims.io/paused=true")
        recording.until(_reason("Synced"), "Paused")
        recording.keep("paused")
        served.kubectl("annotate", *_CLAIM, "dbclaims.io/paused-")
        served.kubectl("patch", *_CLAIM, "--type=merge", "-p", '{"spec":{"extensions":["postgis"]}}')
        recording.until(_reason("Stalled"), "ExtensionNotAllowed")
        recording.keep("refused")
        return controller.answer("/metrics")[1]
    finally:
        controller.stop()


def main() -> None:
    """Write both files."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        PostgresServer(installation(17)) as postgres,
        ControlPlane() as plane,
    ):
        served = Served(plane)
        examples = Path(scratch, "examples")
        examples.mkdir()
        write_examples(examples, postgres, postgres.create_admin())
        for name in ("namespaces.yaml", *sorted(p.name for p in examples.glob("*.yaml"))):
            served.kubectl("apply", "--server-side", "-f", examples / name)
        recording = Recording(served)
        scrape = _life(served, recording, lambda: Running(served, Path(scratch, "run.log")))
    METRICS.write_text("\n".join(line for line in scrape.splitlines() if "_created" not in line) + "\n")
    OBJECTS.write_text(json.dumps(recording.moments, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
