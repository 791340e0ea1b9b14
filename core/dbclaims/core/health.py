"""The probe and metrics port: /healthz, /readyz (and one path per check below them) and /metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from .informer import Informers

# A watch hears something every minute (bookmarks); three minutes are two read timeouts (framework.md §6.3).
SILENCE = 180.0
Check = Callable[[], str | None]


class Health:
    """The checks of one process. A check returns None, or a sentence that says what is wrong."""

    def __init__(self, *, live: Mapping[str, Check], ready: Mapping[str, Check]) -> None:
        self._checks = {"healthz": {"ping": lambda: None, **live}, "readyz": {"ping": lambda: None, **ready}}

    def answer(self, path: str) -> tuple[int, str]:
        """Status and text for `/healthz`, `/readyz` or one check's path below."""
        group, _, name = path.strip("/").partition("/")
        checks = self._checks.get(group, {})
        chosen = checks if not name else {name: checks[name]} if name in checks else {}
        if not chosen:
            return 404, f"no such check: {path}; there are {', '.join(self._checks)}\n"
        verdicts = {check: run() for check, run in chosen.items()}
        lines = [f"[{'-' if wrong else '+'}]{check} {wrong or 'ok'}" for check, wrong in verdicts.items()]
        return 500 if any(verdicts.values()) else 200, "\n".join(lines) + "\n"


class HealthServer:
    """Serves a `Health` and a registry over HTTP in threads of its own; port 0 takes a free one."""

    def __init__(self, health: Health, registry: CollectorRegistry, *, host: str = "", port: int = 8080) -> None:
        handler = type("Handler", (_Handler,), {"health": health, "registry": registry})
        self._server = ThreadingHTTPServer((host, port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Start to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop to answer, and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    health: Health
    registry: CollectorRegistry

    # A client that connects and says nothing must not keep a thread for ever.
    timeout = 10

    def do_GET(self) -> None:
        """Answer one request."""
        if self.path.partition("?")[0] == "/metrics":
            self._send(200, CONTENT_TYPE_LATEST, generate_latest(self.registry))
        else:
            status, text = self.health.answer(self.path.partition("?")[0])
            self._send(status, "text/plain; charset=utf-8", text.encode())

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its parameter's name
        """Probes are not worth a log line."""


def informers_ready(informers: Informers) -> dict[str, Check]:
    """Readiness: every cache is filled, and every watch has given a sign of life lately."""

    def synced() -> str | None:
        missing = [informer.kind.kind for informer in informers if not informer.has_synced()]
        return f"not listed yet: {', '.join(missing)}" if missing else None

    def heard() -> str | None:
        silent = {informer.kind.kind: informer.silence() for informer in informers}
        late = [f"{kind} ({seconds:.0f} s)" for kind, seconds in silent.items() if seconds > SILENCE]
        return f"nothing heard from the watch of {', '.join(late)}" if late else None

    return {"informer-sync": synced, "watch": heard}


def progress(name: str, longest_running: Callable[[], float], limit: float) -> dict[str, Check]:
    """Liveness: no pass of the controller `name` has been running for more than `limit` seconds."""

    def moving() -> str | None:
        seconds = longest_running()
        return f"a pass of {name} has been running for {seconds:.0f} s" if seconds > limit else None

    return {name: moving}
