"""What was changed by hand, and whether it is repaired or only reported: the class's `drift`. Pure.

A difference is somebody else's doing only where the wish has not changed since it was carried out whole; the status
keeps that wish's digest (`settledHash`), since no server could tell it. Everything else is an edit, and is carried out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import attrs
import orjson

from .api import APPROVE, DriftPolicy, PendingAction
from .approval import Waiting, digest
from .spi import Action, DatabaseSpec, Part, Plan, ServerSpec

DRIFTED = "Drifted"
"""The condition while something differs by hand and is left alone."""

_INSIDE = (Part.GRANTS, Part.EXTENSIONS)
"""What stands in schemas."""


@attrs.frozen
class Held:
    """Steps that are left alone, since they mend what was changed by hand."""

    actions: Plan = ()

    def __contains__(self, action: object) -> bool:
        """Whether a step is left alone; so is what would go into a schema that is missing."""
        schemas = any(each.part is Part.SCHEMAS for each in self.actions)
        return action in self.actions or (schemas and isinstance(action, Action) and action.part in _INSIDE)


def reported(policies: Iterable[DriftPolicy]) -> frozenset[Part]:
    """The parts that some policy only reports."""
    return frozenset(part for policy in policies for part in Part if getattr(policy, part) == "report")


def waiting(actions: Plan, uid: str) -> Waiting:
    """Steps that are left alone, as the status of the object with this uid shows them."""
    steps = tuple(PendingAction(action=each.verb, why=each.why, waits_for="approval") for each in actions)
    return Waiting(steps, digest(DRIFTED, uid, *(f"{each.verb} {each.why}" for each in actions)) if steps else None)


def listed(actions: Plan) -> str:
    """Steps in words."""
    return ", ".join(f"{each.verb} ({each.why})" for each in actions)


def warnings(found: Waiting) -> list[tuple[str, str]]:
    """The condition about it (reason, sentence), where there is something to tell."""
    return [(DRIFTED, sentence(found))] if found.steps else []


def sentence(found: Waiting) -> str:
    """What the condition says."""
    differences = ", ".join(f"{step.action} ({step.why})" for step in found.steps)
    return (
        f"changed by hand, and the class only reports it: {differences}; change it back, or have it repaired with the "
        f"annotation {APPROVE}: {found.hash}"
    )


def wish_of_database(desired: DatabaseSpec) -> str:
    """The digest of what is wished of a database and of the last of its logins; passwords are no part of it."""
    login = desired.logins[-1]
    return _digest(desired.schemas, desired.extensions, login.role, login.grants, login.connection_limit)


def wish_of_server(desired: ServerSpec) -> str:
    """The digest of what is wished of a server."""
    facts = attrs.asdict(desired, filter=attrs.filters.exclude("ref", "admin"))
    return _digest(facts)


def _digest(*facts: object) -> str:
    return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()[:12]
