"""The kinds that the core reads and writes."""

from __future__ import annotations

from .api import GROUP, RESOURCES, VERSION
from .objectstore import Kind


def _ours(name: str) -> Kind:
    resource = RESOURCES[name]
    return Kind(GROUP, VERSION, name, resource.plural, namespaced=resource.namespaced)


CLASS = _ours("DatabaseClass")
SERVER = _ours("DatabaseServer")
CLAIM = _ours("DatabaseClaim")
ROLE = _ours("RoleClaim")
GRANT = _ours("ClaimGrant")
NAMESPACE = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
SECRET = Kind("", "v1", "Secret", "secrets")
REVIEW = Kind("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced=False)

WATCHED = (CLASS, SERVER, CLAIM, ROLE, GRANT, NAMESPACE)
"""Secrets are read by name, never listed or watched (DESIGN.md §5)."""
