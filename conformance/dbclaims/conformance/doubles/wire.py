"""A service of AWS over HTTP on loopback, from its botocore model.

Requests are parsed and validated by the model, and answers are shaped by it. What stands between is an `Api`, the
double's own state machine. Signatures are not checked. An operation that the double lacks is HTTP 501 and stands in the
log as `NotImplemented`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import attrs
import botocore.session
from botocore.validate import ParamValidator
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import QueryParser
from moto.core.serialize import QuerySerializer

from .control import Control, Fault, Strike, is_read


class Refusal(Exception):
    """An error of the service's model; `code` is its code there."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Api(Protocol):
    """The state machine behind the wire."""

    def knows(self, operation: str) -> bool:
        """Whether the double has the operation."""
        ...

    def call(self, operation: str, arguments: Mapping[str, Any], *, stale: bool) -> Mapping[str, Any]:
        """Do it; raises `Refusal`. `stale` reads from before the last change."""
        ...

    def now(self) -> float:
        """The double's clock, in seconds."""
        ...

    def tick(self, seconds: float) -> None:
        """Let the double's time pass."""
        ...


@attrs.frozen
class _Reply:
    status: int
    body: str
    kind: str = "text/xml"


class Wire:
    """The HTTP server; entering it starts its threads.

    Attributes:
        url: where it listens.
    """

    def __init__(self, service: str, api: Api, control: Control) -> None:
        self._model = _model(service)
        errors = {each.name: each.metadata.get("error", {}) for each in self._model.error_shapes}
        self._status = {each.get("code", name): each.get("httpStatusCode", 400) for name, each in errors.items()}
        self._api, self._control = api, control
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._handle))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handle(self, form: Mapping[str, str]) -> _Reply | None:
        """The answer, or None to end the connection without one."""
        operation = form.get("Action", "")
        if operation not in self._model.operation_names:
            return self._refuse(operation, {}, Refusal("InvalidAction", f"no operation {operation!r}"))
        model = self._model.operation_model(operation)
        arguments = _parsed(model, form)
        fault = self._control.choose(operation, arguments)
        if fault and fault.strike is Strike.DELAY:
            self._api.tick(fault.seconds)
        elif fault and fault.strike not in (Strike.DROP_AFTER, Strike.STALE):
            return self._strike(fault, operation, arguments)
        stale = fault is not None and fault.strike is Strike.STALE and is_read(operation)
        reply = self._work(model, arguments, stale=stale)
        return None if fault and fault.strike is Strike.DROP_AFTER else reply

    def _work(self, model: OperationModel, arguments: Mapping[str, Any], *, stale: bool) -> _Reply:
        operation = model.name
        if not self._api.knows(operation):
            self._control.record(self._api.now(), operation, arguments, "NotImplemented")
            return _Reply(501, _error("NotImplemented", f"the double has no {operation}"))
        try:
            _validate(model, arguments)
            result = self._api.call(operation, arguments, stale=stale)
        except Refusal as refusal:
            return self._refuse(operation, arguments, refusal)
        self._control.record(self._api.now(), operation, arguments, "stale" if stale else "ok")
        serializer = QuerySerializer(operation_model=model)
        return _Reply(200, str(serializer.serialize(result)["body"]))

    def _strike(self, fault: Fault, operation: str, arguments: Mapping[str, Any]) -> _Reply | None:
        if fault.strike is Strike.ERROR:
            return self._refuse(operation, arguments, Refusal(fault.code, "the double was told to refuse this"))
        self._control.record(self._api.now(), operation, arguments, str(fault.strike))
        if fault.strike is Strike.UNAVAILABLE:
            return _Reply(503, _error("ServiceUnavailable", "try again"))
        return _Reply(500, "<html><h1>Oops</h1></html>", "text/html") if fault.strike is Strike.GARBAGE else None

    def _refuse(self, operation: str, arguments: Mapping[str, Any], refusal: Refusal) -> _Reply:
        self._control.record(self._api.now(), operation, arguments, refusal.code)
        return _Reply(self._status.get(refusal.code, 400), _error(refusal.code, refusal.message))


@lru_cache
def _model(service: str) -> ServiceModel:
    loader = botocore.session.get_session().get_component("data_loader")
    return ServiceModel(loader.load_service_model(service, "service-2"), service)


def _parsed(model: OperationModel, form: Mapping[str, str]) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = dict(QueryParser(model).parse({"values": form}))  # type: ignore[typeddict-item]
    except ValueError as error:
        return {"": str(error)}
    return parsed


def _validate(model: OperationModel, arguments: Mapping[str, Any]) -> None:
    assert model.input_shape is not None
    report = ParamValidator().validate(dict(arguments), model.input_shape)
    if report.has_errors():
        raise Refusal("InvalidParameterValue", report.generate_report())


def _error(code: str, message: str) -> str:
    inner = f"<Type>Sender</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    return f"<ErrorResponse><Error>{inner}</Error><RequestId>double</RequestId></ErrorResponse>"


def _handler(handle: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one packet: in two, the second waits 40 ms for the first one's acknowledgement.
        wbufsize = -1

        def do_POST(self) -> None:
            form = dict(
                parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True)
            )
            reply = handle(form)
            if reply is None:
                self.close_connection = True
                return
            body = reply.body.encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing: `Control` keeps the log."""

    return Handler
