"""ClaimGrant: the owner's consent to another namespace; it lives with what it opens."""

from __future__ import annotations

from attrs import field, frozen

from ..spi import Access
from .bounds import DNS_LABEL, DNS_SUBDOMAIN, UID, Bounds, about
from .meta import ObjectMeta
from .status import ClaimGrantStatus


@frozen(kw_only=True)
class GrantTarget:
    """What is opened."""

    claim: str | None = field(
        default=None, metadata=about("A DatabaseClaim of this namespace; omitted: every one.", DNS_SUBDOMAIN)
    )


@frozen(kw_only=True)
class GrantSubject:
    """To whom."""

    namespace: str = field(metadata=about("The namespace of the RoleClaims.", DNS_LABEL))
    uid: str | None = field(
        default=None,
        metadata=about("Its uid; omitted: the one at first use is held, and another is GrantStale.", UID),
    )


@frozen(kw_only=True)
class ClaimGrantSpec:
    """Who may have a login on which claims of this namespace."""

    to: GrantTarget = field(factory=GrantTarget, metadata=about("What is opened; omitted: every claim here."))
    from_: tuple[GrantSubject, ...] = field(
        metadata=about("The namespaces that it is opened to.", Bounds(min_items=1, max_items=64))
    )
    access: Access = field(default=Access.READER, metadata=about("The most that may be asked for."))


@frozen(kw_only=True)
class ClaimGrant:
    """The owner's consent to another namespace."""

    metadata: ObjectMeta
    spec: ClaimGrantSpec
    status: ClaimGrantStatus = field(factory=ClaimGrantStatus)
