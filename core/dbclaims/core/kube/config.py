"""Where the API server is and how we prove who we are.

The `kubernetes` package reads the configuration (kubeconfig, exec plugins, in-cluster files); what it read becomes a
`ClusterAccess`, of which a fresh one can be loaded at any time, for rotated tokens, certificates and CAs.

    ConfigError   the configuration cannot be used; the message says which file and what to do
"""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from attrs import field, frozen
from cachetools.func import ttl_cache
from kubernetes.client import Configuration
from kubernetes.client.rest import should_bypass_proxies
from kubernetes.config import kube_config
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.incluster_config import InClusterConfigLoader
from yaml import YAMLError

REFRESH = 10.0
"""Seconds for which a login's headers are sent without asking the package again, which sets its whole configuration
anew each time and costs as much as the request. A token that ends earlier is replaced at its first 401."""

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
    return partial(from_kubeconfig, kubeconfig, context)


def from_kubeconfig(kubeconfig: str | None = None, context: str | None = None) -> ClusterAccess:
    """Load a kubeconfig (default: $KUBECONFIG, then ~/.kube/config). Raises `ConfigError`."""
    configuration = Configuration()
    try:
        kube_config.load_kube_config(kubeconfig, context, configuration, persist_config=False)  # type: ignore[no-untyped-call]
        return _access(configuration)
    # The package checks no types, so a malformed file comes out as one of the last three.
    except (ConfigException, YAMLError, OSError, ValueError, TypeError, AttributeError, LookupError) as error:
        where = kubeconfig or "the default kubeconfig"
        raise ConfigError(f"{where} cannot be used: {error}; name another with --kubeconfig or --context") from error


def in_cluster(account: Path = ACCOUNT, environ: Mapping[str, str] = os.environ) -> ClusterAccess:
    """Load the service account that Kubernetes gives to a pod. Raises `ConfigError`."""
    # An empty proxy keeps HTTPS_PROXY of the environment away: the API server is never behind it (framework.md §1.2 v).
    configuration = Configuration(proxy="")
    try:
        loader = InClusterConfigLoader(str(account / "token"), str(account / "ca.crt"), environ=environ)  # type: ignore[no-untyped-call]
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
        return _access(configuration)
    except (ConfigException, OSError) as error:
        raise ConfigError(f"no service account in {account}: {error}; outside a pod, use --kubeconfig") from error


def _access(configuration: Configuration) -> ClusterAccess:
    host = configuration.host.rstrip("/")
    proxy = configuration.proxy or None
    if proxy and should_bypass_proxies(host, configuration.no_proxy or ""):
        proxy = None
    return ClusterAccess(
        host=host,
        tls=_tls(configuration) if host.startswith("https") else None,
        server_name=configuration.tls_server_name,
        proxy=proxy,
        headers=ttl_cache(maxsize=1, ttl=REFRESH)(partial(_headers, configuration, threading.Lock())),
    )


def _tls(configuration: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _headers(configuration: Configuration, lock: threading.Lock) -> dict[str, str]:
    # The package runs an exec plugin once per thread at expiry; under a lock it runs once (framework.md §1.2 r).
    with lock:
        token = configuration.get_api_key_with_prefix("BearerToken")
    return {"Authorization": token.strip()} if token else {}
