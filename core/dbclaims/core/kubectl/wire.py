"""Reading from an API server with the standard library alone, for the verbs that must be fast.

Every other verb uses the core's own transport. Errors come in kubectl's words.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from ..kube.trace import Observer, unobserved
from .verb import VerbError

AGENT = "kubectl-claims"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
JSON = "application/json"
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


class Declined(VerbError):
    """An answer that is none of 2xx.

    Attributes:
        status: its HTTP status.
    """

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(refusal(status, body))
        self.status = status


class Door(Protocol):
    """Where the API server is: an `Access` or a `ClusterAccess`."""

    @property
    def host(self) -> str: ...  # noqa: D102 -- as in ClusterAccess
    @property
    def tls(self) -> Any: ...  # noqa: D102
    @property
    def server_name(self) -> str | None: ...  # noqa: D102
    @property
    def proxy(self) -> str | None: ...  # noqa: D102
    def headers(self) -> dict[str, str]: ...  # noqa: D102


class Wire:
    """One connection, opened with the first request and kept.

    Args:
        timeout: seconds that one request may take; 0 for any time.
        headers: sent with each request besides the login's, as for `--as`.
        observe: told of each request and of its answer's status.
    """

    def __init__(self, door: Door, timeout: float, headers: Mapping[str, str], observe: Observer = unobserved) -> None:
        self._door, self._timeout, self._headers, self._observe = door, timeout or None, headers, observe
        self._prefix = urlsplit(door.host).path
        self._connection = _connection(door, self._timeout)

    def get(self, path: str, query: Mapping[str, str], accept: str = JSON) -> dict[str, Any]:
        """One answer, decoded. Raises `VerbError`."""
        answer = self._ask(path, query, accept)
        try:
            parsed: dict[str, Any] = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise VerbError(f"Unable to connect to the server: the answer is broken: {error}") from error
        return parsed

    def lines(self, path: str, query: Mapping[str, str], accept: str) -> Iterator[dict[str, Any]]:
        """A watch's events, until the server ends it. Raises `VerbError`."""
        answer = self._ask(path, query, accept)
        # Nothing may happen for hours; a connection that is gone is the kernel's matter to notice.
        self._connection.sock.settimeout(None)
        try:
            for line in answer:
                yield json.loads(line)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise VerbError(f"Unable to connect to the server: the watch broke off: {error}") from error

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _ask(self, path: str, query: Mapping[str, str], accept: str) -> http.client.HTTPResponse:
        headers = {"Accept": accept, "User-Agent": AGENT, **self._door.headers(), **self._headers}
        target = f"{path}?{urlencode({key: value for key, value in query.items() if value})}".rstrip("?")
        answered = self._observe("GET", self._door.host + target)
        try:
            self._connection.request("GET", self._prefix + target, headers=headers)
            answer = self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise VerbError(f"Unable to connect to the server: {self._door.host}: {error}") from error
        answered(answer.status)
        if answer.status >= 300:
            raise Declined(answer.status, answer.read())
        return answer


def refusal(status: int, body: bytes) -> str:
    """What kubectl would say of an answer that is none of 2xx."""
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = {}
    said = parsed if isinstance(parsed, dict) else {}
    if status == 401:
        return "error: You must be logged in to the server (Unauthorized)"
    if status == 404 and not (said.get("details") or {}).get("name"):
        return "error: the server has no dbclaims; `kubectl claims check` says what is missing"
    return f"Error from server ({said.get('reason') or status}): {said.get('message') or 'no reason was given'}"


class _Named(http.client.HTTPSConnection):
    """HTTPS to a server whose certificate carries another name than its address (`tls-server-name`)."""

    def __init__(self, host: str, port: int | None, name: str, tls: Any, timeout: float | None) -> None:
        super().__init__(host, port, context=tls, timeout=timeout)
        self._name, self._tls = name, tls

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)


def _connection(door: Door, timeout: float | None) -> http.client.HTTPConnection:
    server, proxy = urlsplit(door.host), urlsplit(door.proxy or "")
    host, port = (proxy.hostname, proxy.port) if door.proxy else (server.hostname, server.port)
    if door.tls is None:
        made = http.client.HTTPConnection(host or "", port, timeout=timeout)
    else:
        name = door.server_name or server.hostname or ""
        made = _Named(host or "", port, name, door.tls, timeout)
    if door.proxy:
        made.set_tunnel(server.hostname or "", server.port)
    return made
