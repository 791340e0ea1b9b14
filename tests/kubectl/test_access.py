"""How a kubeconfig is read: contexts, several files, tokens, certificates, programs; and who does the rest."""

from __future__ import annotations

import json
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from dbclaims.core.kube.access import Access, Unfamiliar, access
from dbclaims.core.kube.contexts import Choice, Context, ContextError, chosen, context_names
from dbclaims.core.kubectl.claims import run
from dbclaims.core.kubectl.cluster import ClusterHome
from tests.clock import FakeClock
from tests.servers.authority import Authority

from .conftest import Person
from .terminal import Said, piped

Document = dict[str, Any]
SECRET = "a-token-that-nobody-shows"


def config(user: Document | None = None, cluster: Document | None = None, name: str = "one") -> Document:
    """A kubeconfig with one context."""
    return {
        "clusters": [{"name": name, "cluster": {"server": "http://127.0.0.1:1", **(cluster or {})}}],
        "users": [{"name": name, "user": user or {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"ns-{name}"}}],
        "current-context": name,
    }


def written(path: Path, document: object) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(document))
    return path


def entered(path: Path, environ: Mapping[str, str] | None = None, **choice: str) -> Access:
    return access(chosen(Choice(str(path), **choice), environ or {}), environ or {})


def test_a_token_becomes_the_header(tmp_path: Path) -> None:
    found = entered(written(tmp_path / "config", config({"token": SECRET})))
    assert found.headers() == {"Authorization": f"Bearer {SECRET}"}
    assert SECRET not in repr(found)


def test_a_token_s_file_is_read_anew_and_counts_from_the_kubeconfig(tmp_path: Path) -> None:
    found = entered(written(tmp_path / "kube" / "config", config({"tokenFile": "token", "token": "stale"})))
    (tmp_path / "kube" / "token").write_text("first\n")
    assert found.headers() == {"Authorization": "Bearer first"}
    (tmp_path / "kube" / "token").write_text("second\n")
    assert found.headers() == {"Authorization": "Bearer second"}


def test_several_files_become_one_and_the_first_to_say_something_wins(tmp_path: Path) -> None:
    one = written(tmp_path / "a" / "config", config({"token": "1"}))
    two = written(tmp_path / "b" / "config", {**config({"tokenFile": "t"}, name="two"), "current-context": "two"})
    clash = written(tmp_path / "c" / "config", config({"token": "overruled"}))
    environ = {"KUBECONFIG": f"{one}:{tmp_path / 'absent'}:{two}:{clash}"}
    assert chosen(Choice(), environ).namespace == "ns-one"
    assert chosen(Choice(), environ).user["token"] == "1"
    other = chosen(Choice(context="two"), environ)
    assert other.user["tokenFile"] == str(tmp_path / "b" / "t")
    assert chosen(Choice(context="two", user="one"), environ).user["token"] == "1"
    assert context_names(Choice(), environ) == ["one", "two"]


def test_a_context_shows_its_name_and_nothing_of_its_login() -> None:
    context = Context("one", "shop", {}, {"token": "t0ken", "password": "pa55"})
    assert repr(context) == "Context(one)"


@pytest.mark.parametrize(
    ("content", "choice", "said"),
    [
        (None, {}, "cannot be used: .*No such file"),
        ("a: [", {}, "cannot be used"),
        ("[]", {}, "is no kubeconfig"),
        ("{}", {}, "no context is current; name one with --context"),
        (yaml.safe_dump(config()), {"context": "two"}, 'has no context "two"; it has: one'),
        (yaml.safe_dump(config()), {"cluster": "two"}, 'has no cluster "two"; it has: one'),
        (yaml.safe_dump({**config(), "users": []}), {}, 'has no user "one"; it has: none'),
        (yaml.safe_dump(config(cluster={"server": ""})), {}, "its cluster has no server"),
        (
            yaml.safe_dump(config(cluster={"server": "https://x", "certificate-authority-data": "???"})),
            {},
            "certificates cannot",
        ),
        (
            yaml.safe_dump(config({"exec": {"command": "no-such-program"}})),
            {},
            "login program no-such-program is not there",
        ),
        (yaml.safe_dump(config({"exec": {"command": "false"}})), {}, "login program false failed"),
        (yaml.safe_dump(config({"exec": {"command": "true"}})), {}, "gave no ExecCredential"),
        (yaml.safe_dump(config({"exec": {}})), {}, "names no command"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, content: str | None, choice: dict[str, str], said: str) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ContextError, match=said):
        entered(path, {"PATH": "/usr/bin:/bin"}, **choice)


def test_what_only_the_kubernetes_package_knows_is_left_to_it(tmp_path: Path) -> None:
    with pytest.raises(Unfamiliar):
        entered(written(tmp_path / "config", config({"auth-provider": {"name": "oidc"}})))
    with pytest.raises(Unfamiliar):
        entered(written(tmp_path / "config", config({"token": "x"})), {"HTTPS_PROXY": "http://proxy.example.internal"})
    proxied = written(tmp_path / "config", config({"token": "x"}, {"proxy-url": "http://127.0.0.1:2"}))
    assert entered(proxied).proxy == "http://127.0.0.1:2"


def test_the_environment_s_proxy_is_the_package_s_matter_and_list_works_all_the_same(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    said = person.says("list", "-o", "name")
    assert (said.code, said.out) == (0, "databaseclaim.dbclaims.io/orders\n"), said.err


def test_a_program_gives_the_login_and_is_told_of_the_cluster(person: Person, tmp_path: Path) -> None:
    plain = yaml.safe_load(person.world.cluster.kubeconfig().read_text())
    status = {"token": person.world.cluster.token()}
    program = tmp_path / "login"
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"told = open({str(tmp_path / 'told')!r}, 'w')\n"
        "told.write(os.environ['KUBERNETES_EXEC_INFO'] + os.environ['WHO'] + sys.argv[1])\n"
        f"print(json.dumps({{'kind': 'ExecCredential', 'status': {status!r}}}))\n"
    )
    program.chmod(0o700)
    block = {
        "command": "./login",
        "args": ["--fast"],
        "env": [{"name": "WHO", "value": "me"}],
        "provideClusterInfo": True,
    }
    plain["users"] = [{"name": "admin", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", **block}}}]
    path = written(tmp_path / "config", plain)
    flags = ["--kubeconfig", str(path), "-n", person.world.named("shop")]
    for verb in (["list", "-o", "name"], ["explain", "orders"]):
        said = piped([*flags, *verb], ClusterHome, person.clock)
        assert (said.code, "orders" in said.out) == (0, True), said.err
    told, _, rest = (tmp_path / "told").read_text().rpartition("}")
    assert rest == "me--fast"
    assert json.loads(told + "}")["spec"]["cluster"]["server"] == person.world.cluster.url


def test_one_may_act_as_somebody_else(person: Person) -> None:
    said = person.says("list", "--as", "developer")
    assert (said.code, 'User "developer" cannot list' in said.err) == (1, True)
    assert person.says("list", "--as", "anybody", "--as-group", "system:masters", "-o", "name").code == 0
    said = person.says("explain", "orders", "--as", "developer")
    assert (said.code, "developer" in said.err) == (1, True)
    assert "--as-group needs --as" in person.says("list", "--as-group", "x").err


@contextmanager
def _guarded(folder: Path) -> Iterator[tuple[str, Authority]]:
    """A server that lets in whoever has a certificate of this authority, and answers with an empty table."""
    authority = Authority("guard")
    pair = authority.issue("api.example.internal")
    for name, pem in (("ca", authority.certificate), ("crt", pair.certificate), ("key", pair.key)):
        (folder / f"server.{name}").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    context.load_verify_locations(folder / "server.ca")
    context.verify_mode = ssl.CERT_REQUIRED
    server = HTTPServer(("127.0.0.1", 0), _Empty)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}", authority
    server.shutdown()
    server.server_close()
    thread.join()


class _Empty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"metadata": {}, "columnDefinitions": [{"name": "Name"}], "rows": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is to be said."""


def test_a_client_certificate_lets_in_by_file_and_by_data(tmp_path: Path) -> None:
    with _guarded(tmp_path) as (url, authority):
        pair = authority.issue("somebody")
        written_files = {"client.crt": pair.certificate, "client.key": pair.key, "ca.crt": authority.certificate}
        for name, pem in written_files.items():
            (tmp_path / name).write_bytes(pem)
        cluster = {"server": url, "tls-server-name": "api.example.internal"}
        by_file = config(
            {"client-certificate": "client.crt", "client-key": "client.key"},
            {**cluster, "certificate-authority": "ca.crt"},
        )
        data = {"client-certificate-data": _base64(pair.certificate), "client-key-data": _base64(pair.key)}
        by_data = config(data, {**cluster, "certificate-authority-data": _base64(authority.certificate)})
        skipped = config(data, {"server": url, "insecure-skip-tls-verify": True})
        for document in (by_file, by_data, skipped):
            assert _list(tmp_path, document).err == "No resources found in ns-one namespace.\n"
        assert _list(tmp_path, config(cluster=cluster)).code == 1
        wrong = {**cluster, "tls-server-name": "other.example.internal", "certificate-authority": "ca.crt"}
        assert "Hostname mismatch" in _list(tmp_path, config(data, wrong)).err


def _base64(pem: bytes) -> str:
    import base64

    return base64.b64encode(pem).decode()


def _list(folder: Path, document: Document) -> Said:
    path = written(folder / "config", document)
    return piped(["--kubeconfig", str(path)], ClusterHome, FakeClock())


def test_ctrl_c_ends_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> ClusterHome:
        raise KeyboardInterrupt

    out: Callable[[], FakeClock] = FakeClock
    assert run(["explain", "x"], interrupted, out, sys.stdout, sys.stderr) == 130
    assert capsys.readouterr() == ("", "")
