"""RoleClaim: a further login on a claim's database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from attrs import field, frozen

from ..spi import Access
from .bounds import DNS_LABEL, DNS_SUBDOMAIN, SCHEMA_KEYS, SECRET_NAME, Bounds, about, mapped
from .databaseclaim import PATH, Rotation, SecretFormat
from .meta import ObjectMeta
from .rules import OWN_NAME_AS_SECRET_NAME, SCHEMA_KEYS_NOT_RESERVED, Rule, exactly_one
from .status import RoleClaimStatus

_PRESETS = Bounds(min_items=1, max_items=3, unique=True)


@frozen(kw_only=True)
class ClaimReference:
    """A DatabaseClaim; in another namespace only with a ClaimGrant there."""

    name: str = field(metadata=about("Its name.", DNS_SUBDOMAIN))
    namespace: str | None = field(default=None, metadata=about("Its namespace; omitted: this one's.", DNS_LABEL))


@frozen(kw_only=True)
class RoleClaimSpec:
    """What a further login may do."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("access", "schemas"),)

    claim_ref: ClaimReference = field(
        metadata=about("The claim whose database it is.", immutable="make another RoleClaim")
    )
    secret_name: str | None = field(
        default=None, metadata=about("The Secret to publish; omitted: the role claim's name.", SECRET_NAME)
    )
    access: Access | None = field(default=None, metadata=about("What it may do in every schema of the claim."))
    schemas: Mapping[str, tuple[Access, ...]] | None = field(
        default=None,
        metadata=about("What it may do, by schema.", mapped(_PRESETS, 32, SCHEMA_KEYS, SCHEMA_KEYS_NOT_RESERVED)),
    )
    rotation: Rotation | None = field(default=None, metadata=about("How often the login changes."))
    secret_format: SecretFormat | None = field(default=None, metadata=about("Other keys, for older applications."))
    ca_path: str | None = field(
        default=None,
        metadata=about("Where the application mounts ca.crt; uri and dsn then name it as sslrootcert.", PATH),
    )


@frozen(kw_only=True)
class RoleClaim:
    """A further login on a claim's database."""

    rules: ClassVar[tuple[Rule, ...]] = (OWN_NAME_AS_SECRET_NAME,)

    metadata: ObjectMeta
    spec: RoleClaimSpec
    status: RoleClaimStatus = field(factory=RoleClaimStatus)
