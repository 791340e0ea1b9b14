"""What every object said of itself, version by version, held to the published kstatus algorithm and to API.md's table.

Every process that a test starts tells its changes here; at the end of every test `wrong` must be empty.
"""

from __future__ import annotations

from typing import Any

from dbclaims.core.api.reasons import REASONS
from dbclaims.core.informer import Handler
from dbclaims.core.kinds import NAMESPACE
from dbclaims.core.objectstore import Kind, Object, key_of
from tests.api.kstatus import kstatus, wait_passes
from tests.canary import CANARY

ROWS = {
    ("Unknown", "Unknown", "", ""): "InProgress",
    ("False", "False", "True", ""): "InProgress",
    ("True", "True", "", ""): "Current",
    ("True", "False", "True", ""): "InProgress",
    ("True", "False", "", "True"): "Failed",
    ("False", "False", "", "True"): "Failed",
    ("Unknown", "False", "", "True"): "Failed",
    ("True", "False", "", ""): "Current",
    ("Unknown", "False", "", ""): "InProgress",
    ("False", "False", "", ""): "InProgress",
}
"""Ready, Synced, Reconciling, Stalled, and what kstatus must make of them."""


class Chronicle:
    """Listens to the caches and judges each version of each object."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.seen = 0

    def handler(self, kind: Kind) -> Handler:
        """What an informer of this kind is to tell."""

        def tell(old: Object | None, new: Object | None) -> None:
            CANARY.examine(f"a {kind.kind}", str(new))
            if new is not None and kind != NAMESPACE:
                self.seen += 1
                self.wrong += [f"{kind.kind} {key_of(new)}: {each}" for each in [*_judge(new), *_turn(old, new)]]

        return tell


def _judge(obj: Object) -> list[str]:
    """What is wrong with one version."""
    metadata, status = obj["metadata"], obj.get("status") or {}
    held = {each["type"]: each for each in status.get("conditions") or ()}
    verdicts = tuple(
        str(held.get(name, {}).get("status", "")) for name in ("Ready", "Synced", "Reconciling", "Stalled")
    )
    if verdicts not in ROWS:
        return [f"{verdicts} is no row of the table"]
    wanted = ROWS[verdicts]
    if status.get("observedGeneration") != metadata["generation"]:
        wanted = "InProgress"
    if "deletionTimestamp" in metadata:
        wanted = "Terminating"
    wrong = [] if kstatus(obj) == wanted else [f"kstatus says {kstatus(obj)} of {verdicts}, not {wanted}"]
    if wait_passes(obj, "Ready") and held.get("Stalled", {}).get("observedGeneration") == metadata["generation"]:
        stalled = held["Stalled"]
        narrowed = stalled["reason"] in _WITHOUT_AN_EDIT or stalled["message"].startswith("DatabaseClass ")
        wrong += [] if narrowed else ["kubectl wait passes on a refused edit"]
    return wrong + [each for one in held.values() for each in _condition(one, metadata["generation"])]


_WITHOUT_AN_EDIT = frozenset(REASONS) - {"InvalidSpec", "Immutable", "NewerSpec", "ExtensionNotAllowed"}
"""A claim that was made real and is stopped by its surroundings was not edited, so that its login is what was asked."""


def _condition(one: dict[str, Any], generation: int) -> list[str]:
    wrong = []
    if one["reason"] not in REASONS:
        wrong.append(f"{one['type']} has the reason {one['reason']}, which no page explains")
    if one["observedGeneration"] > generation:
        wrong.append(f"{one['type']} speaks of generation {one['observedGeneration']} of {generation}")
    if not one["message"].strip():
        wrong.append(f"{one['type']} ({one['reason']}) says nothing")
    return wrong


def _turn(old: Object | None, new: Object) -> list[str]:
    """What is wrong with the way from one version to the next: a time changes with its status and never else."""
    if old is None or old["metadata"]["uid"] != new["metadata"]["uid"]:
        return []
    before = {each["type"]: each for each in (old.get("status") or {}).get("conditions") or ()}
    after = {each["type"]: each for each in (new.get("status") or {}).get("conditions") or ()}
    return [
        f"{name} kept its status and changed its time"
        for name in before.keys() & after.keys()
        if before[name]["status"] == after[name]["status"]
        and before[name]["lastTransitionTime"] != after[name]["lastTransitionTime"]
        and not before[name]["lastTransitionTime"].startswith("1970")
    ]
