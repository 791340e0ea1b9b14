"""Kubernetes Events (events.k8s.io/v1): one per call, for transitions, and never a reason to fail."""

from __future__ import annotations

import logging
import random
from typing import Any

from .clock import Clock
from .objectstore import Kind, Object, ObjectStore, StoreError

log = logging.getLogger(__name__)

EVENT = Kind("events.k8s.io", "v1", "Event", "events")
# The API's own limits (core/v1 and events/v1 validation).
_NOTE, _REASON, _NAME = 1024, 128, 253


class Recorder:
    """Writes Events about objects.

    Args:
        controller: who reports, a qualified name such as `dbclaims.io/controller`.
        instance: which process, such as the pod's name.
    """

    def __init__(self, store: ObjectStore, *, controller: str, instance: str, clock: Clock, rng: random.Random) -> None:
        self._store, self._clock, self._rng = store, clock, rng
        self._reporter = {"reportingController": controller, "reportingInstance": instance[:_REASON]}

    def record(self, about: Object, *, reason: str, note: str, action: str, warning: bool = False) -> None:
        """Write one Event about an object. An Event that cannot be written is logged and forgotten."""
        event = self._event(about, reason, note, action, "Warning" if warning else "Normal")
        try:
            self._store.create(EVENT, event)
        except StoreError as error:
            log.warning("event not recorded", extra={"reason": reason, "error": str(error)})

    def _event(self, about: Object, reason: str, note: str, action: str, type_: str) -> Object:
        metadata = about["metadata"]
        # Events about cluster-scoped objects live in `default`, as every Kubernetes recorder puts them.
        namespace = metadata.get("namespace") or "default"
        return {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.kind,
            "metadata": {"name": self._name(metadata["name"]), "namespace": namespace},
            "eventTime": self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "type": type_,
            "reason": reason[:_REASON],
            "action": action[:_REASON],
            "note": note[:_NOTE],
            "regarding": _reference(about),
            **self._reporter,
        }

    def _name(self, name: str) -> str:
        return f"{name[: _NAME - 17]}.{self._rng.getrandbits(64):016x}"


def _reference(about: Object) -> dict[str, Any]:
    metadata = about["metadata"]
    fields = {"apiVersion": about.get("apiVersion"), "kind": about.get("kind"), "name": metadata["name"]}
    fields |= {key: metadata.get(key) for key in ("namespace", "uid", "resourceVersion")}
    return {key: value for key, value in fields.items() if value}
