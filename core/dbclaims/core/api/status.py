"""What the controller writes: the parts of `status` that several kinds share. Shapes: API.md."""

from __future__ import annotations

import enum
from datetime import UTC, datetime

from attrs import field, frozen

from .bounds import (
    DNS_LABEL,
    DNS_SUBDOMAIN,
    PORT,
    SHORT_TEXT,
    TEXT,
    UID,
    Bounds,
    about,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TYPE = Bounds(
    says="a condition's type",
    pattern=r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z][A-Za-z0-9]*$",
    min_length=1,
    max_length=316,
)
_REASON = Bounds(
    says="a CamelCase word", pattern=r"^[A-Za-z]([A-Za-z0-9_]*[A-Za-z0-9])?$", min_length=1, max_length=128
)


class ConditionStatus(enum.StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@frozen(kw_only=True)
class Condition:
    """One condition, shaped as Kubernetes' `metav1.Condition`."""

    type: str = field(metadata=about("Ready, Synced, Reconciling or Stalled; a warning has a type of its own.", _TYPE))
    status: ConditionStatus = field(metadata=about("Whether it holds."))
    reason: str = field(metadata=about("A stable word; the reference page explains each.", _REASON))
    message: str = field(default="", metadata=about("One sentence: who, what, the way out.", Bounds(max_length=4096)))
    observed_generation: int = field(
        default=0,
        metadata=about("The generation that it speaks of; of Ready, the last one made real.", Bounds(minimum=0)),
    )
    last_transition_time: datetime = field(default=EPOCH, metadata=about("When its status last changed."))


_WAITING = "Waiting for the controller to look at it."


def fresh_conditions() -> tuple[Condition, ...]:
    """What stands in a new object's status before the controller has looked at it: the CRD's default."""
    return tuple(
        Condition(type=type_, status=ConditionStatus.UNKNOWN, reason="Pending", message=_WAITING)
        for type_ in ("Ready", "Synced")
    )


@frozen(kw_only=True)
class StatusEndpoint:
    """Where clients connect."""

    host: str = field(metadata=about("Host name or address.", SHORT_TEXT))
    port: int = field(metadata=about("Port.", PORT))


@frozen(kw_only=True)
class BoundServer:
    """The DatabaseServer that a claim is bound to; binding happens once (PROTOCOL.md §3)."""

    name: str = field(metadata=about("Its name.", DNS_SUBDOMAIN))
    namespace: str = field(metadata=about("Its namespace.", DNS_LABEL))
    uid: str | None = field(default=None, metadata=about("Its uid.", Bounds(max_length=128)))


@frozen(kw_only=True)
class LoginStatus:
    """The published login. Never its password."""

    username: str = field(metadata=about("The login's name.", SHORT_TEXT))
    since: datetime | None = field(default=None, metadata=about("When it was published."))
    next_rotation: datetime | None = field(
        default=None, metadata=about("When the next rotation is due; absent where it rotates only on demand.")
    )
    rotate_token: str = field(
        default="", metadata=about("The last value of dbclaims.io/rotate that was carried out.", TEXT)
    )


@frozen(kw_only=True)
class PendingAction:
    """What the next pass would do, or what waits."""

    action: str = field(metadata=about("The step.", SHORT_TEXT))
    why: str = field(default="", metadata=about("The difference that asks for it.", TEXT))
    disruptive: bool = field(default=False, metadata=about("Whether clients would notice."))
    waits_for: str = field(default="", metadata=about("What it waits for: a window, an approval.", TEXT))


_CONDITIONS = about(
    "Ready, Synced, and while they hold Reconciling, Stalled and warnings.", Bounds(max_items=16), list_key="type"
)
_PENDING = about("What the next pass would do, or what waits.", Bounds(max_items=64))


@frozen(kw_only=True)
class Status:
    """What every kind's status holds."""

    observed_generation: int = field(default=-1, metadata=about("The last generation looked at.", Bounds(minimum=-1)))
    conditions: tuple[Condition, ...] = field(factory=fresh_conditions, metadata=_CONDITIONS)


@frozen(kw_only=True)
class PlannedStatus(Status):
    """The status of a kind whose changes may wait."""

    pending: tuple[PendingAction, ...] = field(default=(), metadata=_PENDING)
    pending_hash: str | None = field(
        default=None,
        metadata=about(
            "Over what is desired, observed and our version; the value for dbclaims.io/approve.", Bounds(max_length=128)
        ),
    )
    settled_hash: str | None = field(
        default=None,
        metadata=about(
            "Over the wish that was last carried out: what differs from it since was changed by hand.",
            Bounds(max_length=128),
        ),
    )


@frozen(kw_only=True)
class DatabaseServerStatus(PlannedStatus):
    """What was observed of a server."""

    identity: str | None = field(
        default=None,
        metadata=about("The server's own id; claims are bound to it, and stop at another's.", Bounds(max_length=128)),
    )
    endpoint: StatusEndpoint | None = field(default=None, metadata=about("Where clients connect."))
    version: str | None = field(default=None, metadata=about("The version that runs.", SHORT_TEXT))
    size: str | None = field(default=None, metadata=about("What `size` resolved to.", SHORT_TEXT))


@frozen(kw_only=True)
class DatabaseClaimStatus(PlannedStatus):
    """What a claim is bound to and what it got."""

    server_ref: BoundServer | None = field(default=None, metadata=about("The server that it is bound to."))
    controller_class: str | None = field(
        default=None, metadata=about("Whose it was last, if its class should go; none: the nameless one's.", SHORT_TEXT)
    )
    endpoint: StatusEndpoint | None = field(default=None, metadata=about("Where clients connect."))
    database_name: str | None = field(
        default=None, metadata=about("The database's name in the server.", Bounds(max_length=63))
    )
    deletion_policy: str | None = field(
        default=None, metadata=about("What happens to the database when the claim goes.", Bounds(max_length=16))
    )
    version: str | None = field(default=None, metadata=about("The server's version.", SHORT_TEXT))
    secret_name: str | None = field(default=None, metadata=about("The published Secret.", SHORT_TEXT))
    login: LoginStatus | None = field(default=None, metadata=about("The published login."))


@frozen(kw_only=True)
class RoleClaimStatus(PlannedStatus):
    """What a role claim got."""

    endpoint: StatusEndpoint | None = field(default=None, metadata=about("Where clients connect."))
    database_name: str | None = field(
        default=None, metadata=about("The database that the login belongs to.", Bounds(max_length=63))
    )
    version: str | None = field(default=None, metadata=about("The server's version.", SHORT_TEXT))
    secret_name: str | None = field(default=None, metadata=about("The published Secret.", SHORT_TEXT))
    login: LoginStatus | None = field(default=None, metadata=about("The published login."))


@frozen(kw_only=True)
class DatabaseClassStatus(Status):
    """Whether the class can be used."""


@frozen(kw_only=True)
class HeldNamespace:
    """A namespace as it was when the grant was first used; another of that name is a stranger (GrantStale)."""

    namespace: str = field(metadata=about("Its name.", DNS_LABEL))
    uid: str = field(metadata=about("Its uid at first use.", UID))


@frozen(kw_only=True)
class ClaimGrantStatus(Status):
    """Who has used the grant."""

    held: tuple[HeldNamespace, ...] = field(
        default=(),
        metadata=about(
            "The namespaces that have used it, with the uid at first use.", Bounds(max_items=64), list_key="namespace"
        ),
    )
