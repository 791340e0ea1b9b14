"""Leader election by Lease, with client-go's rules (framework.md §2.5) and without the bundled elector's split brain.

Others' clocks are never trusted: a Lease is judged by when *we* saw it change last, and our own by when we *sent* the
renewal that succeeded. A Lease is no fence: external writes stay idempotent, or carry a precondition.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import field, frozen

from .clock import Clock, StopSignal
from .metrics import Metrics
from .objectstore import AlreadyExists, Conflict, Kind, Object, ObjectStore, StoreError

log = logging.getLogger(__name__)

LEASE = Kind("coordination.k8s.io", "v1", "Lease", "leases")
# client-go's 1.2 would put a hand-over at up to 4.4 s; ours is to take at most 3.
_JITTER = 0.2
_RELEASE_TRIES = 3


@frozen
class LeaseTimes:
    """Seconds: how long a Lease lasts, after how long without renewal we stop, and how often we try.

    Raises ValueError unless duration > renew_deadline > 1.2 * retry.
    """

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry: float = 2.0

    def __attrs_post_init__(self) -> None:
        if not self.duration > self.renew_deadline > 1.2 * self.retry:
            raise ValueError(f"{self}: duration must exceed renew_deadline, and that 1.2 times retry")


@frozen
class _Seen:
    """A Lease as we saw it last.

    Attributes:
        at: the monotonic time at which we saw it change.
    """

    lease: Object = field(repr=False)
    at: float

    @property
    def spec(self) -> dict[str, Any]:
        """The Lease's spec."""
        return self.lease.get("spec") or {}

    @property
    def ends(self) -> float:
        """The monotonic time at which it runs out, unless it changes before."""
        return self.at + float(self.spec.get("leaseDurationSeconds") or 0)

    def is_free_for(self, identity: str, now: float) -> bool:
        """Whether `identity` may take it: nobody holds it, itself does, or it has not changed for its duration."""
        holder = self.spec.get("holderIdentity")
        return not holder or holder == identity or now >= self.ends


class Elector:
    """Holds one Lease, or tries to. One thread runs it, or a test steps it.

    Args:
        store: of its own, with short timeouts, so that nobody else's traffic delays a renewal.
        identity: unique per process.
        on_lost: called once, in the elector's thread, when the Lease is lost; in production it ends the process.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        namespace: str,
        name: str,
        identity: str,
        clock: Clock,
        rng: random.Random,
        metrics: Metrics,
        on_lost: Callable[[], None],
        times: LeaseTimes | None = None,
    ) -> None:
        self._store, self._namespace, self._name, self._identity = store, namespace, name, identity
        self._clock, self._rng, self._on_lost = clock, rng, on_lost
        self._times = times or LeaseTimes()
        self._master = metrics.leader.labels(name)
        self._seen: _Seen | None = None
        # When we sent the renewal that succeeded last; None while we do not lead.
        self._renewed: float | None = None

    def is_leader(self) -> bool:
        """Whether the Lease is surely ours at this moment, even while a renewal hangs."""
        renewed = self._renewed
        return renewed is not None and self._clock.monotonic() < renewed + self._times.renew_deadline

    def run(self, stop: StopSignal, acquired: Callable[[], None]) -> None:
        """Step until `stop` or until the Lease is lost; `acquired` is called once, when it becomes ours."""
        while not stop.is_set():
            led = self._renewed is not None
            delay = self.step()
            leads = self._renewed is not None
            if leads and not led:
                acquired()
            if led and not leads:
                return
            stop.wait(delay)

    def step(self) -> float:
        """Try once to acquire or renew; return the seconds to wait before the next try."""
        began = self._clock.monotonic()
        try:
            held = self._try()
        except StoreError as error:
            log.warning("lease not renewed", extra={"lease": self._name, "error": str(error)})
            held = False
        self._decide(held, began)
        return self._delay()

    def release(self) -> None:
        """Give the Lease up, so that the next one need not wait for it to run out; never raises."""
        leads, self._renewed = self._renewed is not None, None
        self._master.set(0)
        for _ in range(_RELEASE_TRIES if leads else 0):
            try:
                return self._give_up()
            except Conflict:
                continue
            except StoreError as error:
                log.warning("lease not released", extra={"lease": self._name, "error": str(error)})
                return None
        return None

    def _decide(self, held: bool, began: float) -> None:
        """Draw the consequences of a try that began at `began`."""
        if held:
            self._renewed = began
            self._master.set(1)
        elif self._renewed is not None and (self._taken() or not self.is_leader()):
            self._renewed = None
            self._master.set(0)
            log.error("lease lost", extra={"lease": self._name})
            self._on_lost()

    def _delay(self) -> float:
        delay, now = self._times.retry * (1 + _JITTER * self._rng.random()), self._clock.monotonic()
        if self._renewed is not None:
            return max(0.0, min(delay, self._renewed + self._times.renew_deadline - now))
        # To the moment at which a dead leader's Lease runs out.
        return min(delay, self._seen.ends - now) if self._seen and self._seen.ends > now else delay

    def _taken(self) -> bool:
        return self._seen is not None and self._seen.spec.get("holderIdentity") != self._identity

    def _try(self) -> bool:
        """Acquire or renew; False while somebody else holds the Lease."""
        if self._renewed is not None and self._seen is not None:
            try:
                return self._write(self._seen)
            except Conflict:
                log.info("lease changed under us", extra={"lease": self._name})
        seen = self._look()
        if seen is None:
            return self._create()
        return seen.is_free_for(self._identity, self._clock.monotonic()) and self._write(seen)

    def _look(self) -> _Seen | None:
        lease = self._store.get(LEASE, self._namespace, self._name)
        if lease is None:
            return None
        if self._seen is None or self._seen.spec != lease.get("spec"):
            return self._remember(lease)
        # The version may have moved without the spec; the write needs it, the time does not change.
        self._seen = _Seen(lease, self._seen.at)
        return self._seen

    def _remember(self, lease: Object) -> _Seen:
        self._seen = _Seen(lease, self._clock.monotonic())
        return self._seen

    def _create(self) -> bool:
        metadata = {"name": self._name, "namespace": self._namespace}
        lease = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": metadata}
        try:
            self._remember(self._store.create(LEASE, {**lease, "spec": self._spec(None)}))
        except AlreadyExists:
            return False
        return True

    def _write(self, seen: _Seen) -> bool:
        self._remember(self._store.replace(LEASE, {**seen.lease, "spec": self._spec(seen)}))
        return True

    def _spec(self, seen: _Seen | None) -> dict[str, Any]:
        now = _micro_time(self._clock.now())
        spec = dict(seen.spec) if seen else {}
        if spec.get("holderIdentity") != self._identity:
            transitions = int(spec.get("leaseTransitions") or 0) + 1 if seen else 0
            spec |= {"holderIdentity": self._identity, "acquireTime": now, "leaseTransitions": transitions}
        return spec | {"renewTime": now, "leaseDurationSeconds": int(self._times.duration)}

    def _give_up(self) -> None:
        lease = self._store.get(LEASE, self._namespace, self._name)
        if lease is None or (lease.get("spec") or {}).get("holderIdentity") != self._identity:
            return
        now = _micro_time(self._clock.now())
        free = {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": now, "acquireTime": now}
        self._remember(self._store.replace(LEASE, {**lease, "spec": {**lease["spec"], **free}}))


def _micro_time(moment: datetime) -> str:
    """Kubernetes' MicroTime: exactly six digits of a second, in UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
