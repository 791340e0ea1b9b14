"""Objects as the reconcilers get them: parsed, with the CRDs' defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dbclaims.core.api import ClaimGrant, DatabaseClaim, DatabaseClass, RoleClaim, defaulted, parse
from dbclaims.core.kinds import CLAIM, CLASS, GRANT, ROLE
from dbclaims.core.objectstore import Kind, Object
from dbclaims.core.spi import EngineInfo, Feature

POSTGRES = EngineInfo(
    "postgres",
    versions=("17",),
    default_port=5432,
    name_limit=63,
    role_limit=63,
    reserved=("postgres", "template*"),
    secret_type="servicebinding.io/postgresql",
    features=frozenset({Feature.SCHEMAS, Feature.EXTENSIONS, Feature.ROLES, Feature.ADOPTION}),
)


def document(
    kind: Kind, spec: Mapping[str, Any], name: str = "orders", namespace: str = "shop", **metadata: Any
) -> Object:
    """An object as it is stored."""
    place = {"namespace": namespace} if kind.namespaced else {}
    known = {"uid": f"uid-of-{name}", "generation": 1, "resourceVersion": "1", **metadata}
    body = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name, **place, **known}}
    return defaulted({**body, "spec": dict(spec)})


def claim(status: Mapping[str, Any] | None = None, **spec: Any) -> DatabaseClaim:
    """A claim `shop/orders`."""
    stored = document(CLAIM, {"className": "shared", **spec})
    parsed = parse({**stored, "status": {**stored["status"], **(status or {})}})
    assert isinstance(parsed, DatabaseClaim)
    return parsed


def class_(**spec: Any) -> DatabaseClass:
    """A class `shared`."""
    parsed = parse(document(CLASS, {"serverRef": {"name": "shared", "namespace": "platform"}, **spec}, "shared"))
    assert isinstance(parsed, DatabaseClass)
    return parsed


def role(namespace: str = "bi", **spec: Any) -> RoleClaim:
    """A RoleClaim on `shop/orders`."""
    reference = {"name": "orders", "namespace": "shop"}
    parsed = parse(document(ROLE, {"claimRef": reference, **spec}, "reports", namespace))
    assert isinstance(parsed, RoleClaim)
    return parsed


def grant(
    held: Mapping[str, str] | None = None, sources: Sequence[Mapping[str, str]] = ({"namespace": "bi"},), **spec: Any
) -> ClaimGrant:
    """A grant in `shop`, by default to `bi`; `held` are the namespaces' uids at first use."""
    stored = document(GRANT, {"from": list(sources), **spec}, "bi-may-read")
    status = {"held": [{"namespace": name, "uid": uid} for name, uid in (held or {}).items()]}
    parsed = parse({**stored, "status": {**stored.get("status", {}), **status}})
    assert isinstance(parsed, ClaimGrant)
    return parsed
