"""The one control API of every double: faults, clock, request log and seed.

A fault matches operations by a shell-style pattern and strikes a number of times. `rate` makes faults at random from
the seed, so that a run can be repeated.
"""

from __future__ import annotations

import enum
import random
import re
import threading
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import attrs

_SECRET = re.compile(r"password|secret|token|credential", re.IGNORECASE)


class Strike(enum.StrEnum):
    """What a fault does to a request."""

    DROP_BEFORE = "drop-before"
    """The connection ends and nothing was done."""
    DROP_AFTER = "drop-after"
    """It was done, and the connection ends without a reply."""
    ERROR = "error"
    """A refusal with the fault's code; nothing was done."""
    UNAVAILABLE = "unavailable"
    """HTTP 503; nothing was done."""
    GARBAGE = "garbage"
    """HTTP 500 with a page of HTML; nothing was done."""
    STALE = "stale"
    """The answer of a moment ago, from before the last change. Reads only."""
    DELAY = "delay"
    """The double's clock moves on by the fault's seconds before it works."""


RANDOM = (Strike.DROP_BEFORE, Strike.DROP_AFTER, Strike.UNAVAILABLE, Strike.GARBAGE, Strike.STALE, Strike.ERROR)
"""What `rate` chooses from."""


@attrs.define
class Fault:
    """A rule.

    Attributes:
        operation: pattern of operations, such as `Create*`.
        times: how often it still strikes.
        code: the error's code, for `ERROR`.
        seconds: for `DELAY`.
        about: a text that one of the request's values must be; empty for any.
        after: matching requests that pass before it strikes.
    """

    strike: Strike
    operation: str = "*"
    times: int = 1
    code: str = "Throttling"
    seconds: float = 0.0
    about: str = ""
    after: int = 0

    def matches(self, operation: str, arguments: Mapping[str, Any]) -> bool:
        """Whether the rule is about this request."""
        about = not self.about or self.about in arguments.values()
        return self.times > 0 and about and fnmatchcase(operation, self.operation)


@attrs.frozen
class Request:
    """One line of the log; secrets are masked.

    Attributes:
        at: the double's clock, in seconds.
        outcome: `ok`, an error's code, or what a fault did.
    """

    at: float
    operation: str
    arguments: Mapping[str, Any]
    outcome: str

    @property
    def is_read(self) -> bool:
        """Whether the request only reads."""
        return is_read(self.operation)


def is_read(operation: str) -> bool:
    """Whether an operation only reads."""
    return operation.startswith(("Describe", "List", "Get"))


class Control:
    """What a test turns: thread-safe."""

    def __init__(self, seed: int = 0) -> None:
        self.rate = 0.0
        self._rng = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._faults: list[Fault] = []
        self._log: list[Request] = []
        self._lock = threading.Lock()

    def inject(self, fault: Fault) -> Fault:
        """Add a rule."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def calm(self) -> None:
        """Forget every rule and the rate."""
        with self._lock:
            self._faults, self.rate = [], 0.0

    def choose(self, operation: str, arguments: Mapping[str, Any]) -> Fault | None:
        """The fault that strikes this request, if any."""
        with self._lock:
            for fault in self._faults:
                if fault.matches(operation, arguments):
                    if fault.after > 0:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    return fault
            if self._rng.random() < self.rate:
                return Fault(self._rng.choice(RANDOM))
        return None

    def record(self, at: float, operation: str, arguments: Mapping[str, Any], outcome: str) -> None:
        """Write a line of the log."""
        with self._lock:
            self._log.append(Request(at, operation, masked(arguments), outcome))

    def log(self, keep: Callable[[Request], bool] = lambda _: True) -> list[Request]:
        """The requests so far, in order."""
        with self._lock:
            return [request for request in self._log if keep(request)]

    def operations(self) -> list[str]:
        """Names of the requests so far, in order."""
        return [request.operation for request in self.log()]

    def position(self) -> int:
        """Where the log ends now, for slicing."""
        with self._lock:
            return len(self._log)


def masked(value: Any, key: str = "") -> Any:
    """The value with everything secret replaced by `***`."""
    if isinstance(value, Mapping):
        return {name: masked(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, key) for inner in value]
    return "***" if _SECRET.search(key) and isinstance(value, str) else value
