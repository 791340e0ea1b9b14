"""A controller's pass: who comes again when, what is counted and logged, and that no failure ends a worker."""

import json
import logging
import random
import threading
from collections.abc import Callable
from io import StringIO

import pytest
from prometheus_client import CollectorRegistry

from dbclaims.core.controller import Controller, Result
from dbclaims.core.log import configure
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import Throttled, Unreachable
from dbclaims.core.workqueue import WorkQueue
from tests.clock import FakeClock


class Bench:
    """A controller over a queue, stepped by hand; `answer` is what the next passes do."""

    def __init__(self, workers: int = 1) -> None:
        self.clock, self.metrics = FakeClock(), Metrics(CollectorRegistry())
        self.passes: list[str] = []
        self.answer: Callable[[str], Result] = lambda key: Result()
        self.queue = WorkQueue(clock=self.clock, rng=random.Random(5), metrics=self.metrics.queue("claims"))
        self.controller = Controller(
            "claims",
            self.queue,
            self.reconcile,
            workers=workers,
            clock=self.clock,
            metrics=self.metrics.controller("claims"),
        )

    def reconcile(self, key: str) -> Result:
        self.passes.append(key)
        return self.answer(key)

    def fails_with(self, error: Exception) -> None:
        def fail(key: str) -> Result:
            raise error

        self.answer = fail

    def step(self) -> bool:
        return self.controller.process_next(timeout=0)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, {"controller": "claims", **labels})


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_without_a_key_there_is_no_pass(bench: Bench) -> None:
    assert bench.step() is False


def test_a_pass_that_succeeds_does_not_come_again(bench: Bench) -> None:
    bench.queue.add("shop/orders")
    assert bench.step() is True
    bench.clock.advance(100_000)
    assert bench.step() is False
    assert bench.value("controller_runtime_reconcile_total", result="success") == 1


def test_a_pass_comes_again_when_it_asked_to(bench: Bench) -> None:
    bench.answer = lambda key: Result(requeue_after=600, exact=True)
    bench.queue.add("shop/orders")
    bench.step()
    bench.clock.advance(599)
    assert bench.step() is False
    bench.clock.advance(1)
    assert bench.step() is True
    assert bench.value("controller_runtime_reconcile_total", result="requeue_after") == 2


def test_a_requeue_is_spread_by_a_tenth_unless_exact(bench: Bench) -> None:
    bench.answer = lambda key: Result(requeue_after=600)
    for number in range(100):
        bench.queue.add(f"shop/c{number}")
        bench.step()
    bench.clock.advance(600)
    assert 25 < len(bench.queue) < 75


@pytest.mark.parametrize(
    "error", [Unreachable("no answer"), ValueError("a bug"), KeyError("password")], ids=["store", "bug", "another bug"]
)
def test_a_pass_that_fails_comes_again_after_a_growing_backoff(bench: Bench, error: Exception) -> None:
    bench.fails_with(error)
    bench.queue.add("shop/orders")
    for seconds in (0.5, 1, 2, 4):
        assert bench.step() is True
        bench.clock.advance(0.89 * seconds)
        assert bench.step() is False
        bench.clock.advance(0.22 * seconds)
    assert bench.value("controller_runtime_reconcile_errors_total") == 4


def test_the_backoff_is_reset_only_by_a_pass_that_succeeds(bench: Bench) -> None:
    bench.answer = lambda key: Result(backoff=True)
    for _ in range(3):
        bench.queue.add("shop/orders")
        bench.step()
    assert bench.queue.failures("shop/orders") == 3
    bench.answer = lambda key: Result(requeue_after=600)
    bench.queue.add("shop/orders")
    bench.step()
    assert bench.queue.failures("shop/orders") == 0


def test_a_backoff_wins_over_a_requeue(bench: Bench) -> None:
    bench.answer = lambda key: Result(requeue_after=600, backoff=True)
    bench.queue.add("shop/orders")
    bench.step()
    bench.clock.advance(0.6)
    assert bench.step() is True


def test_a_throttled_pass_waits_as_long_as_the_server_asked(bench: Bench) -> None:
    bench.fails_with(Throttled("slow down", retry_after=40))
    bench.queue.add("shop/orders")
    bench.step()
    bench.clock.advance(35)
    assert bench.step() is False
    bench.clock.advance(10)
    assert bench.step() is True


def test_only_a_bug_counts_as_a_panic(bench: Bench) -> None:
    bench.fails_with(Unreachable("no answer"))
    bench.queue.add("a")
    bench.step()
    assert bench.value("controller_runtime_reconcile_panics_total") == 0
    bench.fails_with(ZeroDivisionError("a bug"))
    bench.queue.add("b")
    bench.step()
    assert bench.value("controller_runtime_reconcile_panics_total") == 1


def test_a_pass_longer_than_its_deadline_is_counted(bench: Bench) -> None:
    def slow(key: str) -> Result:
        bench.clock.advance(61)
        return Result()

    bench.answer = slow
    bench.queue.add("shop/orders")
    bench.step()
    assert bench.value("controller_runtime_reconcile_timeouts_total") == 1
    assert bench.value("controller_runtime_reconcile_time_seconds_sum") == 61


def test_an_edit_during_a_pass_brings_the_key_back_at_once(bench: Bench) -> None:
    def edited_meanwhile(key: str) -> Result:
        bench.queue.add(key)
        return Result(requeue_after=600)

    bench.answer = edited_meanwhile
    bench.queue.add("shop/orders")
    bench.step()
    bench.answer = lambda key: Result()
    assert bench.step() is True
    assert bench.passes == ["shop/orders", "shop/orders"]


def test_the_age_of_the_oldest_pass_is_a_metric(bench: Bench) -> None:
    bench.answer = lambda key: Result(requeue_after=1e6)
    bench.queue.add("old")
    bench.step()
    bench.clock.advance(500)
    bench.queue.add("new")
    bench.step()
    bench.clock.advance(100)
    assert bench.value("dbclaims_last_pass_age_seconds") == 600


def test_a_key_that_is_done_with_has_no_age(bench: Bench) -> None:
    bench.answer = lambda key: Result(requeue_after=1e6)
    bench.queue.add("deleted")
    bench.step()
    bench.answer = lambda key: Result()
    bench.queue.add("deleted")
    bench.step()
    bench.clock.advance(500)
    assert bench.value("dbclaims_last_pass_age_seconds") == 0


def test_every_series_is_there_before_the_first_pass(bench: Bench) -> None:
    for result in ("success", "error", "requeue", "requeue_after"):
        assert bench.value("controller_runtime_reconcile_total", result=result) == 0
    for name in ("errors_total", "panics_total", "timeouts_total"):
        assert bench.value(f"controller_runtime_reconcile_{name}") == 0
    assert bench.value("controller_runtime_terminal_reconcile_errors_total") == 0
    assert bench.value("controller_runtime_max_concurrent_reconciles") == 1


def test_workers_go_on_after_failures_and_end_with_the_queue() -> None:
    bench = Bench(workers=4)
    reached = threading.Semaphore(0)

    def fail(key: str) -> Result:
        reached.release()
        raise ValueError("a bug")

    bench.answer = fail
    before = threading.active_count()
    bench.controller.start()
    for number in range(20):
        bench.queue.add(f"k{number}")
    assert all(reached.acquire(timeout=5) for _ in range(20))
    bench.queue.shut_down()
    assert bench.queue.drain(0) or bench.queue.drain(5)
    for thread in threading.enumerate():
        if thread.name.startswith("claims-"):
            thread.join(5)
    assert threading.active_count() == before


@pytest.fixture
def lines() -> StringIO:
    """The process's log as JSON lines; what pytest had set up is put back."""
    return StringIO()


@pytest.fixture(autouse=True)
def logging_put_back() -> object:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_a_failing_pass_is_logged_under_the_names_that_controller_runtime_uses(bench: Bench, lines: StringIO) -> None:
    configure(stream=lines)
    bench.fails_with(ValueError("a bug"))
    bench.queue.add("shop/orders")
    bench.step()
    line = json.loads(lines.getvalue())
    assert (line["controller"], line["namespace"], line["name"]) == ("claims", "shop", "orders")
    assert line["msg"] == "reconcile panicked"
    assert len(line["reconcileID"]) == 36
    assert "ValueError: a bug" in line["stacktrace"]


def test_two_passes_have_two_ids_and_outside_of_one_there_is_none(bench: Bench, lines: StringIO) -> None:
    configure(stream=lines)

    def log_a_step(key: str) -> Result:
        logging.getLogger("plugin").info("step")
        return Result()

    bench.answer = log_a_step
    for _ in range(2):
        bench.queue.add("shop/orders")
        bench.step()
    logging.getLogger("plugin").info("outside")
    first, second, outside = (json.loads(line) for line in lines.getvalue().splitlines())
    assert first["reconcileID"] != second["reconcileID"]
    assert "reconcileID" not in outside


def test_a_value_with_a_newline_stays_on_one_line(lines: StringIO) -> None:
    for text in (False, True):
        configure(stream=lines, text=text)
        logging.getLogger("x").warning("hostile", extra={"claim": 'a\nlevel=error msg="forged"'})
    assert len(lines.getvalue().splitlines()) == 2


def test_a_record_with_values_that_json_does_not_know_is_still_a_line(lines: StringIO) -> None:
    configure(stream=lines)
    logging.getLogger("x").warning("odd", extra={"kinds": {1, 2}, "map": {1: object}})
    assert json.loads(lines.getvalue())["msg"] == "odd"
