"""Leader election: never two at once, a hand-over in under three seconds, and no trust in anybody's clock.

Stepped by hand against a server on loopback; each candidate has its own connection, as in production.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from dbclaims.core.kube.config import ClusterAccess
from dbclaims.core.kube.store import KubernetesStore
from dbclaims.core.kube.transport import Transport
from dbclaims.core.leader import LEASE, Elector, LeaseTimes
from dbclaims.core.metrics import Metrics
from tests.clock import FakeClock

from .conftest import TIMEOUTS
from .wire import Handler, Wire, answers, is_silent, resets

PLACE = (LEASE.plural, "dbclaims", "controller")


class Candidate(Elector):
    """An elector that remembers whether it lost."""

    def __init__(self, wire: Wire, clock: FakeClock, identity: str, clock_error: float = 0) -> None:
        self.lost = 0
        self.registry = CollectorRegistry()
        metrics = Metrics(self.registry)
        transport = Transport(lambda: ClusterAccess(wire.url), metrics=metrics, timeouts=TIMEOUTS)
        super().__init__(
            KubernetesStore(transport),
            namespace="dbclaims",
            name="controller",
            identity=identity,
            clock=clock,
            rng=random.Random(identity),
            metrics=metrics,
            on_lost=self.note_loss,
        )

    def note_loss(self) -> None:
        self.lost += 1

    def status_metric(self) -> float | None:
        return self.registry.get_sample_value("leader_election_master_status", {"name": "controller"})


@pytest.fixture
def candidate(wire: Wire, clock: FakeClock) -> Callable[[str], Candidate]:
    return lambda identity: Candidate(wire, clock, identity)


Make = Callable[[str], Candidate]


def spec(wire: Wire) -> dict[str, object]:
    found: dict[str, object] = wire.objects[PLACE]["spec"]
    return found


def test_the_first_candidate_makes_the_lease_and_leads(wire: Wire, candidate: Make) -> None:
    a = candidate("a")
    a.step()
    assert a.is_leader()
    assert spec(wire)["holderIdentity"] == "a"
    assert spec(wire)["leaseDurationSeconds"] == 15
    assert spec(wire)["leaseTransitions"] == 0
    assert a.status_metric() == 1


def test_times_are_written_as_micro_time(wire: Wire, candidate: Make) -> None:
    candidate("a").step()
    assert spec(wire)["renewTime"] == "2026-01-01T00:00:00.000000Z"


def test_a_second_candidate_waits_while_the_lease_is_renewed(candidate: Make, clock: FakeClock) -> None:
    a, b = candidate("a"), candidate("b")
    for _ in range(30):
        a.step()
        b.step()
        clock.advance(2)
    assert (a.is_leader(), b.is_leader()) == (True, False)
    assert b.status_metric() == 0


def test_a_leader_that_died_is_followed_within_17_seconds(wire: Wire, candidate: Make, clock: FakeClock) -> None:
    a, b = candidate("a"), candidate("b")
    a.step()
    b.step()
    began = clock.monotonic()
    delay = b.step()
    while not b.is_leader():
        clock.advance(delay)
        delay = b.step()
    assert clock.monotonic() - began <= 17
    assert spec(wire)["leaseTransitions"] == 1
    assert not a.is_leader()


def test_a_leader_that_releases_is_followed_within_3_seconds(wire: Wire, candidate: Make, clock: FakeClock) -> None:
    a, b = candidate("a"), candidate("b")
    a.step()
    delay = b.step()
    a.release()
    clock.advance(delay)
    b.step()
    assert b.is_leader()
    assert clock.monotonic() <= 3
    assert (a.is_leader(), a.lost) == (False, 0)


def test_a_lease_is_judged_by_when_it_was_seen_and_not_by_the_time_that_stands_in_it(
    wire: Wire, candidate: Make, clock: FakeClock
) -> None:
    future = datetime(2099, 1, 1, tzinfo=UTC).isoformat()
    lease = {"holderIdentity": "dead", "leaseDurationSeconds": 15, "renewTime": future}
    wire.store(LEASE.plural, {"metadata": {"name": "controller", "namespace": "dbclaims"}, "spec": lease})
    b = candidate("b")
    b.step()
    assert not b.is_leader()
    clock.advance(15)
    b.step()
    assert b.is_leader()


def test_a_lease_seen_for_the_first_time_is_respected_however_old_it_says_it_is(wire: Wire, candidate: Make) -> None:
    lease = {"holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": "2001-01-01T00:00:00.000000Z"}
    wire.store(LEASE.plural, {"metadata": {"name": "controller", "namespace": "dbclaims"}, "spec": lease})
    b = candidate("b")
    b.step()
    assert not b.is_leader()


@pytest.mark.parametrize("fault", [is_silent, resets, answers(500, "InternalError")], ids=["silent", "reset", "500"])
def test_a_leader_that_cannot_renew_stops_before_anybody_else_may_start(
    wire: Wire, candidate: Make, clock: FakeClock, fault: Callable[[Handler], None]
) -> None:
    a, b = candidate("a"), candidate("b")
    a.step()
    b.step()
    for sort in ("put", "get"):
        wire.fail(sort, fault, always=True)
    while not a.lost:
        assert a.is_leader() or clock.monotonic() >= 10
        clock.advance(a.step())
    assert clock.monotonic() < 15
    wire.mend()
    b.step()
    assert not (a.is_leader() and b.is_leader())
    assert a.status_metric() == 0


def test_the_lease_is_not_ours_any_more_while_a_renewal_hangs(candidate: Make, clock: FakeClock) -> None:
    a = candidate("a")
    a.step()
    clock.advance(10)
    assert not a.is_leader(), "without any step: the thread may be stuck in a request"


def test_a_short_outage_loses_nothing(wire: Wire, candidate: Make, clock: FakeClock) -> None:
    a = candidate("a")
    a.step()
    wire.fail("put", resets, resets)
    for _ in range(4):
        clock.advance(a.step())
    assert (a.is_leader(), a.lost) == (True, 0)


def test_a_lease_that_somebody_took_is_lost_at_once(wire: Wire, candidate: Make, clock: FakeClock) -> None:
    a = candidate("a")
    a.step()
    stolen = {**wire.objects[PLACE], "spec": {**spec(wire), "holderIdentity": "thief"}}
    wire.store(LEASE.plural, stolen)
    clock.advance(2)
    a.step()
    assert (a.is_leader(), a.lost) == (False, 1)
    assert spec(wire)["holderIdentity"] == "thief"


def test_a_foreign_label_on_the_lease_does_not_stop_the_renewal(wire: Wire, candidate: Make, clock: FakeClock) -> None:
    a = candidate("a")
    a.step()
    labelled = {**wire.objects[PLACE], "metadata": {**wire.objects[PLACE]["metadata"], "labels": {"x": "y"}}}
    wire.store(LEASE.plural, labelled)
    clock.advance(2)
    a.step()
    assert (a.is_leader(), a.lost) == (True, 0)
    assert wire.objects[PLACE]["metadata"]["labels"] == {"x": "y"}


def test_a_renewal_needs_one_request(wire: Wire, candidate: Make, clock: FakeClock) -> None:
    a = candidate("a")
    a.step()
    before = len(wire.seen)
    clock.advance(a.step())
    assert [request.sort for request in wire.seen[before:]] == ["put"]


def test_of_two_that_make_the_lease_at_once_one_leads(wire: Wire, candidate: Make) -> None:
    a, b = candidate("a"), candidate("b")

    def b_is_first(handler: Handler) -> None:
        b.step()
        handler.missing()

    wire.fail("get", b_is_first)
    a.step()
    assert (a.is_leader(), b.is_leader()) == (False, True)


def test_of_two_that_take_a_free_lease_at_once_one_leads(wire: Wire, candidate: Make) -> None:
    first, a, b = candidate("first"), candidate("a"), candidate("b")
    first.step()
    first.release()

    def b_is_first(handler: Handler) -> None:
        b.step()
        handler.do_put()

    wire.fail("put", b_is_first)
    a.step()
    assert (a.is_leader(), b.is_leader()) == (False, True)


def test_releasing_survives_a_conflict(wire: Wire, candidate: Make) -> None:
    a = candidate("a")
    a.step()
    wire.fail("put", answers(409, "Conflict"))
    a.release()
    assert spec(wire)["holderIdentity"] == ""
    assert spec(wire)["leaseDurationSeconds"] == 1


def test_releasing_without_an_answer_raises_nothing(wire: Wire, candidate: Make) -> None:
    a = candidate("a")
    a.step()
    wire.fail("get", resets)
    a.release()
    assert not a.is_leader()


def test_a_candidate_that_does_not_lead_releases_nothing(wire: Wire, candidate: Make) -> None:
    a, b = candidate("a"), candidate("b")
    a.step()
    b.step()
    b.release()
    assert spec(wire)["holderIdentity"] == "a"


def test_a_lease_of_somebody_else_is_left_alone_by_a_release(wire: Wire, candidate: Make) -> None:
    a = candidate("a")
    a.step()
    wire.store(LEASE.plural, {**wire.objects[PLACE], "spec": {**spec(wire), "holderIdentity": "b"}})
    a.release()
    assert spec(wire)["holderIdentity"] == "b"


@pytest.mark.parametrize("times", [(10, 10, 2), (15, 2, 2), (15, 2.4, 2), (5, 10, 2)])
def test_times_that_could_lose_the_lease_by_themselves_are_refused(times: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="renew_deadline"):
        LeaseTimes(*times)


def test_over_an_hour_of_chance_there_are_never_two(wire: Wire, candidate: Make, clock: FakeClock) -> None:
    chance = random.Random(11)
    candidates = [candidate(name) for name in "abc"]
    for _ in range(600):
        if chance.random() < 0.3:
            wire.fail(
                chance.choice(["put", "get"]), chance.choice([resets, answers(500, "x"), answers(409, "Conflict")])
            )
        chance.choice(candidates).step()
        if chance.random() < 0.02:
            chance.choice(candidates).release()
        clock.advance(chance.uniform(0, 3))
        assert sum(candidate.is_leader() for candidate in candidates) <= 1
