"""A kubeconfig, read by the `kubernetes` package: contexts, exec plugins, OIDC, client certificates, proxies."""

from __future__ import annotations

import ssl
import threading
from functools import partial

from cachetools.func import ttl_cache
from kubernetes.client import Configuration
from kubernetes.client.rest import should_bypass_proxies
from kubernetes.config import kube_config
from kubernetes.config.config_exception import ConfigException
from yaml import YAMLError

from .config import REFRESH, ClusterAccess, ConfigError


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
