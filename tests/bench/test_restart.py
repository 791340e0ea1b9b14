"""What a restart costs where 10,000 claims exist: the time until all is looked at that must be, and memory."""

from __future__ import annotations

import os
import re
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from statistics import median

import pytest

from dbclaims.core.kinds import CLAIM
from dbclaims.core.objectstore import Object

from ..servers.process import free_port
from .contender import ours
from .recording import TEMPLATE
from .report import Report
from .yard import Place, Yard, is_ready, store_of, until

pytestmark = pytest.mark.bench

CLAIMS = int(os.environ.get("BENCH_CLAIMS", "10000"))
UNSETTLED = 50
"""Every so many-th claim is one that a restart must look at: it asks for a database that its class does not allow."""

ROUNDS = 3
_WRITERS = 6
_TOTAL = re.compile(r'^controller_runtime_reconcile_total\{controller="databaseclaim",.*\} (\S+)$', re.MULTILINE)


@pytest.fixture
def crowded(yard: Yard) -> Iterator[Place]:
    """A place with many claims that are Ready, as a controller left them, and some that it refused."""
    with yard.place() as place:
        with ours(yard):
            yard.claims_to_ready(place, [TEMPLATE])
        template = yard.store.get(CLAIM, place.name, TEMPLATE)
        assert template is not None
        with ThreadPoolExecutor(_WRITERS) as writers:
            list(writers.map(lambda number: _add(yard, template, number), range(CLAIMS - 1)))
        with ours(yard):
            until(lambda: _refused(yard, place) == (CLAIMS - 1) // UNSETTLED, 300)
        yield place


def _add(yard: Yard, template: Object, number: int) -> None:
    namespace, name = template["metadata"]["namespace"], f"c{number:08d}"
    metadata = {key: template["metadata"][key] for key in ("namespace", "finalizers")}
    claim = {**template, "metadata": {**metadata, "name": name}, "spec": {**template["spec"], "databaseName": name}}
    if number % UNSETTLED == UNSETTLED - 1:
        claim["spec"] = {**claim["spec"], "extensions": ["not_offered"]}
        yard.store.create(CLAIM, claim)
    else:
        yard.store.create(CLAIM, claim)
        status = {**template["status"], "databaseName": name, "secretName": f"{name}-db"}
        yard.store.patch(CLAIM, namespace, name, {"status": status}, subresource="status")


def _refused(yard: Yard, place: Place) -> int:
    claims = [claim for _, claim in yard.listed(CLAIM, place.name) if not is_ready(claim)]
    return sum((claim.get("status") or {}).get("observedGeneration") == 1 for claim in claims)


def test_a_restart_with_ten_thousand_claims(yard: Yard, crowded: Place, report: Report) -> None:
    expected = (CLAIMS - 1) // UNSETTLED
    starts = [_start(yard, expected) for _ in range(ROUNDS)]
    lists = [_list(yard, crowded) for _ in range(ROUNDS)]
    took, listing, rss = median(start for start, _ in starts), median(lists), max(rss for _, rss in starts)
    rows = [("from start to the last reconcile", f"{took:.2f} s"), ("the list itself", f"{listing:.2f} s")]
    rows += [("RSS afterwards", f"{rss:.0f} MiB")]
    report.table(f"restart with {CLAIMS} claims, {expected} of them unsettled, medians of {ROUNDS}", ("", ""), rows)
    report.aim(f"restart with {CLAIMS} claims: beyond the list itself", took - listing, 1.0, " s")
    report.aim(f"restart with {CLAIMS} claims: RSS", rss, 80, " MiB")


def _start(yard: Yard, expected: int) -> tuple[float, float]:
    """Seconds from the start of the process until the unsettled claims were looked at, and its memory then."""
    port, began = free_port(), time.monotonic()
    with ours(yard, port) as contender:
        until(lambda: _passes(port) >= expected, 120)
        return time.monotonic() - began, contender.usage().rss


def _passes(port: int) -> int:
    """Passes over claims so far, 0 while nobody answers."""
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return round(sum(float(count) for count in _TOTAL.findall(answer.read().decode())))
    return 0


def _list(yard: Yard, place: Place) -> float:
    """Seconds that reading the same pages takes, without keeping anything."""
    store, began = store_of(yard.kubeconfig), time.monotonic()
    page = store.list(CLAIM, limit=500)
    while page.continue_:
        page = store.list(CLAIM, limit=500, continue_=page.continue_)
    return time.monotonic() - began
