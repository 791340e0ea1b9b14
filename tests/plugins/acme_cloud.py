"""A little cloud on loopback: it makes servers, slowly, for whoever has its token."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "acme-token-hunter2"


class AcmeCloud:
    """The cloud's state; a test may look into it and change it.

    Attributes:
        servers: by name, as the API shows them.
        refuse_with: a status with which every request is answered, or None.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.servers: dict[str, dict[str, Any]] = {}
        self.refuse_with: int | None = None

    def settle(self) -> None:
        """What was started is done: servers being made run, servers being removed are gone."""
        self.servers = {name: each for name, each in self.servers.items() if each["state"] != "deleting"}
        for each in self.servers.values():
            each |= {"state": "running", "host": "127.0.0.1", "port": 5432}

    def answer(self, verb: str, name: str, token: str, body: dict[str, Any]) -> tuple[int, object]:
        """One request."""
        if self.refuse_with:
            return self.refuse_with, {}
        if token != f"Bearer {TOKEN}":
            return 401, {}
        if verb == "PUT":
            self._create(name, body)
        if name not in self.servers:
            return 404, {}
        if verb == "PATCH":
            self.servers[name] |= body | {"state": "resizing"}
        if verb == "DELETE":
            self.servers[name]["state"] = "deleting"
        return 200, self.servers[name]

    def _create(self, name: str, body: dict[str, Any]) -> None:
        wanted = {key: body[key] for key in ("engine", "version", "size", "admin")}
        self.servers.setdefault(name, {**wanted, "owner": body["ref"]["owner"], "state": "creating"})


@contextmanager
def acme_cloud() -> Iterator[AcmeCloud]:
    """The cloud, for as long as the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def __getattr__(self, name: str) -> Any:
            """`do_GET` and its like."""
            if name.startswith("do_"):
                return self._respond
            raise AttributeError(name)

        def _respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"null") or {}
            name, token = self.path.removeprefix("/servers/"), self.headers.get("Authorization", "")
            status, answer = cloud.answer(self.command, name, token, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        cloud = AcmeCloud(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield cloud
        server.shutdown()
        thread.join()
