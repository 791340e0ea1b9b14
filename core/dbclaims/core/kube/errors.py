"""The one place where the wire's errors become the port's errors (the tree stands in `dbclaims.core.objectstore`).

Two ways lead here: an answer with a status (`answer_error`), and no answer at all (`wire_errors`).
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
import urllib3

from ..objectstore import (
    AlreadyExists,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    Silent,
    StoreError,
    Throttled,
    Unreachable,
)

_BY_STATUS: dict[int, type[StoreError]] = {
    400: Invalid,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    413: Invalid,
    422: Invalid,
    429: Throttled,
    503: Throttled,
}

# The second is the one error of the library that is not of its own tree.
_NO_ANSWER = (urllib3.exceptions.HTTPError, urllib3.exceptions.ProxySchemeUnsupported)


@contextmanager
def wire_errors(what: str) -> Iterator[None]:
    """Turn every error of sockets, TLS, HTTP framing and JSON into `Unreachable`; `what` names the request."""
    try:
        yield
    except urllib3.exceptions.ReadTimeoutError as error:
        raise Silent(f"{what}: the API server accepted and said nothing; it is tried again ({error})") from error
    except (*_NO_ANSWER, http.client.HTTPException, OSError) as error:
        raise Unreachable(f"{what}: no answer from the API server; it is tried again ({_cause(error)})") from error
    except orjson.JSONDecodeError as error:
        raise Unreachable(f"{what}: the answer is no JSON, as from a proxy; it is tried again") from error


def answer_error(what: str, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> StoreError:
    """The error of an answer that is none of 2xx; `body` is the API server's Status, or anything at all."""
    detail = parse_status(body)
    reason = str(detail.get("reason") or "")
    text = f"{what}: {status} {reason or 'without a reason'}"
    # The server quotes bad values in its message, and the values of a Secret are secrets.
    if message := detail.get("message"):
        text += "" if "/secrets" in what else f": {message}"
    after = _seconds((headers or {}).get("Retry-After")) or _seconds(_details(detail).get("retryAfterSeconds"))
    error = _class_of(status, reason, detail)(text, status=status, retry_after=after)
    if isinstance(error, NotFound) and reason == "NotFound":
        error.name = str(_details(detail).get("name") or "")
    return error


def parse_status(body: bytes) -> dict[str, Any]:
    """The answer as a Status object; {} where it is something else (a proxy's page, half a body)."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _class_of(status: int, reason: str, detail: dict[str, Any]) -> type[StoreError]:
    if status == 409 and reason == "AlreadyExists":
        return AlreadyExists
    # An etcd that was restored from a backup: our resourceVersion lies in its future (framework.md §2.1).
    causes = _details(detail).get("causes") or []
    if any(cause.get("reason") == "ResourceVersionTooLarge" for cause in causes if isinstance(cause, dict)):
        return Expired
    if reason in ("Expired", "Gone"):
        return Expired
    return _BY_STATUS.get(status, Unreachable if status >= 500 else StoreError)


def _details(detail: dict[str, Any]) -> dict[str, Any]:
    found = detail.get("details")
    return found if isinstance(found, dict) else {}


def _seconds(value: object) -> float | None:
    try:
        return max(0.0, float(str(value)))
    except ValueError:
        return None


def _cause(error: Exception) -> str:
    """The error's text without a URL's user part or query; urllib3 puts the pool's address, not more, in it."""
    return f"{type(error).__name__}: {error}"
