"""Start, stop and hand-over of a whole process, its probes, its metrics page and its Events.

Real threads on the machine's clock, against a server on loopback; nothing sleeps, everything waits for a condition.
"""

import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from dbclaims.core.client import CachedClient
from dbclaims.core.clock import StopSignal, SystemClock
from dbclaims.core.controller import Controller, Result
from dbclaims.core.health import SILENCE, Health, HealthServer, informers_ready, progress
from dbclaims.core.informer import Informer, Informers
from dbclaims.core.kube.config import ClusterAccess
from dbclaims.core.kube.store import KubernetesStore
from dbclaims.core.kube.transport import Timeouts, Transport
from dbclaims.core.leader import LEASE, Elector, LeaseTimes
from dbclaims.core.manager import Manager, SyncTimeout
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import Object, split_key
from dbclaims.core.recorder import EVENT, Recorder
from dbclaims.core.workqueue import Lane, WorkQueue
from tests.clock import FakeClock

from .conftest import CLAIM, claim
from .wire import Wire, answers, resets

LEASE_PLACE = (LEASE.plural, "dbclaims", "controller")


class Process:
    """A manager with one controller that writes each claim's status once."""

    def __init__(self, wire: Wire, identity: str = "a", *, drain: float = 25, sync_timeout: float = 120) -> None:
        self.metrics, clock = Metrics(CollectorRegistry()), SystemClock()
        rng = random.Random(identity)
        self.store = KubernetesStore(
            Transport(lambda: ClusterAccess(wire.url), metrics=self.metrics, timeouts=Timeouts())
        )
        self.informer = Informer(CLAIM, self.store, clock=clock, rng=rng, metrics=self.metrics)
        informers = Informers([self.informer])
        self.client = CachedClient(self.store, informers)
        self.queue = WorkQueue(clock=clock, rng=rng, metrics=self.metrics.queue("claims"))
        self.informer.add_handler(self.enqueue)
        self.hold, self.working = threading.Event(), threading.Event()
        self.hold.set()
        self.stop, self.result, self.identity = StopSignal(clock), list[bool](), identity
        controller = Controller(
            "claims",
            self.queue,
            self.reconcile,
            workers=2,
            clock=clock,
            metrics=self.metrics.controller("claims"),
        )
        self.elector = Elector(
            KubernetesStore(Transport(lambda: ClusterAccess(wire.url), metrics=self.metrics)),
            namespace="dbclaims",
            name="controller",
            identity=identity,
            clock=clock,
            rng=rng,
            metrics=self.metrics,
            on_lost=self.stop.set,
            times=LeaseTimes(retry=0.1),
        )
        health = Health(live=progress("claims", self.queue.longest_running, 600), ready=informers_ready(informers))
        self.health = HealthServer(health, self.metrics.registry, host="127.0.0.1", port=0)
        self.manager = Manager(
            store=self.store,
            informers=informers,
            controllers=[controller],
            clock=clock,
            elector=self.elector,
            health=self.health,
            drain=drain,
            sync_timeout=sync_timeout,
        )
        self.thread = threading.Thread(target=lambda: self.result.append(self.manager.run(self.stop)), daemon=True)

    def enqueue(self, old: Object | None, new: Object | None) -> None:
        if new:
            lane = Lane.EDIT if self.informer.has_synced() else Lane.RESYNC
            self.queue.add(f"shop/{new['metadata']['name']}", lane)

    def reconcile(self, key: str) -> Result:
        self.working.set()
        self.hold.wait(10)
        obj = self.client.lister(CLAIM).get(key)
        if obj and "status" not in obj:
            namespace, name = split_key(key)
            self.client.patch(CLAIM, namespace, name, {"status": {"by": self.identity}}, subresource="status")
        return Result()

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def end(self) -> None:
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def process(wire: Wire) -> Process:
    wire.hold_watches = True
    return Process(wire)


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for a condition of the world that other threads bring about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        threading.Event().wait(0.005)


def status_by(wire: Wire, name: str) -> str | None:
    status = wire.objects[(CLAIM.plural, "shop", name)].get("status")
    return status["by"] if status else None


def test_what_was_there_and_what_comes_later_is_reconciled(wire: Wire, process: Process) -> None:
    wire.store(CLAIM.plural, claim("before"))
    process.thread.start()
    until(lambda: status_by(wire, "before") == "a")
    wire.store(CLAIM.plural, claim("after"))
    until(lambda: status_by(wire, "after") == "a")
    process.end()
    assert process.result == [True]


def test_a_restart_over_reconciled_objects_writes_nothing_but_the_lease(wire: Wire, process: Process) -> None:
    wire.store(CLAIM.plural, claim("orders"))
    process.thread.start()
    until(lambda: status_by(wire, "orders") == "a")
    process.end()
    before = len(wire.seen)
    again = Process(wire, "b")
    again.thread.start()
    until(again.working.is_set)
    again.end()
    writes = [seen for seen in wire.seen[before:] if seen.sort in ("post", "put", "patch", "delete")]
    assert {seen.path for seen in writes} <= {"/apis/coordination.k8s.io/v1/namespaces/dbclaims/leases/controller"}


def test_a_standby_is_ready_works_at_nothing_and_takes_over_within_three_seconds(wire: Wire, process: Process) -> None:
    process.thread.start()
    until(process.elector.is_leader)
    standby = Process(wire, "b")
    standby.thread.start()
    until(standby.informer.has_synced)
    wire.store(CLAIM.plural, claim("first"))
    until(lambda: status_by(wire, "first") == "a")
    assert standby.get("/readyz")[0] == 200
    began = time.monotonic()
    process.end()
    wire.store(CLAIM.plural, claim("second"))
    until(lambda: status_by(wire, "second") == "b")
    assert time.monotonic() - began <= 3
    standby.end()


def test_the_lease_is_held_until_the_last_pass_has_ended(wire: Wire, process: Process) -> None:
    wire.store(CLAIM.plural, claim("slow"))
    process.hold.clear()
    process.thread.start()
    until(process.working.is_set)
    process.stop.set()
    until(lambda: process.queue.get(timeout=0) is None)
    assert wire.objects[LEASE_PLACE]["spec"]["holderIdentity"] == "a"
    process.hold.set()
    process.thread.join(10)
    assert status_by(wire, "slow") == "a", "the pass that was running has ended in full"
    assert wire.objects[LEASE_PLACE]["spec"]["holderIdentity"] == ""


def test_a_pass_that_does_not_end_is_given_up_and_said_so(wire: Wire) -> None:
    wire.hold_watches = True
    process = Process(wire, drain=0.1)
    wire.store(CLAIM.plural, claim("stuck"))
    process.hold.clear()
    process.thread.start()
    until(process.working.is_set)
    process.end()
    process.hold.set()
    assert process.result == [False]


def test_caches_that_do_not_fill_stop_the_start_with_their_names(wire: Wire) -> None:
    wire.fail("list", answers(403, "Forbidden"), always=True)
    process = Process(wire, sync_timeout=0.1)
    with pytest.raises(SyncTimeout, match="DatabaseClaim"):
        process.manager.run(process.stop)


def test_stopping_before_the_caches_are_filled_is_clean(wire: Wire) -> None:
    wire.fail("list", answers(500, "InternalError"), always=True)
    process = Process(wire)
    process.thread.start()
    until(lambda: wire.count("list") > 0)
    assert process.get("/readyz")[0] == 500
    assert process.get("/healthz")[0] == 200
    process.end()
    assert process.result == [True]


def test_probes_and_metrics_answer_by_name(process: Process) -> None:
    process.thread.start()
    until(process.elector.is_leader)
    assert process.get("/readyz") == (200, "[+]ping ok\n[+]informer-sync ok\n[+]watch ok\n")
    assert process.get("/readyz/watch")[0] == 200
    assert process.get("/healthz/claims")[0] == 200
    assert process.get("/readyz/nonsense")[0] == 404
    assert process.get("/")[0] == 404
    status, page = process.get("/metrics")
    assert status == 200
    assert 'leader_election_master_status{name="controller"} 1.0' in page
    assert 'workqueue_depth{controller="claims",name="claims",priority="EDIT"} 0.0' in page
    process.end()


def test_a_watch_that_hears_nothing_for_three_minutes_is_not_ready(informer: Informer, clock: FakeClock) -> None:
    health = Health(live={}, ready=informers_ready(Informers([informer])))
    assert health.answer("/readyz")[0] == 500
    informer.step()
    clock.advance(SILENCE)
    assert health.answer("/readyz")[0] == 200
    clock.advance(1)
    status, text = health.answer("/readyz")
    assert status == 500
    assert "DatabaseClaim (181 s)" in text


def test_a_pass_that_never_ends_is_not_alive() -> None:
    running = [0.0]
    health = Health(live=progress("claims", lambda: running[0], 600), ready={})
    assert health.answer("/healthz")[0] == 200
    running[0] = 601
    assert health.answer("/healthz") == (500, "[+]ping ok\n[-]claims a pass of claims has been running for 601 s\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_raises_the_stop_flag_even_while_the_main_thread_waits_for_it(number: signal.Signals) -> None:
    program = (
        "from dbclaims.core.clock import StopSignal, SystemClock\n"
        "from dbclaims.core.manager import stop_on_signals\n"
        "stop = StopSignal(SystemClock())\n"
        "stop_on_signals(stop)\n"
        "print('waiting', flush=True)\n"
        "print(stop.wait(30))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "waiting\n"
        child.send_signal(number)
        assert child.stdout.read() == "True\n"
    assert child.returncode == 0


def recorder(store: KubernetesStore, clock: FakeClock) -> Recorder:
    return Recorder(store, controller="dbclaims.io/controller", instance="pod-1", clock=clock, rng=random.Random(1))


def test_an_event_names_its_object_and_reason(wire: Wire, store: KubernetesStore, clock: FakeClock) -> None:
    about = store.create(CLAIM, claim("orders"))
    recorder(store, clock).record(about, reason="Available", note="orders is ready", action="Publish")
    (event,) = (obj for (plural, *_), obj in wire.objects.items() if plural == EVENT.plural)
    assert event["metadata"]["namespace"] == "shop"
    assert event["regarding"]["uid"] == about["metadata"]["uid"]
    assert (event["type"], event["reason"], event["note"]) == ("Normal", "Available", "orders is ready")
    assert event["eventTime"] == "2026-01-01T00:00:00.000000Z"


def test_events_are_never_one_and_keep_to_the_limits(wire: Wire, store: KubernetesStore, clock: FakeClock) -> None:
    events = recorder(store, clock)
    for _ in range(2):
        events.record(claim("n" * 253), reason="R" * 300, note="x" * 5000, action="A", warning=True)
    made = [obj for (plural, *_), obj in wire.objects.items() if plural == EVENT.plural]
    assert len(made) == 2
    assert all(len(event["metadata"]["name"]) <= 253 and len(event["note"]) <= 1024 for event in made)
    assert made[0]["type"] == "Warning"


@pytest.mark.parametrize("fault", [resets, answers(403, "Forbidden"), answers(500, "InternalError")])
def test_an_event_that_cannot_be_written_stops_nothing(
    wire: Wire, store: KubernetesStore, clock: FakeClock, fault: Callable[..., None]
) -> None:
    wire.fail("post", fault)
    recorder(store, clock).record(claim("orders"), reason="Available", note="", action="Publish")
    assert wire.objects == {}
