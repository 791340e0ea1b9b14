"""The published Secret's keys, as MySQL's clients and the Service Binding specification name them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from dbclaims.core.spi import Credentials, Endpoint, TLSMode

MODES: Mapping[TLSMode, str] = {
    TLSMode.VERIFY_FULL: "VERIFY_IDENTITY",
    TLSMode.VERIFY_CA: "VERIFY_CA",
    TLSMode.REQUIRE: "REQUIRED",
    TLSMode.DISABLE: "DISABLED",
}
"""What MySQL's clients call the modes (`--ssl-mode`)."""

_GO_TLS: Mapping[TLSMode, str] = {
    TLSMode.VERIFY_FULL: "true",
    TLSMode.VERIFY_CA: "true",
    TLSMode.REQUIRE: "skip-verify",
    TLSMode.DISABLE: "false",
}


def connection(endpoint: Endpoint, database: str, login: Credentials, ca_path: str | None) -> Mapping[str, str]:
    """Every key but `provider`. `ca_path` is where the application mounts the CA; None leaves it out.

    `uri` is what MySQL Shell and its connectors read, `dsn` is the Go driver's, which has no place for a CA.
    """
    mode = MODES[endpoint.tls.mode]
    known = {
        "type": "mysql",
        "host": endpoint.host,
        "port": str(endpoint.port),
        "database": database,
        "username": login.username,
        "password": login.password,
        "sslmode": mode,
        "uri": _uri(endpoint, database, login, {"ssl-mode": mode, **({"ssl-ca": ca_path} if ca_path else {})}),
        "dsn": _dsn(endpoint, database, login),
    }
    return {**known, "ca.crt": endpoint.tls.ca} if endpoint.tls.ca else known


def _uri(endpoint: Endpoint, database: str, login: Credentials, parameters: Mapping[str, str]) -> str:
    user, password, path = (quote(part, safe="") for part in (login.username, login.password, database))
    query = urlencode(parameters, quote_via=quote, safe="")
    return f"mysql://{user}:{password}@{_host(endpoint)}:{endpoint.port}/{path}?{query}"


def _dsn(endpoint: Endpoint, database: str, login: Credentials) -> str:
    place = f"tcp({_host(endpoint)}:{endpoint.port})"
    return f"{login.username}:{login.password}@{place}/{quote(database, safe='')}?tls={_GO_TLS[endpoint.tls.mode]}"


def _host(endpoint: Endpoint) -> str:
    return f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
