"""May this claim have what it asks for? Pure checks of a claim against its class and its engine.

The webhook will ask the same at admission; the controller alone decides.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping

from . import naming
from .api import ClaimGrant, DatabaseClaim, DatabaseClass, DeletionPolicy, RoleClaim
from .spi import Access, EngineInfo, Feature, InvalidSpec, Terminal, Unsupported

PUBLIC = "public"
"""The schema of a claim that asks for none."""


def check_claim(claim: DatabaseClaim, class_: DatabaseClass, labels: Mapping[str, str], info: EngineInfo) -> None:
    """Raise what is wrong with a claim; `labels` are its namespace's."""
    _check_namespace(claim, class_, labels)
    _check_name(claim, class_, info)
    _check_extensions(claim, class_)
    _check_policy(claim, class_)
    check_interval(claim, class_)
    _check_features(claim, info)


def check_interval(model: DatabaseClaim | RoleClaim, class_: DatabaseClass) -> None:
    """A rotation interval must not be shorter than the class allows; "0s" means only on demand."""
    interval = model.spec.rotation.interval if model.spec.rotation else None
    least = class_.spec.rotation.min
    if interval and interval < least:
        raise InvalidSpec(
            f"spec.rotation.interval: {interval} is shorter than class {class_.metadata.name!r} allows; "
            f"ask for {least} or more"
        )


def deletion_policy(claim: DatabaseClaim, class_: DatabaseClass | None) -> DeletionPolicy:
    """What happens when the claim goes: its own word where it may have it, or what stood when it was bound.

    A class that moves from Delete to Retain takes its claims along; the other way it does not (PROTOCOL.md §3). An
    edit to what the class refuses changes nothing, nor does one to Delete while no class (None) can be asked.
    """
    own = claim.spec.deletion_policy
    bound = DeletionPolicy(claim.status.deletion_policy) if claim.status.deletion_policy else None
    if own is DeletionPolicy.RETAIN or (own and class_ and own in class_.spec.allowed_deletion_policies):
        return own
    if own is not None or class_ is None:
        return bound or DeletionPolicy.RETAIN
    offered = class_.spec.deletion_policy
    return offered if bound is None or offered is DeletionPolicy.RETAIN else bound


def access_of(role: RoleClaim, claim: DatabaseClaim) -> tuple[bool, Mapping[str, Access]]:
    """Whether a role claim asks for the owner's access, and otherwise its access by schema."""
    schemas = claim.spec.schemas or (PUBLIC,)
    if role.spec.access is not None:
        wanted = dict.fromkeys(schemas, role.spec.access)
    else:
        wanted = {name: max(presets, key=lambda p: p.rank) for name, presets in (role.spec.schemas or {}).items()}
    for name in wanted:
        if name not in schemas:
            raise InvalidSpec(f"spec.schemas: claim {claim.metadata.key} has no schema {name!r}; add it there first")
    owner = [name for name, access in wanted.items() if access is Access.OWNER]
    if owner and set(owner) != set(schemas):
        raise InvalidSpec("spec.schemas: owner is for every schema of the claim; write access: owner, or writer here")
    return bool(owner), wanted


def check_grant(role: RoleClaim, claim: DatabaseClaim, grants: list[ClaimGrant], uid: str) -> ClaimGrant | None:
    """The grant under which a role claim of another namespace may be served; None within one namespace.

    `uid` is the uid of the role claim's namespace. Raises `Terminal` with `NotGranted` or `GrantStale`.
    """
    home, there = role.metadata.namespace, claim.metadata.namespace
    if home == there:
        return None
    owner, wanted = access_of(role, claim)
    rank = max(access.rank for access in wanted.values()) if wanted else 0
    stale = False
    for grant in grants:
        if grant.spec.to.claim not in (None, claim.metadata.name) or grant.spec.access.rank < rank:
            continue
        held = {each.namespace: each.uid for each in grant.status.held}
        for subject in grant.spec.from_:
            if subject.namespace == home:
                if (subject.uid or held.get(home, uid)) == uid:
                    return grant
                stale = True
    if stale:
        raise Terminal(
            f"the ClaimGrant in namespace {there!r} was given to an earlier namespace {home!r}; "
            f"ask its owner to make the grant anew",
            reason="GrantStale",
        )
    what = "owner" if owner else "this"
    raise Terminal(
        f"namespace {there!r} has not granted {home!r} {what} access to claim {claim.metadata.name!r}; "
        f"ask its owner for a ClaimGrant",
        reason="NotGranted",
        retry_after=30.0,
    )


def _check_namespace(claim: DatabaseClaim, class_: DatabaseClass, labels: Mapping[str, str]) -> None:
    allowed = class_.spec.allowed_namespaces
    if allowed is not None and not allowed.allows(claim.metadata.namespace, labels):
        raise Terminal(
            f"class {class_.metadata.name!r} does not serve namespace {claim.metadata.namespace!r}; "
            "ask the platform team, or name another class",
            reason="NamespaceNotAllowed",
        )


def _check_name(claim: DatabaseClaim, class_: DatabaseClass, info: EngineInfo) -> None:
    name = claim.spec.database_name
    if name is None:
        return
    naming.check(name, info)
    patterns = [p.replace("{namespace}", claim.metadata.namespace) for p in class_.spec.database_names]
    if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
        raise InvalidSpec(
            f"spec.databaseName: {name!r} is not what class {class_.metadata.name!r} allows "
            f"({', '.join(patterns)}); choose one that is, or leave it out",
            reason="NameNotAllowed",
        )


def _check_extensions(claim: DatabaseClaim, class_: DatabaseClass) -> None:
    refused = sorted(set(claim.spec.extensions) - set(class_.spec.allowed_extensions))
    if refused:
        allowed = ", ".join(class_.spec.allowed_extensions) or "none"
        raise InvalidSpec(
            f"spec.extensions: class {class_.metadata.name!r} allows {allowed}, and not {', '.join(refused)}",
            reason="ExtensionNotAllowed",
        )


def _check_policy(claim: DatabaseClaim, class_: DatabaseClass) -> None:
    policy = claim.spec.deletion_policy
    if policy is not None and policy not in class_.spec.allowed_deletion_policies:
        raise InvalidSpec(
            f"spec.deletionPolicy: class {class_.metadata.name!r} does not allow {policy}; "
            f"it allows {', '.join(class_.spec.allowed_deletion_policies)}"
        )


def _check_features(claim: DatabaseClaim, info: EngineInfo) -> None:
    needs = {
        Feature.SCHEMAS: bool(claim.spec.schemas),
        Feature.EXTENSIONS: bool(claim.spec.extensions),
        Feature.ADOPTION: claim.spec.adopt,
    }
    for feature, needed in needs.items():
        if needed and feature not in info.features:
            raise Unsupported(f"engine {info.name!r} does not support {feature}; leave it out of the spec")
