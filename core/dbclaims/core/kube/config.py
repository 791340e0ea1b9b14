"""Where the API server is and how we prove who we are.

A `ClusterAccess` is one loaded configuration, of which a fresh one can be loaded at any time, for rotated tokens,
certificates and CAs. In a pod it is two files, read here: the `kubernetes` package, which reads kubeconfigs
(`dbclaims.core.kube.kubeconfig`), costs 19 MiB and a fifth of a second of every start.

    ConfigError   the configuration cannot be used; the message says which file and what to do
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from attrs import field, frozen
from cachetools.func import ttl_cache

REFRESH = 10.0
"""Seconds for which a login's headers are sent without asking for them again, which costs as much as the request does.
A token that ends earlier is replaced at its first 401."""

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class ConfigError(Exception):
    """The cluster's configuration cannot be used."""


@frozen
class ClusterAccess:
    """One loaded configuration.

    Attributes:
        host: the API server's URL, without a trailing slash.
        tls: the one SSL context of all connections (one each costs 711 KiB, framework.md §1.3); None for http.
        server_name: the name that the server's certificate must carry, where it is not the URL's.
        proxy: the proxy's URL, None for a direct connection.
        headers: the login's headers, refreshed where due; called for every request, never changed by the caller.
    """

    host: str
    tls: ssl.SSLContext | None = None
    server_name: str | None = None
    proxy: str | None = field(default=None, repr=False)
    headers: Callable[[], dict[str, str]] = field(default=dict, repr=False)


Loader = Callable[[], ClusterAccess]


def access_loader(kubeconfig: str | None = None, context: str | None = None) -> Loader:
    """How to load the access: from a kubeconfig if it or a context is named, else in-cluster, else the default one."""
    if not kubeconfig and not context and "KUBERNETES_SERVICE_HOST" in os.environ:
        return in_cluster
    # Only here: see the module's text.
    from .kubeconfig import from_kubeconfig

    return partial(from_kubeconfig, kubeconfig, context)


def in_cluster(account: Path = ACCOUNT, environ: Mapping[str, str] = os.environ) -> ClusterAccess:
    """Load the service account that Kubernetes gives to a pod. Raises `ConfigError`.

    The environment's proxy is not used: the API server is never behind it (framework.md §1.2 v).
    """
    try:
        host, port = environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"]
        tls = ssl.create_default_context(cafile=account / "ca.crt")
        _bearer(account)
    except KeyError as error:
        raise ConfigError(f"{error.args[0]} is not set, as it is in a pod; outside one, use --kubeconfig") from error
    except OSError as error:
        raise ConfigError(f"no service account in {account}: {error}; outside a pod, use --kubeconfig") from error
    return ClusterAccess(
        host=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        tls=tls,
        # Kubelet replaces the token while the pod runs.
        headers=ttl_cache(maxsize=1, ttl=REFRESH)(partial(_bearer, account)),
    )


def own_namespace(account: Path = ACCOUNT) -> str | None:
    """The namespace that Kubernetes tells a pod it runs in; None outside a pod."""
    try:
        return (account / "namespace").read_text().strip() or None
    except OSError:
        return None


def _bearer(account: Path) -> dict[str, str]:
    token = (account / "token").read_text().strip()
    if not token:
        raise OSError("its token is empty")
    return {"Authorization": f"Bearer {token}"}
