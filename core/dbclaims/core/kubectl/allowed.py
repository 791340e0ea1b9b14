"""What a report may say of an object: a list of what is let through, so that a new field is out at first. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..api import ANNOTATIONS, MANAGED_BY_LABEL, OWNER_UID_LABEL

Shape = Mapping[str, Any]
"""Keys that are let through: `True` as they are, a shape below them, a shape for each element of a list."""

_ADDRESS: Shape = {"host": True, "port": True}
_METADATA: Shape = {
    **dict.fromkeys(("name", "namespace", "uid", "generation", "resourceVersion"), True),
    **dict.fromkeys(("creationTimestamp", "deletionTimestamp", "finalizers"), True),
    "annotations": dict.fromkeys(ANNOTATIONS, True),
    "labels": dict.fromkeys((MANAGED_BY_LABEL, OWNER_UID_LABEL), True),
    "ownerReferences": dict.fromkeys(("kind", "name", "uid", "controller"), True),
}
_CONDITION = dict.fromkeys(("type", "status", "reason", "message", "observedGeneration", "lastTransitionTime"), True)
_STATUS: Shape = {
    **dict.fromkeys(("observedGeneration", "databaseName", "deletionPolicy", "version", "secretName"), True),
    **dict.fromkeys(("identity", "size", "pendingHash"), True),
    "conditions": _CONDITION,
    "serverRef": dict.fromkeys(("name", "namespace", "uid"), True),
    "endpoint": _ADDRESS,
    "login": dict.fromkeys(("username", "since", "nextRotation", "rotateToken"), True),
    "pending": dict.fromkeys(("action", "why", "disruptive", "waitsFor"), True),
    "held": {"namespace": True, "uid": True},
}
_ROTATION = dict.fromkeys(("interval", "min", "grace", "maxOverlap", "force"), True)
_SERVER: Shape = {
    **dict.fromkeys(("provider", "engine", "version", "size", "storageGiB", "highAvailability"), True),
    **dict.fromkeys(("deletionPolicy", "maintenanceWindow", "namespace"), True),
    "backup": {"retention": True, "window": True},
    # A provider's block is the provider's own: what it holds besides the address is nobody's to hand on.
    "config": {**_ADDRESS, "region": True, "tls": {"mode": True}, "clientEndpoint": _ADDRESS},
}
_SPECS: Mapping[str, Shape] = {
    "DatabaseClaim": {
        **dict.fromkeys(("className", "databaseName", "secretName", "schemas", "extensions"), True),
        **dict.fromkeys(("deletionPolicy", "adopt", "caPath"), True),
        "rotation": _ROTATION,
        "secretFormat": {"type": True, "keys": True},
    },
    "RoleClaim": {
        **dict.fromkeys(("secretName", "access", "schemas"), True),
        "claimRef": {"name": True, "namespace": True},
        "rotation": _ROTATION,
    },
    "ClaimGrant": {"to": {"claim": True}, "from": {"namespace": True, "uid": True}, "access": True},
    "DatabaseServer": _SERVER,
    "DatabaseClass": {
        **dict.fromkeys(("databaseNames", "allowedExtensions", "connectionLimit", "deletionPolicy"), True),
        **dict.fromkeys(("allowedDeletionPolicies", "probeInterval", "controllerClass", "requireUse", "drift"), True),
        "serverRef": {"name": True, "namespace": True},
        "allowedNamespaces": {"names": True},
        "rotation": _ROTATION,
        "template": _SERVER,
    },
}
_EVENT: Shape = {
    **dict.fromkeys(("eventTime", "type", "reason", "note", "action", "reportingController"), True),
    "metadata": dict.fromkeys(("name", "namespace", "creationTimestamp"), True),
    "regarding": dict.fromkeys(("kind", "namespace", "name", "uid"), True),
}


def reported(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a report may say of an object, a Secret's metadata or an Event."""
    kind = str(document.get("kind"))
    if kind == "Event":
        return {"kind": kind, **_through(_EVENT, document)}
    shape = {"metadata": _METADATA, "spec": _SPECS.get(kind, {}), "status": _STATUS if kind in _SPECS else {}}
    return {"kind": kind, **_through(shape, document)}


def _through(shape: Shape, value: Mapping[str, Any]) -> dict[str, Any]:
    """What of a map is let through; an empty part is left out."""
    found = {key: _let(below, value[key]) for key, below in shape.items() if key in value}
    return {key: each for key, each in found.items() if each not in ({}, [], None)}


def _let(below: Any, value: Any) -> Any:
    if below is True:
        return value
    if isinstance(value, list):
        return [_through(below, each) for each in value if isinstance(each, dict)]
    return _through(below, value) if isinstance(value, dict) else None
