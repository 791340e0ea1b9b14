"""The work queue with its lanes, delays, backoff and bulkheads; the sentences of client-go and controller-runtime.

The clock stands still unless a test moves it; real threads appear only where waking is what is tested.
"""

import random
import threading
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from prometheus_client import CollectorRegistry

from dbclaims.core.bulkhead import Bulkhead
from dbclaims.core.metrics import Metrics
from dbclaims.core.workqueue import Lane, WorkQueue
from tests.clock import FakeClock


class Queue(WorkQueue):
    """A work queue with its clock at hand."""

    def __init__(self, bulkhead: Bulkhead | None = None, metrics: Metrics | None = None) -> None:
        self.clock = FakeClock()
        self.metrics = metrics or Metrics(CollectorRegistry())
        super().__init__(
            clock=self.clock, rng=random.Random(3), metrics=self.metrics.queue("claims"), bulkhead=bulkhead
        )

    def next(self) -> str | None:
        return self.get(timeout=0)

    def order(self) -> list[str]:
        """Take and finish everything that is ready."""
        taken = []
        while key := self.next():
            taken.append(key)
            self.done(key)
        return taken


def by_letter(slots: int) -> Bulkhead:
    """a1, a2, … share target "a"; keys with a dot have none."""
    return Bulkhead(lambda key: None if "." in key else key[0], slots=slots)


def test_a_key_added_twice_is_handed_out_once() -> None:
    queue = Queue()
    queue.add("k")
    queue.add("k")
    assert queue.order() == ["k"]


def test_a_key_is_never_worked_on_twice_at_the_same_time() -> None:
    queue = Queue()
    queue.add("k")
    assert queue.next() == "k"
    queue.add("k")
    assert queue.next() is None
    queue.done("k")
    assert queue.next() == "k"


def test_adding_many_times_while_processing_hands_it_out_once_more() -> None:
    queue = Queue()
    queue.add("k")
    queue.next()
    for _ in range(3):
        queue.add("k")
    queue.done("k")
    assert queue.order() == ["k"]


def test_keys_of_one_lane_come_in_order() -> None:
    queue = Queue()
    for key in "cab":
        queue.add(key)
    assert queue.order() == ["c", "a", "b"]


def test_an_edit_overtakes_a_requeue_and_that_a_resync() -> None:
    queue = Queue()
    queue.add("resync", Lane.RESYNC)
    queue.add("requeue", Lane.REQUEUE)
    queue.add("edit", Lane.EDIT)
    assert queue.order() == ["edit", "requeue", "resync"]


def test_a_key_keeps_the_most_urgent_lane_that_it_was_added_with() -> None:
    queue = Queue()
    queue.add("raised", Lane.RESYNC)
    queue.add("other", Lane.REQUEUE)
    queue.add("raised", Lane.EDIT)
    queue.add("raised", Lane.RESYNC)
    assert queue.order() == ["raised", "other"]


def test_a_key_added_urgently_while_processing_comes_back_urgently() -> None:
    queue = Queue()
    queue.add("k", Lane.RESYNC)
    queue.next()
    queue.add("k", Lane.RESYNC)
    queue.add("k", Lane.EDIT)
    queue.add("other", Lane.REQUEUE)
    queue.done("k")
    assert queue.order() == ["k", "other"]


def test_every_eighth_key_is_the_oldest_so_that_nothing_starves() -> None:
    queue = Queue()
    queue.add("old", Lane.RESYNC)
    for number in range(20):
        queue.add(f"edit{number}")
    assert queue.order().index("old") == 7


def test_an_overdue_key_is_served_while_edits_never_stop() -> None:
    queue = Queue()
    for number in range(5):
        queue.add(f"old{number}", Lane.RESYNC)
    queue.clock.advance(31)
    taken = []
    for number in range(10):
        queue.add(f"edit{number}")
        queue.add(f"more{number}")
        taken.append(queue.next())
    assert sum(key is not None and key.startswith("old") for key in taken) == 5


def test_an_edit_comes_second_at_worst_behind_a_backlog_that_is_overdue() -> None:
    queue = Queue()
    for number in range(1000):
        queue.add(f"old{number}", Lane.RESYNC)
    queue.clock.advance(600)
    queue.add("edit")
    assert "edit" in [queue.next(), queue.next()]


def test_a_delayed_key_comes_when_its_time_has_come_give_or_take_a_tenth() -> None:
    queue = Queue()
    queue.add_after("k", 100)
    queue.clock.advance(89.9)
    assert queue.next() is None
    queue.clock.advance(20.2)
    assert queue.next() == "k"


def test_an_exact_delay_has_no_jitter() -> None:
    queue = Queue()
    queue.add_after("k", 100, exact=True)
    queue.clock.advance(99.9)
    assert queue.next() is None
    queue.clock.advance(0.1)
    assert queue.next() == "k"


def test_jitter_spreads_equal_delays() -> None:
    queue = Queue()
    for number in range(200):
        queue.add_after(f"k{number}", 600)
    queue.clock.advance(600)
    assert 60 < len(queue.order()) < 140


def test_of_several_delays_the_earliest_counts_and_the_key_comes_once() -> None:
    queue = Queue()
    for seconds in (50, 10, 30):
        queue.add_after("k", seconds, exact=True)
    queue.clock.advance(10)
    assert queue.order() == ["k"]
    queue.clock.advance(100)
    assert queue.order() == []


def test_adding_now_ends_a_delay() -> None:
    queue = Queue()
    queue.add_after("k", 10, exact=True)
    queue.add("k")
    assert queue.order() == ["k"]
    queue.clock.advance(20)
    assert queue.order() == []


def test_a_delay_that_ends_while_the_key_is_processed_brings_it_back_afterwards() -> None:
    queue = Queue()
    queue.add("k")
    queue.next()
    queue.add_after("k", 5, exact=True)
    queue.clock.advance(6)
    assert queue.next() is None
    queue.done("k")
    assert queue.next() == "k"


def test_delayed_keys_do_not_count_as_waiting() -> None:
    queue = Queue()
    queue.add_after("later", 10)
    queue.add("now")
    assert len(queue) == 1


def test_the_backoff_doubles_from_half_a_second_to_five_minutes_and_starts_again_when_forgotten() -> None:
    queue = Queue()
    for failures in range(12):
        assert_backoff(queue, min(300, 0.5 * 2**failures))
    queue.forget("k")
    assert_backoff(queue, 0.5)


def assert_backoff(queue: Queue, seconds: float) -> None:
    queue.add_backoff("k")
    queue.clock.advance(0.899 * seconds)
    assert queue.order() == []
    queue.clock.advance(0.202 * seconds)
    assert queue.order() == ["k"]


def test_a_thousand_failures_do_not_overflow() -> None:
    queue = Queue()
    for _ in range(1100):
        queue.add_backoff("k")
    queue.clock.advance(331)
    assert queue.next() == "k"


def test_a_backoff_is_never_shorter_than_the_server_asked_for() -> None:
    queue = Queue()
    queue.add_backoff("k", at_least=60)
    queue.clock.advance(53)
    assert queue.next() is None


def test_one_keys_backoff_delays_no_other() -> None:
    queue = Queue()
    for _ in range(10):
        queue.add_backoff("failing")
    queue.add_backoff("other")
    queue.clock.advance(0.6)
    assert "other" in queue.order()


def test_after_shut_down_nothing_is_handed_out() -> None:
    queue = Queue()
    queue.add("k")
    queue.shut_down()
    assert queue.get() is None


def test_draining_waits_for_the_keys_in_work() -> None:
    queue = Queue()
    queue.add("k")
    queue.next()
    queue.shut_down()
    assert queue.drain(0) is False
    queue.done("k")
    assert queue.drain(0) is True


def test_a_drain_that_waits_is_woken_by_the_last_done() -> None:
    queue = Queue()
    queue.add("k")
    queue.next()
    queue.shut_down()
    drained: list[bool] = []
    thread = threading.Thread(target=lambda: drained.append(queue.drain(25)))
    thread.start()
    queue.done("k")
    thread.join(5)
    assert drained == [True]


def test_a_waiting_worker_is_woken_by_an_add_by_time_and_by_shut_down() -> None:
    queue = Queue()
    taken: list[str | None] = []

    def work() -> None:
        while key := queue.get():
            taken.append(key)
            queue.done(key)
        taken.append(None)

    thread = threading.Thread(target=work)
    thread.start()
    queue.add("now")
    queue.add_after("later", 5, exact=True)
    while "later" not in taken:
        queue.clock.advance(1)
    queue.shut_down()
    thread.join(5)
    assert taken == ["now", "later", None]


def test_a_delayed_key_is_not_forgotten_by_the_workers_that_do_not_wait_for_it() -> None:
    """Two idle workers; one learns of a delay and then takes a key for long: the other must see to the delay."""
    queue = Queue()
    taken, busy = [], threading.Event()

    def work() -> None:
        while key := queue.get():
            taken.append(key)
            if key == "long":
                busy.wait(10)
            queue.done(key)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    while queue.clock.waiters() < 2:
        pass
    queue.add_after("later", 5, exact=True)
    queue.add("long")
    while "later" not in taken and queue.clock.monotonic() < 1e6:
        queue.clock.advance(1)
    busy.set()
    queue.shut_down()
    for thread in threads:
        thread.join(5)
    assert "later" in taken


def test_no_more_than_its_slots_of_one_target_are_in_work_and_others_go_on() -> None:
    queue = Queue(by_letter(slots=2))
    for key in ("a1", "a2", "a3", "a4", "b1", "free.1"):
        queue.add(key)
    assert [queue.next() for _ in range(5)] == ["a1", "a2", "b1", "free.1", None]


def test_a_freed_slot_wakes_the_first_of_its_target() -> None:
    queue = Queue(by_letter(slots=1))
    for key in ("a1", "a2", "a3"):
        queue.add(key)
    assert [queue.next(), queue.next()] == ["a1", None]
    queue.done("a1")
    assert [queue.next(), queue.next()] == ["a2", None]


def test_a_freed_slot_wakes_a_worker_that_waits() -> None:
    queue = Queue(by_letter(slots=1))
    queue.add("a1")
    queue.add("a2")
    queue.next()
    taken: list[str | None] = []
    thread = threading.Thread(target=lambda: taken.append(queue.get()))
    thread.start()
    queue.done("a1")
    thread.join(5)
    assert taken == ["a2"]


def test_a_parked_key_that_moves_to_another_target_need_not_wait() -> None:
    targets = {"k1": "dead", "k2": "dead"}
    queue = Queue(Bulkhead(lambda key: targets[key], slots=1))
    queue.add("k1")
    queue.add("k2")
    assert [queue.next(), queue.next()] == ["k1", None]
    targets["k2"] = "healthy"
    queue.add("k2")
    assert queue.next() == "k2"


def test_a_key_gives_back_the_slot_that_it_took_even_if_its_target_changed_meanwhile() -> None:
    targets = {"k1": "one", "k2": "one"}
    queue = Queue(Bulkhead(lambda key: targets[key], slots=1))
    queue.add("k1")
    queue.add("k2")
    queue.next()
    queue.next()
    targets["k1"] = "another"
    queue.done("k1")
    assert queue.next() == "k2"


def test_a_target_function_that_fails_loses_no_key(caplog: pytest.LogCaptureFixture) -> None:
    queue = Queue(Bulkhead(lambda key: str(1 / 0), slots=1))
    queue.add("k")
    assert queue.next() == "k"
    assert "target of key failed" in caplog.text


def test_a_parked_key_counts_as_waiting() -> None:
    queue = Queue(by_letter(slots=1))
    queue.add("a1")
    queue.add("a2")
    queue.next()
    queue.next()
    assert len(queue) == 1


def test_the_queues_metrics_tell_depth_waiting_and_work() -> None:
    queue = Queue()
    labels = {"name": "claims", "controller": "claims"}

    def value(name: str, **more: str) -> float | None:
        return queue.metrics.registry.get_sample_value(name, {**labels, **more})

    assert value("workqueue_depth", priority="EDIT") == 0
    queue.add("a")
    queue.add("b", Lane.RESYNC)
    assert value("workqueue_depth", priority="EDIT") == 1
    assert value("workqueue_depth", priority="RESYNC") == 1
    queue.clock.advance(3)
    queue.next()
    queue.clock.advance(4)
    assert value("workqueue_longest_running_processor_seconds") == 4
    assert value("workqueue_unfinished_work_seconds") == 4
    queue.done("a")
    queue.add_backoff("a")
    assert value("workqueue_adds_total") == 2
    assert value("workqueue_retries_total") == 1
    assert value("workqueue_queue_duration_seconds_sum") == 3
    assert value("workqueue_work_duration_seconds_sum") == 4


def test_the_slots_in_use_are_a_metric_that_goes_away_with_the_target() -> None:
    metrics = Metrics(CollectorRegistry())
    slots = metrics.queue("claims").slots
    queue = Queue(Bulkhead(lambda key: "host", slots=4, observe=slots))
    labels = {"controller": "claims", "target": "host"}
    queue.add("k")
    queue.next()
    assert metrics.registry.get_sample_value("dbclaims_backend_slots_in_use", labels) == 1
    queue.done("k")
    assert metrics.registry.get_sample_value("dbclaims_backend_slots_in_use", labels) is None


class QueueAgainstModel(RuleBasedStateMachine):
    """Any order of calls: what is wanted comes, once, with slots respected, and nothing is lost.

    The model knows which keys are owed a pass; lanes and order are checked by the tests above.
    """

    KEYS = st.sampled_from(["a1", "a2", "a3", "b1", "b2", "free.1"])
    SLOTS = 2

    def __init__(self) -> None:
        super().__init__()
        self.queue = Queue(by_letter(self.SLOTS))
        self.owed: set[str] = set()
        self.later: dict[str, float] = {}
        self.working: set[str] = set()

    @rule(key=KEYS, lane=st.sampled_from(Lane))
    def add(self, key: str, lane: Lane) -> None:
        self.queue.add(key, lane)
        self.owed.add(key)
        self.later.pop(key, None)

    @rule(key=KEYS, seconds=st.floats(0, 50), lane=st.sampled_from(Lane))
    def add_after(self, key: str, seconds: float, lane: Lane) -> None:
        self.queue.add_after(key, seconds, lane, exact=True)
        due = self.queue.clock.monotonic() + seconds
        self.later[key] = min(due, self.later.get(key, due))

    @rule(seconds=st.floats(0, 40))
    def advance(self, seconds: float) -> None:
        self.queue.clock.advance(seconds)

    @rule()
    def get(self) -> None:
        self.ripen()
        key = self.queue.next()
        if key is None:
            assert not {key for key in self.owed - self.working if self.has_slot(key)}
        else:
            assert key in self.owed - self.working
            assert self.has_slot(key)
            self.owed.discard(key)
            self.working.add(key)

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.working)))
        self.ripen()
        self.queue.done(key)
        self.working.discard(key)

    @invariant()
    def counts_agree(self) -> None:
        self.ripen()
        assert len(self.queue) == len(self.owed - self.working)

    def teardown(self) -> None:
        self.queue.clock.advance(1000)
        self.ripen()
        for key in sorted(self.working):
            self.queue.done(key)
        assert sorted(self.queue.order()) == sorted(self.owed)

    def ripen(self) -> None:
        now = self.queue.clock.monotonic()
        ripe = {key for key, due in self.later.items() if due <= now}
        self.owed |= ripe
        self.later = {key: due for key, due in self.later.items() if key not in ripe}

    def has_slot(self, key: str) -> bool:
        taken = Counter(working[0] for working in self.working if "." not in working)
        return "." in key or taken[key[0]] < self.SLOTS


TestQueueAgainstModel = QueueAgainstModel.TestCase
TestQueueAgainstModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
