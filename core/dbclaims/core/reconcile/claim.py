"""Reconciling a DatabaseClaim and its RoleClaims: which pass a key gets, and what becomes of an error in it."""

from __future__ import annotations

import attrs

from ..api import DatabaseClaimStatus, SpecError, from_document
from ..controller import Result
from ..kinds import CLAIM, CLASS
from ..objectstore import Object
from .making import Making
from .release import Release
from .role import open_roles
from .tools import Tools


class ClaimReconciler:
    """Reconciles DatabaseClaims. A key stands for a claim and all its RoleClaims (DESIGN.md §1)."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def reconcile(self, key: str) -> Result:
        """One pass. Raises `StoreError`, which the queue takes for an ordinary failure."""
        document = self._tools.lookup.document(CLAIM, key)
        roles = open_roles(self._tools, key)
        if document is None:
            return Release(self._tools, roles).orphans(key)
        if not self._is_served(document):
            return Result()
        try:
            claim = self._tools.lookup.claim(key)
        except SpecError as error:
            return self._unreadable(document, error)
        if claim is None:
            return Result()
        if claim.metadata.deleting:
            return Release(self._tools, roles).claim(claim, document)
        return Making(self._tools, claim, document, roles).run()

    def _is_served(self, claim: Object) -> bool:
        """Whether the claim is this controller's: its class says so; where that is gone, what it was until then.

        Of a claim that had no class ever, the nameless controller says that.
        """
        # Read unparsed: a class of a newer version still says whose it is.
        class_ = self._tools.lookup.document(CLASS, claim["spec"].get("className", ""))
        says = class_["spec"] if class_ else claim.get("status") or {}
        return bool(says.get("controllerClass", "") == self._tools.controller_class)

    def _unreadable(self, document: Object, error: SpecError) -> Result:
        """A claim that breaks a rule, or that a newer version of ours wrote: its login goes on, nothing is changed."""
        failure = self._tools.failure(error)
        before = from_document(document.get("status") or {}, DatabaseClaimStatus)
        generation = document["metadata"].get("generation", 0)
        after = attrs.evolve(before, observed_generation=generation)
        said = failure.conditions(before.conditions, generation, self._tools.clock.now())
        self._tools.reporter.write(CLAIM, document, before, after, said)
        return failure.result
