"""Provider `aws`: RDS instances for PostgreSQL, MySQL and MariaDB, and Aurora clusters for the first two.

Names are deterministic and ownership stands in tags, so that a lost reply, a crash or a rebuilt controller finds what
it made. Credentials come by boto3's ordinary chain; nothing in `spec.config` names an endpoint.
"""

from __future__ import annotations

from dbclaims.core.spi import (
    Action,
    Feature,
    Plan,
    ProviderInfo,
    SecretReader,
    Server,
    ServerRef,
    ServerSpec,
    hookimpl,
)

from . import plan as planning
from . import steps
from .config import Config
from .observed import AWSServer
from .session import Session, close_session, open_session

FEATURES = frozenset(
    {
        Feature.CREATE,
        Feature.VERSION,
        Feature.RESIZE,
        Feature.STORAGE,
        Feature.HIGH_AVAILABILITY,
        Feature.PARAMETERS,
        Feature.MAINTENANCE_WINDOW,
        Feature.BACKUP,
        Feature.TAGS,
        Feature.SNAPSHOT,
    }
)


@hookimpl
def provider_info() -> ProviderInfo:
    """Two engines, every feature of a provider that makes servers."""
    return ProviderInfo("aws", engines=frozenset({"postgres", "mysql"}), config=Config, features=FEATURES)


@hookimpl
def provider_open(config: Config, secrets: SecretReader) -> Session:
    """Join the sessions of this account and region."""
    return open_session(config, secrets)


@hookimpl
def provider_observe(session: Session, ref: ServerRef) -> Server | None:
    """The server as AWS describes it. Raises `NotOwned` for one that carries others' tags."""
    server: Server | None = steps.kind_of(session.config).observe(session, ref)
    return server


@hookimpl
def provider_plan(desired: ServerSpec | None, observed: Server | None) -> Plan:
    """The next steps; disruptive ones are marked. Raises `InvalidSpec` for what AWS or we refuse."""
    if observed is None:
        return planning.making(desired) if desired else ()
    assert isinstance(observed, AWSServer)
    plan: Plan = steps.kind_of(observed.config).plan(desired, observed)
    return plan


@hookimpl
def provider_apply(session: Session, ref: ServerRef, action: Action) -> None:
    """Start one step. Whose the server is, is looked up again right before anything of it is changed."""
    try:
        steps.take(session, ref, action)
    finally:
        session.changed(ref)


@hookimpl
def provider_close(session: Session) -> None:
    """Leave the account's sessions."""
    close_session(session)
