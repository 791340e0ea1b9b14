"""From a kubeconfig's context to a login, without the `kubernetes` package: tokens, client certificates, exec plugins.

Whatever else a context asks for (a cloud's `auth-provider`, the environment's proxy) is `Unfamiliar`, and left to
`dbclaims.core.kube.kubeconfig`, which costs a quarter of a second. Imports: see `dbclaims.core.kube.contexts`.
"""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .contexts import Context, ContextError

_FOREIGN = ("auth-provider",)


class Unfamiliar(Exception):
    """The context asks for something that only the `kubernetes` package knows."""


class Access(NamedTuple):
    """Where the API server is and how we prove who we are; the fields of `dbclaims.core.kube.config.ClusterAccess`."""

    host: str
    tls: ssl.SSLContext | None
    server_name: str | None
    proxy: str | None
    headers: Callable[[], dict[str, str]]

    def __repr__(self) -> str:
        return f"Access({self.host})"


def access(context: Context, environ: Mapping[str, str] = os.environ) -> Access:
    """The login that a context describes; an exec plugin is run here. Raises `Unfamiliar` and `ContextError`."""
    cluster, user = context.cluster, context.user
    host = str(cluster.get("server") or "").rstrip("/")
    if not host.startswith(("http://", "https://")):
        raise ContextError(f'context "{context.name}": its cluster has no server; correct the kubeconfig')
    if any(key in user for key in _FOREIGN) or (not cluster.get("proxy-url") and _proxied(environ)):
        raise Unfamiliar(context.name)
    credential = _executed(user, cluster, environ) if "exec" in user else dict(user)
    return Access(
        host=host,
        tls=_tls(cluster, credential) if host.startswith("https") else None,
        server_name=cluster.get("tls-server-name") or None,
        proxy=cluster.get("proxy-url") or None,
        headers=lambda: _headers(credential),
    )


def _proxied(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"))


def _executed(user: Mapping[str, Any], cluster: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    # Only here: a process costs more than its import.
    from .execplugin import credential

    return credential(user, cluster, environ)


def _headers(credential: Mapping[str, Any]) -> dict[str, str]:
    """The login's headers, the token's file read anew: its writer rotates it."""
    if path := credential.get("tokenFile"):
        try:
            return {"Authorization": f"Bearer {Path(path).read_text().strip()}"}
        except OSError as error:
            raise ContextError(f"the token file {path} cannot be read: {error.strerror}") from error
    if token := credential.get("token"):
        return {"Authorization": f"Bearer {token}"}
    if username := credential.get("username"):
        basic = base64.b64encode(f"{username}:{credential.get('password', '')}".encode()).decode()
        return {"Authorization": f"Basic {basic}"}
    return {}


def _tls(cluster: Mapping[str, Any], credential: Mapping[str, Any]) -> ssl.SSLContext:
    authority, data = cluster.get("certificate-authority"), cluster.get("certificate-authority-data")
    try:
        # The system's authorities are loaded only where the file names none: they cost 10 ms.
        text = _decoded(data).decode("ascii") if data else None
        context = ssl.create_default_context(cafile=None if data else authority, cadata=text)
        _present(context, credential)
    except (OSError, ValueError) as error:
        raise ContextError(f"the kubeconfig's certificates cannot be used: {error}") from error
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _present(context: ssl.SSLContext, credential: Mapping[str, Any]) -> None:
    """Load the client certificate, whose key Python reads from a file only: ours is gone as soon as it was read."""
    certificate, key = credential.get("client-certificate"), credential.get("client-key")
    if not certificate and not credential.get("client-certificate-data"):
        return
    # Only here: most users have a token, and this import costs 15 ms.
    import tempfile

    with tempfile.TemporaryDirectory(prefix="dbclaims-") as folder:
        for name, path in (("client-certificate", certificate), ("client-key", key)):
            data = credential.get(f"{name}-data")
            content = _decoded(data) if data else Path(str(path)).read_bytes()
            descriptor = os.open(Path(folder, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
        context.load_cert_chain(Path(folder, "client-certificate"), Path(folder, "client-key"))


def _decoded(data: str) -> bytes:
    return base64.b64decode(data, validate=True)
