"""A double of Amazon RDS: a state machine on the botocore model, over HTTP on loopback, for tests only.

It refuses what the vendor refuses, keeps an instance's endpoint to itself until there is one, and puts a real
database server behind it where it is given a `Farm`. Clusters have one server, at the writer's endpoint.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from botocore import xform_name

from ..control import Control, is_read
from ..farm import Farm
from ..wire import Wire
from .account import Account, Pace, Quotas, Record
from .catalogue import Catalogue
from .clusters import Clusters
from .groups import Groups
from .instances import Instances
from .snapshots import Snapshots


class RdsDouble:
    """The double; entering it opens its port.

    Attributes:
        account: everything that it holds.
        control: faults and the request log.
    """

    def __init__(
        self, farm: Farm | None = None, *, pace: Pace | None = None, quotas: Quotas | None = None, seed: int = 0
    ) -> None:
        self.account = Account(farm, pace, quotas)
        self.control = Control(seed)
        self._instances, self._clusters = Instances(self.account), Clusters(self.account)
        self._parts = (
            self._instances,
            self._clusters,
            Snapshots(self.account, self._instances, self._clusters),
            Groups(self.account),
            Catalogue(self.account),
        )
        self._before = self.account.snapshot_of_tables()
        self._lock = threading.RLock()
        self._wire = Wire("rds", self, self.control)

    def __enter__(self) -> Self:
        self._wire.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wire.__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        """Where it listens; for `AWS_ENDPOINT_URL_RDS`."""
        return self._wire.url

    def tick(self, seconds: float) -> None:
        """Let the double's time pass."""
        with self._lock:
            self.account.tick(seconds)

    def maintain(self) -> None:
        """Open every maintenance window: what is pending is applied."""
        with self._lock:
            self._instances.maintain()

    def now(self) -> float:
        """The double's clock, in seconds."""
        return self.account.seconds

    def instance(self, name: str) -> Record:
        """A copy of an instance's record."""
        with self._lock:
            return copy.deepcopy(self.account.tables["instances"][name])

    def knows(self, operation: str) -> bool:
        """Whether the double has the operation."""
        return self._find(operation) is not None

    def call(self, operation: str, arguments: Mapping[str, Any], *, stale: bool) -> Mapping[str, Any]:
        """Do it; raises `Refusal`. `stale` reads from before the last change."""
        do = self._find(operation)
        assert do is not None
        with self._lock:
            if stale:
                return self._look_back(do, arguments)
            if not is_read(operation):
                self._before = self.account.snapshot_of_tables()
            return copy.deepcopy(do(arguments))

    def _look_back(self, do: Callable[[Mapping[str, Any]], Record], arguments: Mapping[str, Any]) -> Record:
        now, self.account.tables = self.account.tables, self._before
        try:
            return copy.deepcopy(do(arguments))
        finally:
            self.account.tables = now

    def _find(self, operation: str) -> Callable[[Mapping[str, Any]], Record] | None:
        name = xform_name(operation)
        return next((getattr(part, name) for part in self._parts if hasattr(part, name)), None)


__all__ = ["Account", "Pace", "Quotas", "RdsDouble"]
