"""DatabaseClaim: one database with its owner and a login."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from attrs import field, frozen

from .bounds import DATABASE_NAME, DNS_SUBDOMAIN, EXTENSION, SCHEMA_NAME, SECRET_NAME, Bounds, about, listed
from .databaseclass import DeletionPolicy
from .meta import ObjectMeta
from .rules import OWN_NAME_AS_SECRET_NAME, SECRET_TYPE_NOT_SPECIAL, Rule
from .status import DatabaseClaimStatus

SECRET_KEYS = (
    "type",
    "provider",
    "host",
    "port",
    "database",
    "username",
    "password",
    "sslmode",
    "uri",
    "dsn",
    "ca.crt",
)
"""The keys of a published Secret, in the order in which they are documented (API.md, "The Secret")."""

_MOVE = "moving a database is a migration; make another claim"
_KEY_CHOICES = "|".join(SECRET_KEYS).replace(".", r"\.")
_SECRET_KEY = Bounds(
    says=f"one of {', '.join(SECRET_KEYS)}, or name=key to publish it under another name",
    pattern=rf"^([A-Za-z0-9._-]{{1,128}}=)?({_KEY_CHOICES})$",
    max_length=140,
)
_SECRET_TYPE = Bounds(
    says="a Secret's type",
    pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$",
    min_length=1,
    max_length=128,
    rules=(SECRET_TYPE_NOT_SPECIAL,),
)
PATH = Bounds(says="an absolute path", pattern=r"^/[A-Za-z0-9._/-]+$", max_length=255)


@frozen(kw_only=True)
class Rotation:
    """How often a claim's login changes."""

    interval: timedelta | None = field(
        default=None,
        metadata=about("How often, within the class's limits; \"0s\": only on demand; omitted: the class's."),
    )


@frozen(kw_only=True)
class SecretFormat:
    """How a Secret looks to applications that expect other keys."""

    type: str | None = field(
        default=None, metadata=about("The Secret's type; omitted: servicebinding.io/…", _SECRET_TYPE)
    )
    keys: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "What it holds: uri, or dsn.txt=dsn for another name; empty: every key.", listed(_SECRET_KEY, 64)
        ),
    )


@frozen(kw_only=True)
class DatabaseClaimSpec:
    """What an application needs."""

    class_name: str = field(metadata=about("The DatabaseClass.", DNS_SUBDOMAIN, immutable=_MOVE))
    database_name: str | None = field(
        default=None,
        metadata=about("The database's name; omitted: <namespace>_<name>, cut to fit.", DATABASE_NAME, immutable=_MOVE),
    )
    secret_name: str | None = field(
        default=None, metadata=about("The Secret to publish; omitted: the claim's name.", SECRET_NAME)
    )
    schemas: tuple[str, ...] = field(
        default=(), metadata=about("Schemas of the owner; empty: public alone.", listed(SCHEMA_NAME, 32))
    )
    extensions: tuple[str, ...] = field(
        default=(), metadata=about("Extensions, from the class's list.", listed(EXTENSION, 64))
    )
    rotation: Rotation | None = field(default=None, metadata=about("How often the login changes."))
    deletion_policy: DeletionPolicy | None = field(
        default=None, metadata=about("What happens to the database when the claim goes; omitted: the class's.")
    )
    adopt: bool = field(
        default=False,
        metadata=about("Take over an existing database, where the class lists it as adoptable for this namespace."),
    )
    secret_format: SecretFormat | None = field(default=None, metadata=about("Other keys, for older applications."))
    ca_path: str | None = field(
        default=None,
        metadata=about("Where the application mounts ca.crt; uri and dsn then name it as sslrootcert.", PATH),
    )


@frozen(kw_only=True)
class DatabaseClaim:
    """One database with its owner and a login."""

    rules: ClassVar[tuple[Rule, ...]] = (OWN_NAME_AS_SECRET_NAME,)

    metadata: ObjectMeta
    spec: DatabaseClaimSpec
    status: DatabaseClaimStatus = field(factory=DatabaseClaimStatus)
