"""The published kstatus algorithm for custom resources, written from its description and apart from our code.

Rules in their order (sigs.k8s.io/cli-utils, pkg/kstatus): an object with a deletionTimestamp is Terminating; one whose
status.observedGeneration is not its generation is InProgress; Reconciling=True is InProgress; Stalled=True is Failed;
then Ready decides: True or absent is Current, anything else InProgress.
"""

from collections.abc import Mapping
from typing import Any


def kstatus(obj: Mapping[str, Any]) -> str:
    """InProgress, Failed, Current or Terminating."""
    metadata, status = obj["metadata"], obj.get("status", {})
    if "deletionTimestamp" in metadata:
        return "Terminating"
    if "observedGeneration" in status and status["observedGeneration"] != metadata.get("generation"):
        return "InProgress"
    held = {each["type"]: each["status"] for each in status.get("conditions", [])}
    if held.get("Reconciling") == "True":
        return "InProgress"
    if held.get("Stalled") == "True":
        return "Failed"
    return "Current" if held.get("Ready", "True") == "True" else "InProgress"


def wait_passes(obj: Mapping[str, Any], condition: str) -> bool:
    """Whether `kubectl wait --for=condition=…` passes: the condition is True and not older than the generation."""
    for each in obj.get("status", {}).get("conditions", []):
        if each["type"] == condition:
            seen = each.get("observedGeneration", obj["metadata"]["generation"])
            return bool(each["status"] == "True" and seen >= obj["metadata"]["generation"])
    return False
