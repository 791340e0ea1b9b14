"""The kinds that the core reads and writes."""

from __future__ import annotations

from .api import GROUP, VERSION
from .objectstore import Kind

CLASS = Kind(GROUP, VERSION, "DatabaseClass", "databaseclasses", namespaced=False)
SERVER = Kind(GROUP, VERSION, "DatabaseServer", "databaseservers")
CLAIM = Kind(GROUP, VERSION, "DatabaseClaim", "databaseclaims")
ROLE = Kind(GROUP, VERSION, "RoleClaim", "roleclaims")
GRANT = Kind(GROUP, VERSION, "ClaimGrant", "claimgrants")
NAMESPACE = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
SECRET = Kind("", "v1", "Secret", "secrets")

WATCHED = (CLASS, SERVER, CLAIM, ROLE, GRANT, NAMESPACE)
"""Secrets are read by name, never listed or watched (DESIGN.md §5)."""
