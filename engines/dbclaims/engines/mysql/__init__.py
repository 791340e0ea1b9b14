"""The engine `mysql`: databases and logins on MySQL 8.0 to 9 and MariaDB 10.11 to 11.8.

Here stand the hooks and what the engine says of itself; each hook's work is in the module of its name. A MySQL
database is one schema: a claim's `schemas` and `extensions` are refused, and a RoleClaim's access is to the whole
database. There are no roles here either: each login's two accounts are granted what they may do, and the role that
the core names is a locked account which carries the mark. Nothing here knows Kubernetes or a cloud.
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
from .observe import MySQLDatabase
from .quoting import ACCOUNT_LIMIT, NAME_LIMIT
from .session import Session

RESERVED = (
    "mysql",
    "mysql.*",
    "#mysql50#*",
    "sys",
    "information_schema",
    "performance_schema",
    "innodb",
    "ndbinfo",
    "mysql_innodb_cluster_metadata",
    "percona*",
    "rds*",
    "cloudsql*",
    "azure_*",
    "test",
    "dbclaims*",
)
"""Names of the server's own and of the clouds' databases (PROTOCOL.md §2)."""


@hookimpl
def engine_info() -> EngineInfo:
    """Describe the engine."""
    return EngineInfo(
        name="mysql",
        versions=("8.0", "8.4", "9", "10.11", "11.4", "11.8"),
        default_port=3306,
        name_limit=NAME_LIMIT,
        role_limit=ACCOUNT_LIMIT,
        name_unit="characters",
        reserved=RESERVED,
        secret_type="servicebinding.io/mysql",
        features=frozenset({Feature.ROLES, Feature.CONNECTION_LIMIT, Feature.ADOPTION}),
    )


@hookimpl
def engine_open(endpoint: Endpoint, admin: Credentials, installation: Installation, slots: int) -> Session:
    """Make a session; nothing is contacted."""
    return session.open_session(endpoint, admin, installation, slots)


@hookimpl
def engine_survey(session: Session) -> Survey:
    """Look at the server as a whole."""
    return holding.survey(session)


@hookimpl
def engine_hold(session: Session, identity: str) -> str:
    """Make the account that carries the identity, or find the identity of the one that stands."""
    return holding.hold(session, identity)


@hookimpl
def engine_lock(session: Session, ref: DatabaseRef) -> AbstractContextManager[Session]:
    """Keep other controllers away from one database."""
    return locking.locked(session, ref)


@hookimpl
def engine_observe(session: Session, ref: DatabaseRef) -> MySQLDatabase | None:
    """Look at the database and its accounts."""
    return observe.observe(session, ref)


@hookimpl
def engine_plan(desired: DatabaseSpec | None, observed: MySQLDatabase | None) -> Plan:
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
    """Count the open connections of each account in `ref`."""
    return sessions.count(session, ref)


@hookimpl
def engine_connection(endpoint: Endpoint, database: str, login: Credentials, ca_path: str | None) -> Mapping[str, str]:
    """The published Secret's keys."""
    return connection.connection(endpoint, database, login, ca_path)


@hookimpl
def engine_close(session: Session) -> None:
    """Close the session's connections."""
    session.close()
