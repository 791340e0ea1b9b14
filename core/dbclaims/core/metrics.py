"""Prometheus metrics, under the names that controller-runtime made standard, so that dashboards drop in.

The registry is passed in: two managers in one process do not share counters. Names with `dbclaims_` are our own.
Series of a queue or controller exist from the start, at 0: an alert on a missing series is a false one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# From 1 ms to the deadline of a pass; the same for all three histograms, so that they can be compared.
_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """Every metric of one process.

    Attributes:
        registry: what `/metrics` renders.
        requests: answers of the API server by code, method and host.
        leader: 1 while this process holds the Lease of that name.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.requests = self._counter(
            "rest_client_requests", "Requests by code, method, host.", "code", "method", "host"
        )
        self.leader = self._gauge("leader_election_master_status", "1 while this process leads.", "name")
        self.last_event = self._gauge(
            "dbclaims_watch_last_event_seconds", "Seconds since the last event or bookmark of a watch.", "kind"
        )
        self.slots = self._gauge(
            "dbclaims_backend_slots_in_use", "Passes in flight against one backend.", "controller", "target"
        )
        self._make_queue_metrics()
        self._make_controller_metrics()

    def _make_queue_metrics(self) -> None:
        labels = ("name", "controller")
        self.depth = self._gauge("workqueue_depth", "Keys that are ready or parked.", *labels, "priority")
        self.adds = self._counter("workqueue_adds", "Keys that became ready.", *labels)
        self.retries = self._counter("workqueue_retries", "Keys added with backoff.", *labels)
        self.waited = self._histogram("workqueue_queue_duration_seconds", "From ready to a worker.", *labels)
        self.worked = self._histogram("workqueue_work_duration_seconds", "From a worker to done.", *labels)
        self.unfinished = self._gauge("workqueue_unfinished_work_seconds", "Sum over keys in work.", *labels)
        self.longest = self._gauge("workqueue_longest_running_processor_seconds", "Longest key in work.", *labels)

    def _make_controller_metrics(self) -> None:
        prefix, label = "controller_runtime_", "controller"
        self.passes = self._counter(prefix + "reconcile", "Passes by result.", label, "result")
        self.errors = self._counter(prefix + "reconcile_errors", "Passes that failed.", label)
        self.terminal = self._counter(prefix + "terminal_reconcile_errors", "Failed passes not retried.", label)
        self.panics = self._counter(prefix + "reconcile_panics", "Passes that ended in a bug.", label)
        self.timeouts = self._counter(prefix + "reconcile_timeouts", "Passes over their deadline.", label)
        self.pass_time = self._histogram(prefix + "reconcile_time_seconds", "Time of a pass.", label)
        self.max_workers = self._gauge(prefix + "max_concurrent_reconciles", "Workers.", label)
        self.active = self._gauge(prefix + "active_workers", "Workers in a pass.", label)
        self.last_pass_age = self._gauge(
            "dbclaims_last_pass_age_seconds", "The age of the oldest last pass over all keys.", label
        )

    def queue(self, name: str) -> QueueMetrics:
        """The metrics of one work queue, at 0."""
        return QueueMetrics(self, name)

    def controller(self, name: str) -> ControllerMetrics:
        """The metrics of one controller, at 0."""
        return ControllerMetrics(self, name)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry, buckets=_SECONDS)


class QueueMetrics:
    """One work queue's series; looked up once, since a label lookup costs more than a queue operation."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        self._metrics, self._name = metrics, name
        self.adds = metrics.adds.labels(name, name)
        self.retries = metrics.retries.labels(name, name)
        self.waited = metrics.waited.labels(name, name)
        self.worked = metrics.worked.labels(name, name)

    def observe(
        self,
        depth: Callable[[str], float],
        lanes: list[str],
        unfinished: Callable[[], float],
        longest: Callable[[], float],
    ) -> None:
        """Take the values that are computed at scrape time: depth by lane, and the times of keys in work."""
        for lane in lanes:
            self._metrics.depth.labels(self._name, self._name, lane).set_function(partial(depth, lane))
        self._metrics.unfinished.labels(self._name, self._name).set_function(unfinished)
        self._metrics.longest.labels(self._name, self._name).set_function(longest)

    def slots(self, target: str, in_use: int) -> None:
        """Record how many slots of a backend are taken; a backend without any loses its series."""
        if in_use:
            self._metrics.slots.labels(self._name, target).set(in_use)
        else:
            self._metrics.slots.remove(self._name, target)


class ControllerMetrics:
    """One controller's series."""

    RESULTS = ("success", "error", "requeue", "requeue_after")

    def __init__(self, metrics: Metrics, name: str) -> None:
        self._metrics, self._name = metrics, name
        self.passes = {result: metrics.passes.labels(name, result) for result in self.RESULTS}
        self.errors = metrics.errors.labels(name)
        self.panics = metrics.panics.labels(name)
        self.timeouts = metrics.timeouts.labels(name)
        self.pass_time = metrics.pass_time.labels(name)
        self.max_workers = metrics.max_workers.labels(name)
        self.active = metrics.active.labels(name)
        metrics.terminal.labels(name)

    def observe(self, last_pass_age: Callable[[], float]) -> None:
        """Take the value that is computed at scrape time."""
        self._metrics.last_pass_age.labels(self._name).set_function(last_pass_age)
