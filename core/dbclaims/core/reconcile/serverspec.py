"""What is wished of a server, as its provider gets it, and how the provider's steps are shown."""

from __future__ import annotations

from .. import drift
from ..api import DatabaseServer, PendingAction
from ..backends import Backend
from ..objectstore import Object
from ..spi import Action, Credentials, Feature, Part, Server, ServerSpec, Unsupported
from .tools import Tools

_NEEDS = {
    "size": Feature.RESIZE,
    "storage_gib": Feature.STORAGE,
    "high_availability": Feature.HIGH_AVAILABILITY,
    "parameters": Feature.PARAMETERS,
    "maintenance_window": Feature.MAINTENANCE_WINDOW,
    "backup": Feature.BACKUP,
    "tags": Feature.TAGS,
}
"""Which feature each common field needs. A set field is a need; false is not (DESIGN.md §4)."""


def check_features(server: DatabaseServer, features: frozenset[Feature], provider: str) -> None:
    """Refuse a field that the provider did not declare, before the provider is called; raises `Unsupported`."""
    for field, feature in _NEEDS.items():
        if getattr(server.spec, field) and feature not in features:
            raise Unsupported(f"provider {provider!r} does not support {feature} ({field}); leave it out of the spec")
    if server.spec.deletion_policy == "Snapshot" and Feature.SNAPSHOT not in features:
        raise Unsupported(f"provider {provider!r} keeps no snapshots; choose deletionPolicy Retain or Delete")


def server_spec(server: DatabaseServer, backend: Backend, admin: Credentials | None) -> ServerSpec:
    """What is wished of a server, as its provider gets it."""
    spec = server.spec
    backup = {"retention": spec.backup.retention, "window": spec.backup.window} if spec.backup else None
    return ServerSpec(
        ref=backend.ref,
        engine=spec.engine,
        version=spec.version,
        size=spec.size,
        storage_gib=spec.storage_gib,
        high_availability=spec.high_availability,
        parameters=spec.parameters,
        maintenance_window=spec.maintenance_window,
        backup=backup,
        tags=spec.tags,
        admin=admin,
        deletion_policy=spec.deletion_policy,
    )


def pending(action: Action, window: str | None, *, held: bool) -> PendingAction:
    """How a step that was not taken yet is shown; `held` where it is only reported."""
    waits_for = "maintenance window" if window and not held else "approval"
    waits = waits_for if held or action.disruptive else ""
    return PendingAction(action=action.verb, why=action.why, disruptive=action.disruptive, waits_for=waits)


def held_settings(tools: Tools, document: Object, desired: ServerSpec, observed: Server | None) -> bool:
    """Whether what differs at the provider was changed by hand there, and some class only reports that."""
    classes = tools.lookup.classes_serving(document)
    settled = (document.get("status") or {}).get("settledHash") == drift.wish_of_server(desired)
    return settled and observed is not None and Part.SETTINGS in drift.reported(each.spec.drift for each in classes)
