"""What every pass works with."""

from __future__ import annotations

import logging
from datetime import timedelta

import attrs

from ..backends import Backends
from ..client import CachedClient
from ..clock import Clock
from ..outcome import Failure, failure_of
from .lookup import Lookup
from .quiet import Quiet
from .report import Reporter

log = logging.getLogger(__name__)


@attrs.frozen
class Tools:
    """What every pass works with.

    Attributes:
        resync: how long a settled object rests.
        controller_class: the classes that this controller serves.
    """

    lookup: Lookup
    client: CachedClient
    backends: Backends
    reporter: Reporter
    clock: Clock
    quiet: Quiet
    resync: timedelta = timedelta(minutes=10)
    controller_class: str = ""

    def failure(self, error: Exception, *, broken: bool = False) -> Failure:
        """What becomes of an error, and a log entry with its traceback where a plugin may not have raised it."""
        failure = failure_of(error, self.resync.total_seconds(), broken=broken)
        if failure.reason == "PluginBug":
            log.error("a plugin broke its contract", exc_info=error)
        return failure
