"""The engine `postgres`: databases, roles and logins on a PostgreSQL server, 14 to 18.

Here stand the hooks and what the engine says of itself; each hook's work is in the module of its name. Nothing here
knows Kubernetes or a cloud: what differs between clouds comes as `traits` — `auth` (libpq's `require_auth`),
`maintenance_database`, `admin_role`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from dbclaims.core.spi import (
    Action,
    Credentials,
    DatabaseRef,
    DatabaseSpec,
    Endpoint,
    EngineInfo,
    Feature,
    Installation,
    Plan,
    Probe,
    Survey,
    hookimpl,
)

from . import apply, connection, holding, locking, observe, plan, probe, session, sessions, verifier
from .observe import PostgresDatabase
from .quoting import NAME_LIMIT
from .session import Session

RESERVED = (
    "postgres",
    "template*",
    "pg_*",
    "public",
    "none",
    "dbclaims*",
    "rdsadmin",
    "rds*",
    "cloudsqladmin",
    "cloudsql*",
    "alloydb*",
    "azure_*",
    "azuresu",
)
"""Names of the server's own and of the clouds' databases and roles (PROTOCOL.md §2)."""


@hookimpl
def engine_info() -> EngineInfo:
    """Describe the engine."""
    return EngineInfo(
        name="postgres",
        versions=("14", "15", "16", "17", "18"),
        default_port=5432,
        name_limit=NAME_LIMIT,
        role_limit=NAME_LIMIT,
        reserved=RESERVED,
        secret_type="servicebinding.io/postgresql",
        features=frozenset(
            {Feature.SCHEMAS, Feature.EXTENSIONS, Feature.ROLES, Feature.CONNECTION_LIMIT, Feature.ADOPTION}
        ),
    )


@hookimpl
def engine_open(
    endpoint: Endpoint, admin: Credentials, traits: Mapping[str, str], installation: Installation, slots: int
) -> Session:
    """Make a session; nothing is contacted."""
    return session.open_session(endpoint, admin, traits, installation, slots)


@hookimpl
def engine_survey(session: Session) -> Survey:
    """Look at the server as a whole."""
    return holding.survey(session)


@hookimpl
def engine_hold(session: Session, identity: str) -> str:
    """Make the holder role, or find the identity of the one that stands."""
    return holding.hold(session, identity)


@hookimpl
def engine_lock(session: Session, ref: DatabaseRef) -> AbstractContextManager[Session]:
    """Keep other controllers away from one database."""
    return locking.locked(session, ref)


@hookimpl
def engine_observe(session: Session, ref: DatabaseRef) -> PostgresDatabase | None:
    """Look at the database and its roles."""
    return observe.observe(session, ref)


@hookimpl
def engine_plan(desired: DatabaseSpec | None, observed: PostgresDatabase | None) -> Plan:
    """Decide what to do."""
    return plan.plan(desired, observed)


@hookimpl
def engine_apply(session: Session, ref: DatabaseRef, action: Action) -> None:
    """Do one action."""
    apply.apply(session, ref, action)


@hookimpl
def engine_verifier(login: Credentials) -> str:
    """What the server stores for this password."""
    return verifier.verifier(login.password)


@hookimpl
def engine_probe(session: Session, ref: DatabaseRef, login: Credentials) -> Probe:
    """Log in as an application would, and look."""
    return probe.probe(session, ref, login)


@hookimpl
def engine_sessions(session: Session, ref: DatabaseRef) -> Mapping[str, int]:
    """Count the open connections of each role in `ref`."""
    return sessions.count(session, ref)


@hookimpl
def engine_connection(endpoint: Endpoint, database: str, login: Credentials, ca_path: str | None) -> Mapping[str, str]:
    """The published Secret's keys."""
    return connection.connection(endpoint, database, login, ca_path)


@hookimpl
def engine_close(session: Session) -> None:
    """Close the session's connections."""
    session.close()
