"""What the next passes would do, as people and programs read it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from .api import API_VERSION, PendingAction, to_document
from .objectstore import split_key
from .reconcile.planning import Planned

NOTHING, CHANGES, TROUBLE = 0, 1, 2
"""Exit codes, as `kubectl diff` has them."""


@attrs.frozen
class Outlook:
    """What was planned.

    Attributes:
        problems: documents that would be refused, as sentences.
    """

    planned: Sequence[Planned]
    problems: Sequence[str] = ()

    @property
    def code(self) -> int:
        """The exit code."""
        if self.problems or any(each.reason for each in self.planned):
            return TROUBLE
        return CHANGES if any(each.steps for each in self.planned) else NOTHING

    def lines(self) -> Iterator[str]:
        """For people."""
        for each in self.planned:
            if each.steps or each.reason:
                yield f"{each.kind} {each.key}"
                yield from _table(each.steps)
                if each.hash and any(step.waits_for == "approval" for step in each.steps):
                    yield f"  approve with the annotation dbclaims.io/approve: {each.hash}"
                if each.reason:
                    yield f"  ! {each.reason}: {each.message}"
        yield from (f"! {problem}" for problem in self.problems)
        if self.code != TROUBLE or any(each.steps for each in self.planned):
            yield self._sum()

    def document(self) -> dict[str, Any]:
        """For programs."""
        items = [_item(each) for each in self.planned]
        return {"apiVersion": API_VERSION, "kind": "Plan", "items": items, "problems": list(self.problems)}

    def _sum(self) -> str:
        steps = [step for each in self.planned for step in each.steps]
        disruptive, waiting = sum(step.disruptive for step in steps), sum(bool(step.waits_for) for step in steps)
        if not steps:
            return "nothing to do"
        return f"{len(steps)} change{'s' * (len(steps) != 1)}, {disruptive} disruptive, {waiting} waiting"


def _table(steps: Sequence[PendingAction]) -> Iterator[str]:
    width = max((len(step.action) for step in steps), default=0)
    for step in steps:
        notes = ["disruptive"] * step.disruptive + [f"waits for {step.waits_for}"] * bool(step.waits_for)
        yield f"  {step.action:{width}}  {step.why}" + (f"  ({', '.join(notes)})" if notes else "")


def _item(planned: Planned) -> dict[str, Any]:
    namespace, name = split_key(planned.key)
    return {
        "kind": planned.kind,
        "namespace": namespace,
        "name": name,
        "pending": [to_document(step) for step in planned.steps],
        "pendingHash": planned.hash,
        "problem": {"reason": planned.reason, "message": planned.message} if planned.reason else None,
    }
