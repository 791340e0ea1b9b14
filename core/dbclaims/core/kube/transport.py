"""HTTP to an API server: one pool for requests, one for watches, no retries but one after a 401.

A write that may have reached the server is never sent again here, and nothing ever sleeps: trying again is the
work queue's matter (framework.md §1.4). Token, CA and client certificate may change at any time: a 401 or a TLS error
loads the configuration anew.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlencode, urlsplit

import urllib3
from attrs import field, frozen
from urllib3.connection import HTTPConnection

from ..metrics import Metrics
from ..objectstore import Unreachable
from .config import ClusterAccess, Loader
from .errors import answer_error, wire_errors
from .trace import Observer, unobserved

_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 9}
"""Seconds of silence before the kernel asks, seconds between questions, how many may go unanswered: client-go's."""

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
_CHUNK = 65536


@frozen
class Timeouts:
    """All in seconds. A watch hears a bookmark every minute, so `watch` lies just above that (framework.md §2.1)."""

    connect: float = 5.0
    read: float = 30.0
    watch: float = 90.0


@frozen
class _Connections:
    """One access with its two pools; replaced as a whole, so that no request mixes two of them."""

    access: ClusterAccess
    requests: urllib3.PoolManager
    watches: urllib3.PoolManager


@frozen
class _Request:
    """What goes over the wire, but for the login."""

    method: str
    path: str
    query: Mapping[str, str] = field(factory=dict)
    body: bytes | None = field(default=None, repr=False)
    content_type: str = JSON

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


class Transport:
    """Requests and streams to one API server; threads may share it.

    Args:
        load: gives a fresh access; called at the start, after a 401 and after a TLS error.
        pool_size: connections kept for requests: the workers and a few more.
        observe: told of each request and of its answer's status.
    """

    def __init__(
        self,
        load: Loader,
        *,
        metrics: Metrics,
        timeouts: Timeouts | None = None,
        pool_size: int = 24,
        observe: Observer = unobserved,
    ) -> None:
        self._load, self._metrics, self._pool_size, self._observe = load, metrics, pool_size, observe
        self._timeouts = timeouts or Timeouts()
        self._lock = threading.Lock()
        self._streams: set[urllib3.BaseHTTPResponse] = set()
        self._closed = False
        self._connections = self._connect(load())

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
    ) -> bytes:
        """Send one request and return the body of a 2xx answer. Raises `StoreError`."""
        request = _Request(method, path, query or {}, body, content_type)
        with wire_errors(str(request)):
            answer = self._send(request)
            if answer.status >= 300:
                raise answer_error(str(request), answer.status, answer.data, answer.headers)
            return answer.data

    @contextmanager
    def stream(self, path: str, query: Mapping[str, str]) -> Iterator[Iterator[bytes]]:
        """Open a long answer and yield its lines, blank ones left out. Raises `StoreError`, also while reading."""
        request = _Request("GET", path, query)
        with wire_errors(str(request)):
            answer = self._send(request, watch=True)
        try:
            if answer.status >= 300:
                with wire_errors(str(request)):
                    raise answer_error(str(request), answer.status, answer.read(_CHUNK), answer.headers)
            self._opened(answer)
            yield self._lines(answer, str(request))
        finally:
            self._streams.discard(answer)
            answer.close()

    def close(self) -> None:
        """End every open stream, so that the threads that read them come back."""
        with self._lock:
            self._closed = True
            streams = list(self._streams)
        for stream in streams:
            # urllib3 refuses what has ended by itself meanwhile, and its reader may not have heard of that yet.
            with suppress(ValueError, RuntimeError, OSError):
                stream.shutdown()

    def _opened(self, answer: urllib3.BaseHTTPResponse) -> None:
        with self._lock:
            if self._closed:
                raise Unreachable("the transport is closed, since the process is stopping")
            self._streams.add(answer)

    def _lines(self, answer: urllib3.BaseHTTPResponse, what: str) -> Iterator[bytes]:
        rest = b""
        with wire_errors(what):
            for chunk in answer.stream(_CHUNK):
                # Only at \n: inside JSON strings other separators are ordinary characters (framework.md §1.4).
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (line for line in lines if line.strip())
        if rest.strip():
            raise Unreachable(f"{what}: the stream ended within a line; it is opened again")

    def _send(self, request: _Request, *, watch: bool = False) -> urllib3.BaseHTTPResponse:
        connections = self._connections
        answer = self._send_once(connections, request, watch)
        if answer.status != 401:
            return answer
        answer.close()
        return self._send_once(self._renew(connections), request, watch)

    def _send_once(self, connections: _Connections, request: _Request, watch: bool) -> urllib3.BaseHTTPResponse:
        pool = connections.watches if watch else connections.requests
        headers = {"User-Agent": USER_AGENT, "Accept": JSON, **connections.access.headers()}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        url = connections.access.host + request.target
        answered = self._observe(request.method, url)
        try:
            answer = pool.request(
                request.method,
                url,
                body=request.body,
                headers=headers,
                retries=False,
                redirect=False,
                preload_content=not watch,
            )
        except urllib3.exceptions.SSLError:
            self._renew(connections)
            raise
        answered(answer.status)
        host = urlsplit(connections.access.host).netloc
        self._metrics.requests.labels(str(answer.status), request.method, host).inc()
        return answer

    def _renew(self, stale: _Connections) -> _Connections:
        """Load the access anew, unless another thread has done so since `stale`."""
        with self._lock:
            if self._connections is stale:
                self._connections = self._connect(self._load())
            return self._connections

    def _connect(self, access: ClusterAccess) -> _Connections:
        times = self._timeouts
        return _Connections(
            access,
            _pool(access, self._pool_size, urllib3.Timeout(connect=times.connect, read=times.read)),
            _pool(access, self._pool_size, urllib3.Timeout(connect=times.connect, read=times.watch)),
        )


def _pool(access: ClusterAccess, size: int, timeout: urllib3.Timeout) -> urllib3.PoolManager:
    options: dict[str, object] = {"maxsize": size, "timeout": timeout, "socket_options": _socket_options()}
    if access.tls:
        options |= {"ssl_context": access.tls, "server_hostname": access.server_name}
        # Python's own check is by server_hostname; urllib3 would compare with the URL's host once more.
        options |= {"assert_hostname": access.server_name} if access.server_name else {}
    if access.proxy:
        return urllib3.ProxyManager(access.proxy, **options)  # type: ignore[arg-type]  # one dict of many types
    return urllib3.PoolManager(**options)  # type: ignore[arg-type]  # one dict of many types


def _socket_options() -> list[tuple[int, int, int | bytes]]:
    # Not every system has all of them under these names.
    known = [(getattr(socket, name), value) for name, value in _KEEPALIVE.items() if hasattr(socket, name)]
    alive = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *((socket.IPPROTO_TCP, *option) for option in known)]
    return [*HTTPConnection.default_socket_options, *alive]


def _version() -> str:
    try:
        return version("dbclaims")
    except PackageNotFoundError:
        return "unknown"


USER_AGENT = f"dbclaims/{_version()}"
