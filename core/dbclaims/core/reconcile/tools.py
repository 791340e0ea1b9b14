"""What every pass works with."""

from __future__ import annotations

from datetime import timedelta

import attrs

from ..backends import Backends
from ..client import CachedClient
from ..clock import Clock
from .lookup import Lookup
from .quiet import Quiet
from .report import Reporter


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
