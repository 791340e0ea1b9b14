"""The values that cross the plugin boundary. Frozen; a secret never shows in a repr."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from .features import Feature
from .mark import Mark

SPI_VERSION = 1
"""The boundary's version. A plugin names the one that it was written for."""


# --- the server, made or reached by a provider -------------------------------------------------------------------


class TLSMode(enum.StrEnum):
    """How a connection is protected; the words are libpq's (PostgreSQL manual, `sslmode`)."""

    VERIFY_FULL = "verify-full"
    VERIFY_CA = "verify-ca"
    REQUIRE = "require"
    DISABLE = "disable"


@attrs.frozen
class TLS:
    """Protection of a connection; `ca` is PEM text, or None for the system's authorities."""

    mode: TLSMode = TLSMode.VERIFY_FULL
    ca: str | None = attrs.field(default=None, repr=False)


@attrs.frozen
class Endpoint:
    """Where a server listens."""

    host: str
    port: int
    tls: TLS = TLS()


@attrs.frozen
class Credentials:
    """A name and a password that log in together."""

    username: str
    password: str = attrs.field(repr=False)


SecretReader = Callable[[str], Mapping[str, str]]
"""Reads a Secret by name in the server's own namespace. Raises `NotReady` when it does not exist."""


@attrs.frozen
class ServerRef:
    """Which server: deterministic, so that a rebuilt cluster finds its servers again.

    Attributes:
        namespace: of the DatabaseServer object.
        name: of the DatabaseServer object.
        owner: uid of that namespace; a provider that makes servers tags them with it and answers `NotOwned` for
            another's. An object that is deleted and applied again finds its server so (PROTOCOL.md §2).
        installation: our installation id, to be part of the name or tag at a cloud.
        final_snapshot: whether the server's end leaves a last snapshot (deletionPolicy Snapshot).
    """

    namespace: str
    name: str
    owner: str
    installation: str = ""
    final_snapshot: bool = False


@attrs.frozen
class ServerSpec:
    """What is wished of a server. None means: no wish, keep what is."""

    ref: ServerRef
    engine: str
    version: str | None = None
    size: str | None = None
    storage_gib: int | None = None
    high_availability: bool | None = None
    parameters: Mapping[str, str] = attrs.field(factory=dict)
    maintenance_window: str | None = None
    backup: Mapping[str, Any] | None = None
    tags: Mapping[str, str] = attrs.field(factory=dict)
    admin: Credentials | None = None
    """The admin login to make, where the provider does not make one of its own (`provider_credentials`)."""
    deletion_policy: str = "Retain"


@attrs.frozen
class Finding:
    """Something that a person should know although the work goes on: a stable reason and one sentence."""

    reason: str
    message: str


@attrs.frozen
class Server:
    """A server as it is observed.

    Attributes:
        ready: whether an engine may connect.
        endpoint: where the controller connects; None until there is one.
        client_endpoint: what applications get, if it differs.
        poll_after: seconds until a look is worth while, while it is not ready or is changing.
        traits: facts that the engine's SQL needs, such as `{"admin_role": "rds_superuser"}`.
    """

    ref: ServerRef
    engine: str
    version: str | None = None
    size: str | None = None
    ready: bool = True
    endpoint: Endpoint | None = None
    client_endpoint: Endpoint | None = None
    poll_after: float | None = None
    traits: Mapping[str, str] = attrs.field(factory=dict)
    findings: tuple[Finding, ...] = ()
    message: str = ""


# --- one step of the loop ----------------------------------------------------------------------------------------


@attrs.frozen
class Action:
    """One idempotent step.

    Attributes:
        verb: a stable word, shown in `status.pending`.
        why: the difference that asks for it, shown to people.
        args: what `apply` needs; may hold a password's verifier and so never shows.
        disruptive: whether it interrupts clients; it then waits for a window or an approval.
    """

    verb: str
    why: str
    args: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    disruptive: bool = False


Plan = tuple[Action, ...]


# --- databases and roles, made by an engine ----------------------------------------------------------------------


class Access(enum.StrEnum):
    """What a login may do in a schema (PROTOCOL.md §1). Ordered: each includes the one before it."""

    READER = "reader"
    WRITER = "writer"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        """0 for the least."""
        return (Access.READER, Access.WRITER, Access.OWNER).index(self)


@attrs.frozen
class Installation:
    """Who we are on a server.

    Attributes:
        id: the installation id; part of the holder role's name and of every mark.
        lock_key: secret from which lock keys are derived, so that nobody can guess them (PROTOCOL.md §4.7).
    """

    id: str
    lock_key: bytes = attrs.field(repr=False)


@attrs.frozen
class DatabaseRef:
    """Which database.

    Attributes:
        name: the database's name.
        owner: the role that owns its schemas.
        roles: every further role that the core will ask about.
        identity: the server's own id that must be found there; None while it is not known yet.
    """

    name: str
    owner: str
    roles: tuple[str, ...] = ()
    identity: str | None = None


@attrs.frozen
class Account:
    """One of the two accounts of a login.

    Attributes:
        name: its role name.
        login: whether it may log in; None leaves it as it is.
        verifier: the password's verifier to set (`engine_verifier`); None leaves the password alone.
    """

    name: str
    login: bool | None = None
    verifier: str | None = attrs.field(default=None, repr=False)


@attrs.frozen
class Login:
    """A login: a role that owns nothing but rights, and two accounts that act as it in turn.

    Attributes:
        role: the NOLOGIN role that the accounts act as; the database's owner for full access.
        accounts: the two of them.
        grants: access by schema; empty for the owner.
        connection_limit: per account; None for no limit.
        mark: whose the role is; None where the role is the database's owner.
        drop: whether role and accounts are to be removed.
    """

    role: str
    accounts: tuple[Account, Account]
    grants: Mapping[str, Access] = attrs.field(factory=dict)
    connection_limit: int | None = None
    mark: Mark | None = None
    drop: bool = False


@attrs.frozen
class DatabaseSpec:
    """What is wished of a database.

    Attributes:
        mark: whose it is to be; with state `released` its logins are closed and the data stay.
        logins: the owner's first, then one for each RoleClaim.
        schemas: to exist and to belong to the owner, in search_path order.
        extensions: to be installed.
        adopt: whether an existing database that is not ours may be taken over: the core has checked the consent.
    """

    ref: DatabaseRef
    mark: Mark
    logins: tuple[Login, ...]
    schemas: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    adopt: bool = False


@attrs.frozen
class Role:
    """A role as it is observed.

    Attributes:
        acts_as: the role that its sessions act as, or None.
        settings: its own settings, `name=value`, and with `database:` in front those that hold in one database.
        limit: allowed connections; None for no limit.
        sessions: connections open now.
        mark: the mark in its comment.
    """

    name: str
    login: bool
    member_of: frozenset[str] = frozenset()
    acts_as: str | None = None
    settings: tuple[str, ...] = ()
    limit: int | None = None
    sessions: int = 0
    mark: Mark | None = None


@attrs.frozen
class Contents:
    """What a database holds, as its own login sees it.

    Attributes:
        schemas: name to owner.
        extensions: installed.
        grants: role to schema to access that is complete, for later objects too.
        findings: what people should know, and only a look inside shows.
    """

    schemas: Mapping[str, str]
    extensions: frozenset[str]
    grants: Mapping[str, Mapping[str, Access]] = attrs.field(factory=dict)
    findings: tuple[Finding, ...] = ()


@attrs.frozen
class Database:
    """A database as it is observed.

    Attributes:
        ref: which.
        present: False while only some of its roles exist: half made, or half dropped.
        owner: the role that acts as its owner.
        held: whether it belongs to our holder role; False for an adopted or a foreign one.
        mark: whose it is; None where it carries no mark.
        comment: the whole comment.
        closed: whether the right to connect was taken from everybody but its own roles.
        roles: by name; a role that does not exist is not in it.
        contents: what is inside; None while nobody has looked.
        findings: what people should know.
    """

    ref: DatabaseRef
    owner: str
    held: bool
    mark: Mark | None
    present: bool = True
    comment: str = ""
    closed: bool = True
    roles: Mapping[str, Role] = attrs.field(factory=dict)
    contents: Contents | None = None
    findings: tuple[Finding, ...] = ()


class Verdict(enum.StrEnum):
    """How a server answered a login."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """The password was refused: proved by the message and by the catalogue."""
    CLOSED = "closed"
    """The account may not log in, is absent, or may not connect to this database."""
    FULL = "full"
    """A connection limit is reached; the password was not tried."""
    UNKNOWN = "unknown"
    """Anything else: nothing is proved."""


@attrs.frozen
class Probe:
    """What came of a login with published credentials.

    Attributes:
        verdict: how the server answered.
        message: the server's words, without secrets.
        acts_as: the role that the session acted as; None where the engine knows none, and its rights are its own.
        contents: what that session saw.
    """

    verdict: Verdict
    message: str = ""
    acts_as: str | None = None
    contents: Contents | None = None


@attrs.frozen
class Survey:
    """What a server says of itself.

    Attributes:
        version: as the server reports it.
        identity: the random id in our holder role's mark; None where there is no such role.
        marked: whether anything in the server carries a mark of this installation.
        read_only: whether it refuses writes (a replica, or default_transaction_read_only).
        findings: what people should know.
    """

    version: str
    identity: str | None
    marked: bool = False
    read_only: bool = False
    findings: tuple[Finding, ...] = ()


# --- what a plugin says of itself --------------------------------------------------------------------------------


@attrs.frozen
class ProviderInfo:
    """A provider's description.

    Attributes:
        name: equal to its entry point's.
        engines: names of the engines whose servers it can make or reach; empty for any.
        config: attrs class of `spec.config`; None where it takes none.
        features: what it can do.
        spi: the boundary's version that it was written for.
    """

    name: str
    engines: frozenset[str] = frozenset()
    config: type | None = None
    features: frozenset[Feature] = frozenset()
    spi: int = SPI_VERSION


@attrs.frozen
class EngineInfo:
    """An engine's description.

    Attributes:
        name: equal to its entry point's.
        versions: major versions that it was proved on.
        default_port: of its servers.
        name_limit: longest identifier, counted in `name_unit`.
        name_unit: `bytes` or `characters`.
        role_limit: longest role name, in the same unit.
        reserved: shell-style patterns of names that a claim may not ask for, matched in lower case.
        secret_type: the published Secret's type.
        features: what it can do.
        spi: the boundary's version that it was written for.
    """

    name: str
    versions: tuple[str, ...]
    default_port: int
    name_limit: int
    role_limit: int
    reserved: tuple[str, ...] = ()
    name_unit: str = "bytes"
    secret_type: str = "Opaque"
    features: frozenset[Feature] = frozenset()
    spi: int = SPI_VERSION
