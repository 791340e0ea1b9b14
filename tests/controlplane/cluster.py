"""A control plane with users, an audit log and kubeconfigs, ready in three to four seconds.

Example::

    with ControlPlane() as cluster:
        subprocess.run([cluster.kubectl, "--kubeconfig", cluster.kubeconfig("admin"), "get", "namespaces"])
"""

import json
import secrets
import shutil
import signal
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import urllib3
from cryptography.hazmat.primitives.asymmetric import ec

from ..canary import CANARY
from ..servers.authority import Authority, private_pem
from ..servers.process import ServerProcess, free_port
from ..servers.scratch import scratch_folder
from . import audit
from .build import binaries

ADMIN = "admin"
# Users without any right until a test binds a role to them; a second controller is for leader election.
USERS: Mapping[str, Sequence[str]] = MappingProxyType({"controller": (), "controller-2": (), "developer": ()})
_CONTROLLERS = ("garbagecollector", "namespace", "serviceaccount-token")
_NAME = "kubernetes"
_OURS = ("databaseclaims", "roleclaims", "claimgrants", "databaseclasses", "databaseservers")
_READABLE = ("/apis/events.k8s.io/v1/events", *(f"/apis/dbclaims.io/v1alpha1/{plural}" for plural in _OURS))
"""What more people may read than Secrets."""


class ControlPlane:
    """etcd, kube-apiserver and kube-controller-manager on free loopback ports; making it starts it.

    Args:
        users: names of users, each with its groups; `admin` (system:masters) is always there.
        controllers: further ones of kube-controller-manager's, such as `disruption`.

    Attributes:
        url: the API server's address.
        ca_file: PEM of the CA that signed its certificate (names: kubernetes, localhost, 127.0.0.1).
        kubectl: the kubectl of the same version.
    """

    def __init__(self, users: Mapping[str, Sequence[str]] = USERS, controllers: Sequence[str] = ()) -> None:
        self._controllers = (*_CONTROLLERS, *controllers)
        self._programs = binaries()
        self.kubectl = self._programs / "kubectl"
        self._folder = scratch_folder("controlplane")
        self._port = free_port()
        self.url = f"https://127.0.0.1:{self._port}"
        self.ca_file = self._folder / "ca.crt"
        self._groups = {ADMIN: ("system:masters",), **users}
        self._tokens = {user: secrets.token_urlsafe(24) for user in self._groups}
        self._processes: list[ServerProcess] = []
        self._write_files()
        self._pool = urllib3.PoolManager(ca_certs=str(self.ca_file), maxsize=4, timeout=30.0, retries=False)
        try:
            self._start()
        except Exception:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._examine()
        self.stop()

    def _examine(self) -> None:
        """Search what everybody can read for passwords: Events and our objects, as they are at the end."""
        with suppress(OSError):
            for path in _READABLE:
                CANARY.examine(f"the API server under {path}", str(self.request("GET", path)[1]))

    def kubeconfig(self, user: str = ADMIN) -> Path:
        """Write a kubeconfig for a user and return its path.

        Raises:
            KeyError: no such user was named at start.
        """
        return self.kubeconfig_with(self._tokens[user], user)

    def kubeconfig_with(self, token: str, name: str) -> Path:
        """Write a kubeconfig with a token, for example a ServiceAccount's, and return its path."""
        server = {"server": self.url, "certificate-authority": str(self.ca_file), "tls-server-name": _NAME}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": server}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": name}}],
            "current-context": "test",
        }
        return self._write(f"kubeconfig-{name}", json.dumps(config))

    def kubeconfig_of(self, namespace: str, account: str) -> Path:
        """Write a kubeconfig with a new token of a ServiceAccount, as kubelet would have mounted it."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3600},
        }
        status, answer = self.request("POST", path, request)
        assert status == 201, answer
        return self.kubeconfig_with(answer["status"]["token"], f"{namespace}-{account}-{secrets.token_hex(3)}")

    def token(self, user: str = ADMIN) -> str:
        """Return a user's bearer token."""
        return self._tokens[user]

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        user: str = ADMIN,
        agent: str = "dbclaims-tests",
        kind: str = "json",
    ) -> tuple[int, Any]:
        """Send one request and return status and decoded answer; any status is an answer, not an error.

        Args:
            body: what is sent as JSON; None sends nothing.
            kind: content type below application/: json, merge-patch+json, apply-patch+yaml.

        Raises:
            OSError: there was no answer.
        """
        headers = {"Authorization": f"Bearer {self._tokens[user]}", "User-Agent": agent, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = f"application/{kind}"
        text = None if body is None else json.dumps(body)
        try:
            answer = self._pool.request(method, self.url + path, body=text, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise ConnectionError(str(error)) from error
        is_json = answer.headers.get("Content-Type") == "application/json"
        return answer.status, answer.json() if is_json else answer.data.decode()

    def audit_position(self) -> int:
        """Return where the audit log ends now, every answered request included, for `audit_since`."""
        return self._mark_audit()

    def audit_since(self, position: int = 0) -> list[audit.AuditEvent]:
        """Return the completed requests since a position of `audit_position`, the log's own markers left out."""
        end = self._mark_audit()
        with self._audit.open("rb") as log:
            log.seek(position)
            events = audit.parse(log.read(end - position).decode())
            return [event for event in events if not event.user_agent.startswith(_MARKER)]

    def stop(self) -> None:
        """End every process and remove the data."""
        for process in reversed(self._processes):
            process.stop(signal.SIGTERM, timeout=5.0)
        self._pool.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _audit(self) -> Path:
        return self._folder / "audit.log"

    def _mark_audit(self) -> int:
        """Send a marker, and return where its line ends: it is written just after its answer has left."""
        agent = _MARKER + uuid.uuid4().hex
        self.request("GET", "/version", agent=agent)
        self._apiserver.wait_until(lambda: self._line_end(agent) is not None)
        return self._line_end(agent) or 0

    def _line_end(self, agent: str) -> int | None:
        """Where the whole line with a marker ends in the audit log; None while it is not there."""
        with self._audit.open("rb") as log:
            start = log.seek(max(0, self._audit.stat().st_size - 100_000))
            before, found, after = log.read().partition(agent.encode())
        rest, newline, _ = after.partition(b"\n")
        return start + len(before + found + rest + newline) if newline else None

    def _write_files(self) -> None:
        authority = Authority("dbclaims control plane")
        pair = authority.issue(_NAME, "localhost", "127.0.0.1")
        self._write("ca.crt", authority.certificate.decode())
        self._write("server.crt", pair.certificate.decode())
        self._write("server.key", pair.key.decode())
        self._write("accounts.key", private_pem(ec.generate_private_key(ec.SECP256R1())).decode())
        self._write("audit.yaml", audit.POLICY)
        lines = [f'{self._tokens[user]},{user},{user},"{",".join(self._groups[user])}"' for user in self._groups]
        self._write("tokens.csv", "\n".join(lines) + "\n")

    def _write(self, name: str, text: str) -> Path:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    def _start(self) -> None:
        client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self._run("etcd", _etcd_flags(self._folder, client, peer))
        self._apiserver = self._run("kube-apiserver", _apiserver_flags(self._folder, client, self._port))
        self._apiserver.wait_until(self._ready, timeout=60.0)
        self._run("kube-controller-manager", _controller_flags(self._folder, self.kubeconfig(), self._controllers))

    def _run(self, program: str, flags: Mapping[str, object]) -> ServerProcess:
        command = [str(self._programs / program), *(f"--{name}={value}" for name, value in flags.items())]
        process = ServerProcess(command, self._folder / f"{program}.log")
        self._processes.append(process)
        return process

    def _ready(self) -> bool:
        try:
            return self.request("GET", "/readyz")[0] == 200
        except OSError:
            return False


_MARKER = "audit-marker-"


def _etcd_flags(folder: Path, client: str, peer: str) -> dict[str, object]:
    return {
        "data-dir": folder / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "unsafe-no-fsync": "true",
        "log-level": "error",
    }


def _apiserver_flags(folder: Path, etcd: str, port: int) -> dict[str, object]:
    return {
        "etcd-servers": etcd,
        "bind-address": "127.0.0.1",
        "advertise-address": "127.0.0.1",
        "secure-port": port,
        "tls-cert-file": folder / "server.crt",
        "tls-private-key-file": folder / "server.key",
        "token-auth-file": folder / "tokens.csv",
        "authorization-mode": "RBAC",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": folder / "accounts.key",
        "service-account-signing-key-file": folder / "accounts.key",
        # No kubelet mounts tokens here, so pods' accounts are not forced on anybody.
        "disable-admission-plugins": "ServiceAccount",
        "endpoint-reconciler-type": "none",
        "service-cluster-ip-range": "10.0.0.0/24",
        "audit-policy-file": folder / "audit.yaml",
        "audit-log-path": folder / "audit.log",
        "audit-log-mode": "blocking",
        "cert-dir": folder,
    }


def _controller_flags(folder: Path, kubeconfig: Path, controllers: Sequence[str]) -> dict[str, object]:
    return {
        "kubeconfig": kubeconfig,
        "controllers": ",".join(controllers),
        "service-account-private-key-file": folder / "accounts.key",
        "leader-elect": "false",
        "secure-port": 0,
        "profiling": "false",
    }
