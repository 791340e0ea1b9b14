"""Provider `existing`: a server that somebody else runs, reached by host, port, an admin Secret and a TLS mode.

It makes nothing, changes nothing and deletes nothing, and it does not go to the network: whether the host answers,
which version and identity it has, and whether a pooler stands before it, is found by the engine, which speaks its
language. Hooks are called by keyword, so they declare only what they need.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs
from attrs.validators import ge, le

from dbclaims.core.spi import (
    TLS,
    Action,
    Credentials,
    Endpoint,
    Finding,
    Plan,
    ProviderInfo,
    SecretReader,
    Server,
    ServerRef,
    Terminal,
    TLSMode,
    certificates,
    hookimpl,
)

LOOK_AGAIN = 30.0
"""Seconds until a Secret that lacked something is read again: it may be mended without an event (DESIGN.md §5)."""

_VERIFIES = {TLSMode.VERIFY_FULL, TLSMode.VERIFY_CA}
# No comma (libpq would read a list of hosts), no slash (a socket's directory), no "@" or "=" (parts of a URI or DSN).
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+")
_port = [ge(1), le(65535)]


def _host(_: object, field: attrs.Attribute[str], value: str) -> None:
    if not _HOST.fullmatch(value):
        raise ValueError(f"{field.name} must be a host's name or address, and nothing beside it")


# --- configuration -----------------------------------------------------------------------------------------------


@attrs.frozen
class AdminSecretRef:
    """The Secret with the admin login, in the server's namespace, and the keys under which it stands."""

    name: str
    username_key: str = "username"
    password_key: str = "password"


@attrs.frozen
class CASecretRef:
    """The Secret with the authorities that sign the server's certificate, in the server's namespace."""

    name: str
    key: str = "ca.crt"


@attrs.frozen
class TLSConfig:
    """How connections are protected; without `ca_secret_ref` the system's authorities are trusted."""

    mode: TLSMode = TLSMode.VERIFY_FULL
    ca_secret_ref: CASecretRef | None = None


@attrs.frozen
class ClientEndpoint:
    """What applications get in their Secret, where it is not what the controller uses: a pooler, another network."""

    host: str = attrs.field(validator=_host)
    port: int = attrs.field(validator=_port)


@attrs.frozen
class Config:
    """`spec.config` of a server of this provider.

    Attributes:
        host: a direct address; a pooler in transaction mode forgets our locks (PROTOCOL.md §4.6).
        port: has no default, since the usual one belongs to the engine, and a provider knows no engine.
    """

    host: str = attrs.field(validator=_host)
    port: int = attrs.field(validator=_port)
    admin_secret_ref: AdminSecretRef
    tls: TLSConfig = TLSConfig()
    client_endpoint: ClientEndpoint | None = None


@attrs.frozen
class Session:
    """What the hooks share: the configuration, and how to read a Secret."""

    config: Config
    secrets: SecretReader = attrs.field(repr=False)


# --- hooks -------------------------------------------------------------------------------------------------------


@hookimpl
def provider_info() -> ProviderInfo:
    """Any engine, no feature: this provider only reaches servers."""
    return ProviderInfo("existing", config=Config)


@hookimpl
def provider_open(config: Config, secrets: SecretReader) -> Session:
    """Hold the configuration."""
    return Session(config, secrets)


@hookimpl
def provider_observe(session: Session, ref: ServerRef) -> Server:
    """The server as configured: never absent and never None, since somebody else decides whether it exists.

    Raises `InvalidSpec` for a broken CA, `Terminal` (`SecretKeyMissing`), and what the reader of Secrets raises.
    """
    config = session.config
    tls = TLS(config.tls.mode, _authorities(session, ref))
    client = config.client_endpoint
    return Server(
        ref,
        engine="",
        endpoint=Endpoint(config.host, config.port, tls),
        client_endpoint=Endpoint(client.host, client.port, tls) if client else None,
        findings=_findings(config.tls.mode),
    )


@hookimpl
def provider_plan() -> Plan:
    """Nothing, whatever is wished: the end of the object is not the end of the host."""
    return ()


@hookimpl
def provider_apply(ref: ServerRef, action: Action) -> None:
    """Refuse: this provider plans no action, so one that arrives was not planned by it."""
    raise Terminal(f"server {ref.namespace}/{ref.name} exists on its own; {action.verb} it where it was made")


@hookimpl
def provider_credentials(session: Session, ref: ServerRef) -> Credentials:
    """The admin login, read live: somebody else rotates it. Raises `Terminal` (`SecretKeyMissing`)."""
    reference = session.config.admin_secret_ref
    secret = session.secrets(reference.name)
    where = f"Secret {ref.namespace}/{reference.name}"
    return Credentials(_value(secret, reference.username_key, where), _value(secret, reference.password_key, where))


# --- decisions ---------------------------------------------------------------------------------------------------


def _value(secret: Mapping[str, str], key: str, where: str) -> str:
    if value := secret.get(key):
        return value
    message = f"{where} has no value under the key {key!r}; add it, or name the right key in spec.config"
    raise Terminal(message, reason="SecretKeyMissing", retry_after=LOOK_AGAIN)


def _authorities(session: Session, ref: ServerRef) -> str | None:
    """The certificates of the CA Secret; None for the system's, and where nothing is checked.

    libpq checks the certificate even under `require` as soon as it is given a CA, so that a lower mode gets none.
    """
    reference = session.config.tls.ca_secret_ref
    if reference is None or session.config.tls.mode not in _VERIFIES:
        return None
    where = f"Secret {ref.namespace}/{reference.name}"
    return certificates(_value(session.secrets(reference.name), reference.key, where), f"{where}, key {reference.key}")


def _findings(mode: TLSMode) -> tuple[Finding, ...]:
    if mode is TLSMode.VERIFY_FULL:
        return ()
    unchecked = {
        TLSMode.VERIFY_CA: "does not check that the certificate was made for this host",
        TLSMode.REQUIRE: "does not check who answers",
        TLSMode.DISABLE: "sends everything in clear text",
    }
    way_out = "set it to verify-full, with caSecretRef where the authority is your own"
    return (Finding("InsecureTLS", f"spec.config.tls.mode {mode} {unchecked[mode]}; {way_out}"),)
