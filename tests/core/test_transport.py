"""The wire to the API server: login, content types, timeouts, and that nothing is ever sent twice.

Covers kube/config.py, kube/kubeconfig.py, kube/transport.py and kube/errors.py against a server on loopback, TLS but
for its configuration left out. What the verbs mean is test_kube_store.py's matter.
"""

import http.client
import inspect
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import certifi
import orjson
import pytest
import urllib3
import yaml
from prometheus_client import CollectorRegistry

from dbclaims.core.kube import config
from dbclaims.core.kube.config import ClusterAccess, ConfigError, access_loader, in_cluster
from dbclaims.core.kube.errors import answer_error, wire_errors
from dbclaims.core.kube.kubeconfig import from_kubeconfig
from dbclaims.core.kube.transport import USER_AGENT, Timeouts, Transport
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import (
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

from .conftest import TIMEOUTS
from .wire import Wire, answers, is_silent, resets, says

PATH = "/apis/dbclaims.io/v1alpha1/databaseclaims"


def kubeconfig(folder: Path, server: str, user: dict[str, object]) -> str:
    path = folder / "kubeconfig"
    document = {
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": server}}],
        "users": [{"name": "it", "user": user}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    }
    path.write_text(yaml.safe_dump(document))
    return str(path)


def transport_of(path: str, metrics: Metrics) -> Transport:
    return Transport(access_loader(path), metrics=metrics, timeouts=TIMEOUTS)


def test_the_kubeconfigs_token_is_on_the_wire(wire: Wire, tmp_path: Path, metrics: Metrics) -> None:
    transport_of(kubeconfig(tmp_path, wire.url, {"token": "t0ken"}), metrics).request("GET", PATH)
    assert wire.seen[0].headers["Authorization"] == "Bearer t0ken"


def test_our_user_agent_is_on_the_wire(wire: Wire, transport: Transport) -> None:
    transport.request("GET", PATH)
    assert wire.seen[0].headers["User-Agent"] == USER_AGENT
    assert USER_AGENT.startswith("dbclaims/")


def test_an_expired_token_is_read_again_once_and_the_request_succeeds(
    wire: Wire, tmp_path: Path, metrics: Metrics
) -> None:
    token = tmp_path / "token"
    token.write_text("old")
    transport = transport_of(kubeconfig(tmp_path, wire.url, {"tokenFile": str(token)}), metrics)
    token.write_text("new")
    wire.token = "new"
    transport.request("GET", PATH)
    assert [request.headers["Authorization"] for request in wire.seen] == ["Bearer old", "Bearer new"]


def test_a_token_that_stays_refused_is_tried_twice_and_is_forbidden(wire: Wire, transport: Transport) -> None:
    wire.token = "another"
    with pytest.raises(Forbidden):
        transport.request("GET", PATH)
    assert len(wire.seen) == 2


def test_an_expired_token_is_read_again_for_a_watch_too(wire: Wire, tmp_path: Path, metrics: Metrics) -> None:
    token = tmp_path / "token"
    token.write_text("old")
    transport = transport_of(kubeconfig(tmp_path, wire.url, {"tokenFile": str(token)}), metrics)
    token.write_text("new")
    wire.token = "new"
    with transport.stream(PATH, {"watch": "true", "resourceVersion": "1"}) as lines:
        assert list(lines) == []


def service_account(folder: Path, token: str) -> Path:
    (folder / "token").write_text(token)
    (folder / "ca.crt").write_text(Path(certifi.where()).read_text())
    return folder


def test_in_a_pod_the_accounts_token_is_sent_and_the_environments_proxy_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    access = in_cluster(service_account(tmp_path, "pod-token"), environ)
    assert access.headers()["Authorization"].lower() == "bearer pod-token"
    assert access.host == "https://10.0.0.1:443"
    assert access.proxy is None


def test_in_a_pod_a_fresh_access_carries_the_rotated_token(tmp_path: Path) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    in_cluster(service_account(tmp_path, "pod-token"), environ)
    access = in_cluster(service_account(tmp_path, "rotated"), environ)
    assert access.headers()["Authorization"].lower() == "bearer rotated"


def test_in_a_pod_the_token_that_kubelet_replaces_is_sent_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "REFRESH", 0.0)
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    access = in_cluster(service_account(tmp_path, "pod-token"), environ)
    assert access.host == "https://[fd00::1]:443"
    service_account(tmp_path, "rotated")
    assert access.headers() == {"Authorization": "Bearer rotated"}


def test_in_a_pod_an_empty_token_is_no_login(tmp_path: Path) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    with pytest.raises(ConfigError, match="token is empty"):
        in_cluster(service_account(tmp_path, "\n"), environ)


def test_in_a_pod_nothing_is_loaded_that_only_kubeconfigs_need() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import dbclaims.core.cli, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"kubernetes", "pydantic", "requests"} & {*loaded}


def test_outside_a_pod_in_cluster_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--kubeconfig"):
        in_cluster(tmp_path, {})


@pytest.mark.parametrize("content", ["", "not: [yaml", "clusters: 3", "{}"])
def test_a_broken_kubeconfig_is_one_sentence_with_its_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    with pytest.raises(ConfigError, match=str(path)):
        from_kubeconfig(str(path))


def test_the_login_is_in_no_repr(tmp_path: Path, wire: Wire) -> None:
    access = from_kubeconfig(kubeconfig(tmp_path, wire.url, {"token": "t0ken"}))
    assert access.headers() == {"Authorization": "Bearer t0ken"}
    assert "t0ken" not in repr(access)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
def test_a_request_whose_connection_breaks_is_never_sent_again(wire: Wire, transport: Transport, method: str) -> None:
    wire.fail(method.lower() if method != "GET" else "list", resets)
    with pytest.raises(Unreachable):
        transport.request(method, PATH, body=b"{}")
    assert len(wire.seen) == 1


def test_a_throttled_request_returns_at_once_with_what_the_server_asked_for(wire: Wire, transport: Transport) -> None:
    wire.fail("list", answers(429, "TooManyRequests", Retry_After="7"))
    with pytest.raises(Throttled) as caught:
        transport.request("GET", PATH)
    assert caught.value.retry_after == 7
    assert len(wire.seen) == 1


def test_a_silent_server_is_given_up_after_the_read_timeout(wire: Wire, transport: Transport) -> None:
    wire.fail("list", is_silent)
    began = time.monotonic()
    with pytest.raises(Silent):
        transport.request("GET", PATH)
    assert time.monotonic() - began < TIMEOUTS.read + 1


def test_nobody_listening_is_unreachable(metrics: Metrics) -> None:
    transport = Transport(lambda: ClusterAccess("http://127.0.0.1:1"), metrics=metrics, timeouts=TIMEOUTS)
    with pytest.raises(Unreachable, match="GET"):
        transport.request("GET", PATH)


def test_a_redirect_is_not_followed_with_our_token(wire: Wire, transport: Transport) -> None:
    wire.fail("list", lambda handler: handler.json(302, {}, {"Location": "/elsewhere"}))
    with pytest.raises(StoreError):
        transport.request("GET", PATH)
    assert len(wire.seen) == 1


def test_the_default_timeouts_notice_a_dead_watch_within_95_seconds() -> None:
    # The first backoff is at most 1.6 s; see test_reflector.py for the loop.
    assert Timeouts().watch + 1.6 <= 95
    assert Timeouts().watch > 60, "bookmarks come every minute"


def test_requests_are_counted_by_code_and_method(wire: Wire, transport: Transport, metrics: Metrics) -> None:
    wire.fail("list", answers(500, "InternalError"))
    with pytest.raises(Unreachable):
        transport.request("GET", PATH)
    labels = {"code": "500", "method": "GET", "host": wire.url.removeprefix("http://")}
    assert metrics.registry.get_sample_value("rest_client_requests_total", labels) == 1


def test_an_observer_is_told_of_each_request_and_of_its_status(wire: Wire, metrics: Metrics) -> None:
    told: list[object] = []

    def observe(method: str, url: str) -> Callable[[int], None]:
        told.append((method, url))
        return told.append

    transport = Transport(lambda: ClusterAccess(wire.url), metrics=metrics, timeouts=TIMEOUTS, observe=observe)
    transport.request("GET", PATH, query={"limit": "1"})
    with pytest.raises(NotFound):
        transport.request("DELETE", f"{PATH}/x")
    with transport.stream(PATH, {"watch": "true", "resourceVersion": "100"}) as lines:
        list(lines)
    stream = f"{wire.url}{PATH}?watch=true&resourceVersion=100"
    requests = (
        (("GET", f"{wire.url}{PATH}?limit=1"), 200),
        (("DELETE", f"{wire.url}{PATH}/x"), 404),
        (("GET", stream), 200),
    )
    assert told == [each for request in requests for each in request]


def test_closing_ends_an_open_stream(wire: Wire, metrics: Metrics) -> None:
    wire.hold_watches = True
    transport = Transport(lambda: ClusterAccess(wire.url), metrics=metrics, timeouts=Timeouts())
    opened, ended = threading.Event(), threading.Event()

    def read() -> None:
        try:
            with transport.stream(PATH, {"watch": "true", "resourceVersion": "1"}) as lines:
                opened.set()
                list(lines)
        except StoreError:
            pass
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    assert opened.wait(5)
    transport.close()
    assert ended.wait(5)


def test_closing_takes_a_stream_that_has_just_ended_by_itself(wire: Wire, transport: Transport) -> None:
    with transport.stream(PATH, {"watch": "true", "resourceVersion": "1"}) as lines:
        list(lines)
        transport.close()


def test_a_stream_opened_after_closing_is_refused(wire: Wire, transport: Transport) -> None:
    transport.close()
    with pytest.raises(Unreachable), transport.stream(PATH, {"watch": "true", "resourceVersion": "1"}) as lines:
        list(lines)


def test_line_separators_inside_json_strings_do_not_split_a_line(wire: Wire, transport: Transport) -> None:
    text = orjson.dumps({"s": "a\u2028b\u0085c"})

    def send(handler: object) -> None:
        handler.start_stream()  # type: ignore[attr-defined]  # a Handler, whose import would hide what is tested
        handler.chunk(text[:4])  # type: ignore[attr-defined]
        handler.chunk(text[4:] + b"\n\n  \n")  # type: ignore[attr-defined]
        handler.end_stream()  # type: ignore[attr-defined]

    wire.fail("watch", send)
    with transport.stream(PATH, {"watch": "true"}) as lines:
        assert list(lines) == [text]


def every_urllib3_error() -> list[type[Exception]]:
    members = [member for _, member in inspect.getmembers(urllib3.exceptions, inspect.isclass)]
    own = [member for member in members if member.__module__ == "urllib3.exceptions"]
    return [member for member in own if issubclass(member, Exception) and not issubclass(member, Warning)]


def raised(error: type[Exception]) -> Exception:
    """An instance without the pools and requests that some constructors ask for."""
    bare = type(error.__name__, (error,), {"__init__": lambda self: None, "__str__": lambda self: "text"})
    instance: Exception = bare()
    return instance


@pytest.mark.parametrize("error", every_urllib3_error(), ids=lambda error: error.__name__)
def test_no_error_of_the_wire_is_unmapped(error: type[Exception]) -> None:
    with pytest.raises(StoreError), wire_errors("GET /x"):
        raise raised(error)


@pytest.mark.parametrize(
    "error", [ConnectionResetError(), TimeoutError(), ssl.SSLError(), http.client.BadStatusLine("x"), OSError()]
)
def test_no_error_below_the_http_library_is_unmapped(error: Exception) -> None:
    with pytest.raises(Unreachable), wire_errors("GET /x"):
        raise error


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (400, "BadRequest", Invalid),
        (401, "Unauthorized", Forbidden),
        (403, "Forbidden", Forbidden),
        (404, "NotFound", NotFound),
        (409, "AlreadyExists", AlreadyExists),
        (409, "Conflict", Conflict),
        (410, "Expired", Expired),
        (422, "Invalid", Invalid),
        (429, "TooManyRequests", Throttled),
        (500, "InternalError", Unreachable),
        (503, "ServiceUnavailable", Throttled),
        (504, "Timeout", Unreachable),
    ],
)
def test_each_status_has_its_error(status: int, reason: str, expected: type[StoreError]) -> None:
    error = answer_error("GET /x", status, orjson.dumps({"reason": reason, "message": "because"}))
    assert type(error) is expected
    assert error.status == status
    assert "GET /x" in str(error)
    assert "because" in str(error)


def test_a_version_from_the_future_asks_for_a_new_list() -> None:
    body = {"reason": "Timeout", "details": {"causes": [{"reason": "ResourceVersionTooLarge"}]}}
    assert isinstance(answer_error("WATCH /x", 504, orjson.dumps(body)), Expired)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"x"', b'{"details": 3}', b'{"details": {"causes": [1]}}'])
def test_an_answer_that_is_no_status_is_still_one_error(body: bytes) -> None:
    assert isinstance(answer_error("GET /x", 502, body), Unreachable)


def test_the_servers_message_about_a_secret_is_not_repeated() -> None:
    body = orjson.dumps({"reason": "Invalid", "message": 'data: Invalid value: "hunter2"'})
    error = answer_error("POST /api/v1/namespaces/shop/secrets", 422, body)
    assert "hunter2" not in str(error)
    assert "Invalid" in str(error)


def test_a_page_of_a_proxy_is_unreachable(wire: Wire, transport: Transport) -> None:
    wire.fail("list", says(502, b"<html>bad gateway</html>"))
    with pytest.raises(Unreachable):
        transport.request("GET", PATH)


def test_two_transports_count_apart(wire: Wire) -> None:
    first, second = Metrics(CollectorRegistry()), Metrics(CollectorRegistry())
    Transport(lambda: ClusterAccess(wire.url), metrics=first).request("GET", PATH)
    labels = {"code": "200", "method": "GET", "host": wire.url.removeprefix("http://")}
    assert first.registry.get_sample_value("rest_client_requests_total", labels) == 1
    assert second.registry.get_sample_value("rest_client_requests_total", labels) is None
