"""A small API server on loopback that can misbehave: the wire that the runtime's tests fake.

It keeps objects with resourceVersions and tells watches of them; `fail` scripts the next answers to requests of a sort
("list", "watch", "get", "post", "put", "patch", "delete"). It checks no schema and no rights.
"""

import json
import socket
import struct
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from attrs import field, frozen

Object = dict[str, Any]
Fault = Callable[["Handler"], None]
Place = tuple[str, str, str]


@frozen
class Seen:
    """A request as it came over the wire."""

    sort: str
    path: str
    query: dict[str, str]
    headers: dict[str, str] = field(repr=False)
    body: Any = None


class Wire:
    """The server. `hold_watches`: keep watches open as the real one does, instead of ending them when all is told."""

    def __init__(self) -> None:
        self.hold_watches, self.token = False, ""
        self.seen: list[Seen] = []
        self.objects: dict[Place, Object] = {}
        self.version = 100
        self.history: list[tuple[str, Object, str]] = []
        self.changed = threading.Condition(threading.RLock())
        self.closing = threading.Event()
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._always: dict[str, Fault] = {}
        self._server = _Server(("127.0.0.1", 0), type("Bound", (Handler,), {"wire": self}))
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.01), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.closing.set()
        with self.changed:
            self.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fail(self, sort: str, *faults: Fault, always: bool = False) -> None:
        """Answer the next requests of this sort with `faults`, or with the first of them until `mend`."""
        if always:
            self._always[sort] = faults[0]
        else:
            self._faults[sort].extend(faults)

    def mend(self) -> None:
        self._faults.clear()
        self._always.clear()

    def fault(self, sort: str) -> Fault | None:
        with self.changed:
            return self._faults[sort].popleft() if self._faults[sort] else self._always.get(sort)

    def count(self, *sorts: str) -> int:
        return sum(request.sort in sorts for request in self.seen)

    def store(self, plural: str, obj: Object, type_: str = "MODIFIED") -> Object:
        """Store an object as if somebody else had written it."""
        with self.changed:
            self.version += 1
            metadata = {"uid": f"uid-{self.version}", **obj["metadata"], "resourceVersion": str(self.version)}
            stored = {**obj, "metadata": metadata}
            place = (plural, metadata.get("namespace", ""), metadata["name"])
            type_ = "MODIFIED" if place in self.objects else "ADDED"
            self.objects[place] = stored
            self._tell(type_, stored, plural)
            return stored

    def remove(self, plural: str, namespace: str, name: str) -> Object:
        """Remove an object as if somebody else had deleted it."""
        with self.changed:
            self.version += 1
            obj = self.objects.pop((plural, namespace, name))
            gone = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}
            self._tell("DELETED", gone, plural)
            return gone

    def bookmark(self, plural: str) -> None:
        with self.changed:
            self.version += 1
            self._tell("BOOKMARK", {"metadata": {"resourceVersion": str(self.version)}}, plural)

    def _tell(self, type_: str, obj: Object, plural: str) -> None:
        self.history.append((type_, obj, plural))
        self.changed.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Faults break connections on purpose."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    wire: Wire
    protocol_version = "HTTP/1.1"
    # Else the second write of an answer waits 40 ms for the client's delayed ACK.
    disable_nagle_algorithm = True
    place: Place
    query: dict[str, str]
    body: Any
    subresource: str

    def handle_any(self) -> None:
        url = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self._locate(url.path)
        length = int(self.headers.get("Content-Length") or 0)
        self.body = json.loads(self.rfile.read(length)) if length else None
        sort = self._sort()
        self.wire.seen.append(Seen(sort, url.path, self.query, dict(self.headers.items()), self.body))
        if self.wire.token and self.headers.get("Authorization") != f"Bearer {self.wire.token}":
            return self.status(401, "Unauthorized")
        if fault := self.wire.fault(sort):
            return fault(self)
        getattr(self, f"do_{sort}")()
        return None

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815  # names by http.server

    def _locate(self, path: str) -> None:
        parts = [unquote(part) for part in path.strip("/").split("/")]
        parts = parts[2:] if parts[0] == "api" else parts[3:]
        namespace = ""
        if parts and parts[0] == "namespaces" and len(parts) > 2:
            namespace, parts = parts[1], parts[2:]
        plural, name, self.subresource = (*parts, "", "", "")[:3]
        self.place = (plural, namespace, name)

    def _sort(self) -> str:
        if self.command != "GET":
            return self.command.lower()
        return "get" if self.place[2] else "watch" if self.query.get("watch") else "list"

    def do_list(self) -> None:
        plural, namespace, _ = self.place
        with self.wire.changed:
            found = [o for (p, n, _), o in sorted(self.wire.objects.items()) if p == plural and namespace in ("", n)]
            version = self.wire.version
        start, _, token_version = self.query.get("continue", "0:").partition(":")
        limit = int(self.query.get("limit") or len(found) or 1)
        end = int(start) + limit
        metadata = {"resourceVersion": token_version or str(version)}
        if end < len(found):
            metadata["continue"] = f"{end}:{metadata['resourceVersion']}"
        items = [{k: v for k, v in o.items() if k not in ("kind", "apiVersion")} for o in found[int(start) : end]]
        self.json(200, {"kind": "List", "metadata": metadata, "items": items})

    def do_watch(self) -> None:
        self.start_stream()
        told = int(self.query["resourceVersion"])
        while not self.wire.closing.is_set():
            with self.wire.changed:
                events = [e for e in self.wire.history if self._concerns(e) and _version(e[1]) > told]
                if not events and self.wire.hold_watches:
                    self.wire.changed.wait(5)
            for type_, obj, _ in events:
                self.line(type_, obj)
                told = _version(obj)
            if not self.wire.hold_watches:
                break
        self.end_stream()

    def _concerns(self, event: tuple[str, Object, str]) -> bool:
        """Whether it is of the kind, and of the namespace if the watch is of one; a bookmark is of none."""
        type_, obj, plural = event
        here = type_ == "BOOKMARK" or obj["metadata"].get("namespace", "") == self.place[1]
        return plural == self.place[0] and (here or not self.place[1])

    def do_get(self) -> None:
        obj = self.wire.objects.get(self.place)
        return self.json(200, obj) if obj else self.missing()

    def do_post(self) -> None:
        place = (*self.place[:2], self.body["metadata"]["name"])
        with self.wire.changed:
            if place in self.wire.objects:
                return self.status(409, "AlreadyExists")
            return self.json(201, self.wire.store(place[0], self.body))

    def do_put(self) -> None:
        with self.wire.changed:
            old = self.wire.objects.get(self.place)
            if old is None:
                return self.missing()
            if self.body["metadata"].get("resourceVersion") not in (None, old["metadata"]["resourceVersion"]):
                return self.status(409, "Conflict")
            return self.json(200, self.wire.store(self.place[0], self.body))

    def do_patch(self) -> None:
        with self.wire.changed:
            old = self.wire.objects.get(self.place)
            if old is None:
                return self.missing()
            wanted = (self.body.get("metadata") or {}).get("resourceVersion")
            if wanted not in (None, old["metadata"]["resourceVersion"]):
                return self.status(409, "Conflict")
            merged = merge(old, self.body)
            if merged["metadata"].get("deletionTimestamp") and not merged["metadata"].get("finalizers"):
                self.wire.objects[self.place] = merged
                return self.json(200, self.wire.remove(*self.place))
            return self.json(200, self.wire.store(self.place[0], merged))

    def do_delete(self) -> None:
        with self.wire.changed:
            old = self.wire.objects.get(self.place)
            if old is None:
                return self.missing()
            wanted = (self.body or {}).get("preconditions") or {}
            if any(old["metadata"][key] != value for key, value in wanted.items()):
                return self.status(409, "Conflict")
            if old["metadata"].get("finalizers"):
                going = merge(old, {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
                return self.json(200, self.wire.store(self.place[0], going))
            self.wire.remove(*self.place)
            return self.json(200, {"kind": "Status", "status": "Success", "metadata": {}})

    def json(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def status(self, code: int, reason: str, message: str = "", headers: dict[str, str] | None = None) -> None:
        details = {"name": self.place[2], "kind": self.place[0]} if self.place[2] else {}
        body = {"kind": "Status", "status": "Failure", "reason": reason, "code": code, "details": details}
        self.json(code, {**body, "message": message or reason}, headers)

    def missing(self) -> None:
        self.status(404, "NotFound")

    def start_stream(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def line(self, type_: str, obj: Object) -> None:
        self.chunk(json.dumps({"type": type_, "object": obj}).encode() + b"\n")

    def end_stream(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its parameter's name
        """Quiet."""


def answers(code: int, reason: str, **headers: str) -> Fault:
    """An error answer with a Status."""
    return lambda handler: handler.status(code, reason, headers={k.replace("_", "-"): v for k, v in headers.items()})


def says(code: int, body: bytes) -> Fault:
    """An answer that is no Status."""
    return lambda handler: handler.json(code, body)


def resets(handler: Handler) -> None:
    """RST: close without a word."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def is_silent(handler: Handler) -> None:
    """Accept, and never answer."""
    handler.wire.closing.wait()
    handler.close_connection = True


def streams(*chunks: bytes, then: Fault | None = None) -> Fault:
    """A watch that sends these bytes, and then ends cleanly or with a fault."""

    def fault(handler: Handler) -> None:
        handler.start_stream()
        for chunk in chunks:
            handler.chunk(chunk)
        (then or Handler.end_stream)(handler)

    return fault


def event(type_: str, obj: Object) -> bytes:
    """A line of a watch."""
    return json.dumps({"type": type_, "object": obj}).encode() + b"\n"


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        merged.pop(name, None) if value is None else merged.update({name: merge(merged.get(name), value)})
    return merged


def _version(obj: Object) -> int:
    return int(obj["metadata"]["resourceVersion"])
