"""Writing what a pass found: the status, once and only if it changed, and an Event where something turned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ..api import REFUSED_EDIT, Condition, ConditionStatus, Status, to_document
from ..client import CachedClient
from ..clock import Clock
from ..conditions import Conditions, find, merge, refused
from ..drift import DRIFTED
from ..objectstore import Kind, Object
from ..recorder import Recorder


class Reporter:
    """Writes statuses and Events."""

    def __init__(self, client: CachedClient, recorder: Recorder, clock: Clock) -> None:
        self._client, self._recorder, self._clock = client, recorder, clock

    def write(self, kind: Kind, document: Object, before: Status, after: Status, conditions: Conditions) -> Object:
        """Patch the status if it differs from the document's; return the document as it then is.

        The resourceVersion that was read is the precondition: raises `Conflict` where somebody else wrote since.
        """
        merged = merge(before.conditions, with_refusal(document, conditions), self._clock.now())
        after = attrs.evolve(after, conditions=merged)
        old, new = document.get("status") or {}, to_document(after)
        if old == new:
            return document
        metadata = document["metadata"]
        stored = self._client.patch(
            kind,
            metadata.get("namespace"),
            metadata["name"],
            {"status": difference(old, new)},
            resource_version=metadata["resourceVersion"],
            subresource="status",
        )
        if (said := turned(before, after)) is not None:
            self.tell(stored, *said)
        return stored

    def tell(self, document: Object, reason: str, note: str, warning: bool) -> None:
        """Write an Event about an object."""
        self._recorder.record(document, reason=reason, note=note, action="Reconcile", warning=warning)


def turned(before: Status, after: Status) -> tuple[str, str, bool] | None:
    """What is worth an Event (reason, note, whether a warning), at most one; None where nothing turned. Pure."""
    stalled = find(after.conditions, "Stalled")
    if stalled and not _same(find(before.conditions, "Stalled"), stalled):
        return stalled.reason, stalled.message, True
    was, ready = find(before.conditions, "Ready"), find(after.conditions, "Ready")
    if ready and (was is None or was.status != ready.status):
        if ready.status is ConditionStatus.TRUE:
            return ready.reason, ready.message, False
        if was is not None and was.status is ConditionStatus.TRUE:
            return ready.reason, ready.message, True
    drifted = find(after.conditions, DRIFTED)
    if drifted and find(before.conditions, DRIFTED) is None:
        return drifted.reason, drifted.message, True
    old, new = getattr(before, "login", None), getattr(after, "login", None)
    if old and new and (old.username, old.since) != (new.username, new.since):
        return "Rotated", f"login {new.username} was published in place of {old.username}", False
    return None


def with_refusal(document: Object, conditions: Conditions) -> Conditions:
    """The conditions of an object whose document was edited into something that is refused (DESIGN.md §6). Pure.

    An API server would have refused the edit; a directory holds it all the same, so the object says it.
    """
    metadata = document["metadata"]
    refusal = (metadata.get("annotations") or {}).get(REFUSED_EDIT)
    if not refusal:
        return conditions
    return refused(conditions, metadata["generation"], "InvalidSpec", f"the edit is refused: {refusal}")


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON merge patch (RFC 7386) that makes `new` of `old`. Lists are replaced whole."""
    patch: dict[str, Any] = dict.fromkeys(old.keys() - new.keys())
    for key, value in new.items():
        if isinstance(value, Mapping) and isinstance(old.get(key), Mapping):
            inner = difference(old[key], value)
            if inner:
                patch[key] = inner
        elif value != old.get(key):
            patch[key] = value
    return patch


def _same(one: Condition | None, two: Condition) -> bool:
    return one is not None and (one.reason, one.message) == (two.reason, two.message)
