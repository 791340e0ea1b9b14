"""Two replicas of the chart: one works, the other takes over in time, and never do both write."""

from __future__ import annotations

import signal
import time

import pytest

from tests.commands.served import Probed
from tests.conftest import StartPostgres
from tests.controlplane.audit import AuditEvent
from tests.core.test_manager import until

from .stand import SYSTEM, Stand, examples, until_ready

LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/dbclaims"


def holder(stand: Stand) -> str:
    found = stand.plane.request("GET", LEASE)[1]
    return str(found.get("spec", {}).get("holderIdentity", ""))


def writes(stand: Stand, account: str, since: int) -> list[AuditEvent]:
    """What both wrote, but for the Lease and questions that are sent as objects."""
    asked = stand.asked_by(account, since)
    return [each for each in asked if each.is_write and each.resource != "leases" and each.code < 400]


# The kill waits for a Lease of 15 s to run out; tests/core/test_leader.py steps through the same with the same times.
@pytest.mark.parametrize(
    ("way", "seconds"),
    [
        pytest.param(signal.SIGTERM, 3.0, id="term"),
        pytest.param(signal.SIGKILL, 17.0, id="kill", marks=pytest.mark.long),
    ],
)
def test_the_waiting_replica_takes_over_in_time_and_the_two_never_write_at_once(
    stand: Stand, new_postgres: StartPostgres, way: signal.Signals, seconds: float
) -> None:
    server = new_postgres()
    installed = stand.install()
    position = stand.plane.audit_position()
    first = installed.start()
    until(lambda: holder(stand) != "", 60)
    leader, second = holder(stand), installed.start()
    until_ready(second)
    stand.apply(examples(server, server.create_admin()))
    stand.wait("dbclaim/orders", "shop")

    stand.kubectl("annotate", "dbclaim/orders", "-n", "shop", "dbclaims.io/rotate=before")
    _end(first, way)
    ended = time.monotonic()
    stand.kubectl("annotate", "dbclaim/orders", "-n", "shop", "dbclaims.io/rotate=after", "--overwrite")
    until(lambda: holder(stand) not in ("", leader), 30)
    assert time.monotonic() - ended <= seconds
    stand.wait("dbclaim/orders", "shop")
    until(lambda: _token(stand) == "after", 60)
    assert second.stop() == 0

    written = writes(stand, installed.account, position)
    tokens = list(dict.fromkeys(each.credential for each in sorted(written, key=lambda each: each.at)))
    assert len(tokens) == 2, "both have written"
    last_of_first = max(each.at for each in written if each.credential == tokens[0])
    first_of_second = min(each.at for each in written if each.credential == tokens[1])
    assert last_of_first < first_of_second


def _token(stand: Stand) -> str:
    """The last wish for a rotation that was answered."""
    return stand.kubectl("get", "dbclaim/orders", "-n", "shop", "-o", "jsonpath={.status.login.rotateToken}")


def _end(replica: Probed, way: signal.Signals) -> None:
    """End the process: SIGTERM until it has ended, as kubelet waits for it; SIGKILL at once."""
    if way is signal.SIGTERM:
        assert replica.stop() == 0
    else:
        replica.process.kill()
