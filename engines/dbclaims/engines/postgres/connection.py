"""The published Secret's keys, as libpq and the Service Binding specification name them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from psycopg.conninfo import make_conninfo

from dbclaims.core.spi import Credentials, Endpoint


def connection(endpoint: Endpoint, database: str, login: Credentials, ca_path: str | None) -> Mapping[str, str]:
    """Every key but `provider`. `ca_path` is where the application mounts the CA; None leaves it out."""
    parameters = {"sslmode": endpoint.tls.mode.value, **({"sslrootcert": ca_path} if ca_path else {})}
    known = {
        "type": "postgresql",
        "host": endpoint.host,
        "port": str(endpoint.port),
        "database": database,
        "username": login.username,
        "password": login.password,
        "sslmode": endpoint.tls.mode.value,
        "uri": _uri(endpoint, database, login, parameters),
        "dsn": _dsn(endpoint, database, login, parameters),
    }
    return {**known, "ca.crt": endpoint.tls.ca} if endpoint.tls.ca else known


def _uri(endpoint: Endpoint, database: str, login: Credentials, parameters: Mapping[str, str]) -> str:
    user, password, path = (quote(part, safe="") for part in (login.username, login.password, database))
    host = f"[{endpoint.host}]" if ":" in endpoint.host else quote(endpoint.host, safe="")
    query = urlencode(parameters, quote_via=quote, safe="")
    return f"postgresql://{user}:{password}@{host}:{endpoint.port}/{path}?{query}"


def _dsn(endpoint: Endpoint, database: str, login: Credentials, parameters: Mapping[str, str]) -> str:
    return make_conninfo(
        host=endpoint.host,
        port=endpoint.port,
        dbname=database,
        user=login.username,
        password=login.password,
        **parameters,
    )
