"""Claims on a host that accepts and never answers, among healthy ones: what they cost the others (issue 3, show 9).

The server is known and Ready before it goes silent, so that every claim on it gets as far as a connection of its own.
"""

from __future__ import annotations

import os
from statistics import median

import pytest

from ..servers.faults import SilentHost
from ..servers.installation import installation
from ..servers.postgres import PostgresServer
from .contender import ours
from .report import Report
from .yard import Timing, Yard, until

pytestmark = pytest.mark.bench

HEALTHY, DEAD = int(os.environ.get("BENCH_HEALTHY", "200")), 20
ROUNDS = 3


def _alone(yard: Yard) -> Timing:
    """The healthy ones by themselves."""
    with yard.place() as place, ours(yard):
        yard.canary(place)
        return yard.claims_to_ready(place, [f"c{index:08d}" for index in range(HEALTHY)])


def _beside_a_dead_host(yard: Yard) -> Timing:
    with yard.place() as place, ours(yard):
        dead = f"{place.name}-dead"
        with PostgresServer(installation(17)) as server:
            host, port = server.host, server.port
            yard.offer(dead, host, port, server.create_admin(), server.ca_file.read_text())
            yard.canary(place)
            until(lambda: yard.server_is_ready(dead))
        with SilentHost(host, port):
            healthy = [f"c{index:08d}" for index in range(HEALTHY)]
            return yard.claims_to_ready(place, healthy, [f"d{index:08d}" for index in range(DEAD)])


def test_a_dead_host_costs_the_others_nothing(yard: Yard, report: Report) -> None:
    pairs = [(_alone(yard), _beside_a_dead_host(yard)) for _ in range(ROUNDS)]
    rows = [
        (name, *(f"{median(each.percentile(percent) for each in timings):.2f}" for percent in (50, 99)))
        for name, timings in zip(
            ("without", f"with {DEAD} claims on a dead host"), zip(*pairs, strict=True), strict=True
        )
    ]
    report.table(f"{HEALTHY} healthy claims, medians of {ROUNDS} rounds", ("", "p50 s", "p99 s"), rows)
    ratio = median(beside.percentile(99) / alone.percentile(99) for alone, beside in pairs)
    report.aim("dead host: the healthy ones' p99, x that without it", ratio, 1.1)
    slowest = max(verdict for _, beside in pairs for verdict in beside.verdicts)
    report.aim("dead host: first verdict on its claims", slowest, 15, " s")
    assert all(len(timing.waits) == HEALTHY for pair in pairs for timing in pair)
