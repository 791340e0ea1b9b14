"""Who stands in which relation to a claim: its RoleClaims, and the ClaimGrants that open it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from .. import kinds
from ..objectstore import Object, ObjectStore
from .facts import Facts
from .reading import all_visible
from .words import GRANT, ROLE


class Relations:
    """What is for our eyes of it: RoleClaims of everywhere, or where those may not be listed, of one namespace."""

    def __init__(self, store: ObjectStore, namespace: str) -> None:
        self._store, self._namespace = store, namespace
        self._grants: dict[str, list[Facts]] = {}

    def roles(self, claim: Facts) -> list[Facts]:
        """The RoleClaims on a claim."""
        return [each for each in self._roles if _target(each) == (claim.namespace, claim.name)]

    def openings(self, claim: Facts) -> Iterator[tuple[Facts, str]]:
        """Each grant that opens a claim, with each namespace that it opens it to."""
        namespace = claim.namespace
        if namespace not in self._grants:
            found = all_visible(self._store, kinds.GRANT, namespace) or []
            self._grants[namespace] = [Facts(GRANT, each) for each in found]
        for grant in self._grants[namespace]:
            if (grant.spec.get("to") or {}).get("claim", claim.name) == claim.name:
                yield from ((grant, each["namespace"]) for each in grant.spec.get("from") or ())

    @cached_property
    def _roles(self) -> list[Facts]:
        found: list[Object] | None = all_visible(self._store, kinds.ROLE)
        if found is None:
            found = all_visible(self._store, kinds.ROLE, self._namespace) or []
        return [Facts(ROLE, each) for each in found]


def _target(role: Facts) -> tuple[str, str]:
    reference = role.spec["claimRef"]
    return reference.get("namespace") or role.namespace, reference["name"]
