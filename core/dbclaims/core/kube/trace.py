"""What is told of each request to an API server: method, URL, status and time, never a header or a body.

Imports: see `dbclaims.core.kube.contexts`.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from ..clock import Clock

Observer = Callable[[str, str], Callable[[int], None]]
"""Told of a request (method, URL) as it is sent; what it returns is told the answer's status."""


def unobserved(method: str, url: str) -> Callable[[int], None]:  # noqa: ARG001 -- an `Observer`
    """Tell nobody (`Observer`)."""
    return _ignored


class Trace:
    """Tells in the words of `kubectl -v=6` (`Observer`).

    Args:
        say: takes a line.
    """

    def __init__(self, say: Callable[[str], None], clock: Clock) -> None:
        self._say, self._clock = say, clock

    def __call__(self, method: str, url: str) -> Callable[[int], None]:
        """Take the time of a request, and tell of it once it is answered."""
        began = self._clock.monotonic()

        def answered(status: int) -> None:
            took = self._clock.monotonic() - began
            self._say(f"{method} {_shown(url)} {_worded(status)} in {took * 1000:.0f} milliseconds")

        return answered


def _ignored(_: int) -> None: ...


def _shown(url: str) -> str:
    """The URL without the login that may stand in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _worded(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
