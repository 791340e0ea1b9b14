"""The work queue and the cache by themselves: how long a key waits, and what an object costs."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from prometheus_client import CollectorRegistry

from dbclaims.core.clock import SystemClock
from dbclaims.core.controller import Controller, Result
from dbclaims.core.kinds import CLAIM
from dbclaims.core.machine import WORKERS
from dbclaims.core.metrics import Metrics
from dbclaims.core.reconcile.lookup import INDEXES
from dbclaims.core.store import Store, read_list
from dbclaims.core.workqueue import WorkQueue

from .contender import ours
from .recording import TEMPLATE
from .report import Report
from .yard import Yard, percentile, until

pytestmark = pytest.mark.bench

RATE, SECONDS = 500, 6.0
IO, CPU = 0.005, 0.0002
"""Of one pass, in seconds: as in framework.md §4.1."""

OBJECTS = 10_000


def test_how_long_a_key_waits_at_500_passes_a_second(report: Report) -> None:
    clock, metrics, rng = SystemClock(), Metrics(CollectorRegistry()), random.Random(1)
    queue = WorkQueue(clock=clock, rng=rng, metrics=metrics.queue("bench"))
    added, waits = dict[str, float](), list[float]()

    def one_pass(key: str) -> Result:
        waits.append(time.monotonic() - added[key])
        busy = time.thread_time() + CPU
        while time.thread_time() < busy:
            pass
        time.sleep(IO)
        return Result()

    controller = Controller("bench", queue, one_pass, workers=WORKERS, clock=clock, metrics=metrics.controller("bench"))
    controller.start()
    due, number = time.monotonic(), 0
    while number < RATE * SECONDS:
        # Poisson arrivals; what is late by a scheduler's whim is added at once.
        due, number = due + rng.expovariate(RATE), number + 1
        time.sleep(max(0.0, due - time.monotonic()))
        added[str(number)] = time.monotonic()
        queue.add(str(number))
    until(lambda: len(waits) == number)
    queue.shut_down()
    rows = [(f"p{percent}", f"{percentile(waits, percent) * 1000:.2f} ms") for percent in (50, 99)]
    report.table(f"queue wait at {RATE} passes/s, {WORKERS} workers, {len(waits)} keys", ("", ""), rows)
    report.aim(f"queue wait at {RATE} passes/s: p99", percentile(waits, 99) * 1000, 5, " ms")
    assert queue.drain(30.0)


def test_what_a_cached_object_costs(yard: Yard, report: Report) -> None:
    with yard.place() as place, ours(yard):
        yard.claims_to_ready(place, [TEMPLATE])
        claim: dict[str, Any] | None = yard.store.get(CLAIM, place.name, TEMPLATE)
    assert claim is not None
    store = Store(INDEXES[CLAIM])
    tracemalloc.start()
    try:
        store.replace(read_list(_copies(claim)), OBJECTS)
        held = tracemalloc.get_traced_memory()[0] / OBJECTS
    finally:
        tracemalloc.stop()
    sent = len(orjson.dumps(claim))
    rows = [
        ("as the API server sends it", f"{sent} bytes"),
        ("in the cache, with keys and indexes", f"{held:.0f} bytes"),
    ]
    report.table("a Ready claim", ("", ""), rows)
    report.aim("bytes per cached object, x the bytes that were sent", held / sent, 0.85)
    assert len(store) == OBJECTS


def _copies(claim: dict[str, Any]) -> Iterator[bytes]:
    for number in range(OBJECTS):
        metadata = {**claim["metadata"], "name": f"c{number:08d}", "uid": f"uid-{number}", "resourceVersion": "1"}
        yield orjson.dumps({**claim, "metadata": metadata})
