"""Reconciling a ClaimGrant: say that it holds, and note whom it let in first."""

from __future__ import annotations

import attrs

from .. import conditions
from ..api import ClaimGrant, ClaimGrantStatus, HeldNamespace, SpecError, check_annotations, from_document
from ..controller import Result
from ..kinds import GRANT
from ..objectstore import Object
from ..spi import InvalidSpec
from .tools import Tools


class GrantReconciler:
    """Reconciles ClaimGrants. Who is let in is decided in the claim's pass (`admission.check_grant`)."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def reconcile(self, key: str) -> Result:
        """One pass. Raises `StoreError`, which the queue takes for an ordinary failure."""
        document = self._tools.lookup.document(GRANT, key)
        if document is None:
            return Result()
        before = from_document(document.get("status") or {}, ClaimGrantStatus)
        generation = int(document["metadata"]["generation"])
        try:
            grant = self._tools.lookup.grant(key)
            if grant and (problems := check_annotations(grant.metadata)):
                raise InvalidSpec(str(problems[0]), reason="InvalidAnnotation")
        except (SpecError, InvalidSpec) as error:
            failure = self._tools.failure(error)
            said = failure.conditions(before.conditions, generation, self._tools.clock.now())
            _write(self._tools, document, before, before, said)
            return failure.result
        _write(self._tools, document, before, before, _holds(generation))
        return Result()


def hold(tools: Tools, grant: ClaimGrant, namespace: str, uid: str) -> None:
    """Note a namespace's uid at its first use of the grant, so that a later namesake is told apart (`GrantStale`)."""
    document = tools.lookup.document(GRANT, grant.metadata.key)
    if document is None or any(each.namespace == namespace for each in grant.status.held):
        return
    # Of a namespace that it names no more nothing is kept: the list is bounded, and naming it again is a new word.
    named = {each.namespace for each in grant.spec.from_}
    held = tuple(each for each in grant.status.held if each.namespace in named)
    after = attrs.evolve(grant.status, held=(*held, HeldNamespace(namespace=namespace, uid=uid)))
    _write(tools, document, grant.status, after, _holds(grant.metadata.generation))


def _holds(generation: int) -> conditions.Conditions:
    return conditions.ready(generation, "RoleClaims of the namespaces that it names are let in.")


def _write(
    tools: Tools, document: Object, before: ClaimGrantStatus, after: ClaimGrantStatus, said: conditions.Conditions
) -> None:
    generation = int(document["metadata"]["generation"])
    tools.reporter.write(GRANT, document, before, attrs.evolve(after, observed_generation=generation), said)
