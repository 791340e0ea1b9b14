"""Which keys a change concerns. Level-triggered: the change itself is forgotten, only keys go into the queues."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .api import GROUP, ROTATE
from .kinds import CLAIM, CLASS, GRANT, NAMESPACE, ROLE, SERVER
from .objectstore import Kind, Object, join_key, key_of
from .reconcile.lookup import INDEXES, Lookup
from .reconcile.template import claim_of

Keys = Iterator[tuple[Kind, str]]


class Routes:
    """From a change of any watched object to the keys that must be looked at again."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._by_kind: dict[Kind, Callable[[Object], Keys]] = {
            CLAIM: self._claim,
            ROLE: self._role,
            GRANT: self._grant,
            SERVER: self._server,
            CLASS: self._class,
            NAMESPACE: self._namespace,
        }

    def keys(self, kind: Kind, old: Object | None, new: Object | None) -> set[tuple[Kind, str]]:
        """The keys that a change concerns; both sides count, since a reference may have moved."""
        if old is not None and new is not None and not is_news(kind, old, new):
            return set()
        return {key for side in (old, new) if side is not None for key in self._by_kind[kind](side)}

    def _claim(self, claim: Object) -> Keys:
        yield CLAIM, key_of(claim)
        # The end of a claim may be what a deleted server waits for.
        for server in INDEXES[CLAIM]["server"](claim):
            if claim["metadata"].get("deletionTimestamp"):
                yield SERVER, server

    def _role(self, role: Object) -> Keys:
        yield from ((CLAIM, key) for key in INDEXES[ROLE]["claim"](role))

    def _grant(self, grant: Object) -> Keys:
        """The grant, and every claim of its namespace that it may name and that somebody has a RoleClaim on."""
        yield GRANT, key_of(grant)
        namespace, name = grant["metadata"]["namespace"], (grant["spec"].get("to") or {}).get("claim")
        keys = [join_key(namespace, name)] if name else self._lookup.claims_in(namespace)
        yield from ((CLAIM, key) for key in keys if self._lookup.roles_of(key))

    def _server(self, server: Object) -> Keys:
        key = key_of(server)
        yield SERVER, key
        claims = {*self._lookup.claims_on(key), *filter(None, [claim_of(server)])}
        for class_ in self._lookup.classes_of(key):
            yield CLASS, class_.metadata.name
            claims.update(self._lookup.claims_of(class_.metadata.name))
        yield from ((CLAIM, claim) for claim in claims)

    def _class(self, class_: Object) -> Keys:
        yield CLASS, key_of(class_)
        yield from ((SERVER, key) for key in INDEXES[CLASS]["server"](class_))
        yield from ((CLAIM, key) for key in self._lookup.claims_of(class_["metadata"]["name"]))

    def _namespace(self, namespace: Object) -> Keys:
        yield from ((CLAIM, key) for key in self._lookup.claims_in(namespace["metadata"]["name"]))


def is_news(kind: Kind, old: Object, new: Object) -> bool:
    """Whether somebody has to look: our own status writes, and what others keep on an object, are no news."""
    return _face(kind, old) != _face(kind, new)


def _face(kind: Kind, obj: Object) -> list[Any]:
    metadata = obj["metadata"]
    annotations = metadata.get("annotations") or {}
    ours = {key: value for key, value in annotations.items() if key.partition("/")[0].endswith(GROUP)}
    face: list[Any] = [metadata.get("generation"), metadata.get("deletionTimestamp"), metadata["uid"], ours]
    if kind == NAMESPACE:
        face.append(metadata.get("labels"))
    if kind == SERVER:
        status = obj.get("status") or {}
        # When it was observed is no news for its claims, what was observed is.
        face += [status.get("identity"), status.get("endpoint"), status.get("version"), _verdicts(status)]
    return face


def _verdicts(status: dict[str, Any]) -> list[tuple[str, str, str]]:
    conditions: Iterable[dict[str, Any]] = status.get("conditions") or ()
    return sorted((c["type"], c["status"], c["reason"]) for c in conditions)


def is_settled(claim: Object) -> bool:
    """Whether a claim is Ready and Synced at its generation, and no rotation is asked for: a restart need not hurry."""
    status = claim.get("status") or {}
    metadata = claim["metadata"]
    verdicts = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    fresh = status.get("observedGeneration") == metadata.get("generation") and not metadata.get("deletionTimestamp")
    wish, login = (metadata.get("annotations") or {}).get(ROTATE, ""), status.get("login") or {}
    answered = wish in ("", login.get("rotateToken"))
    return fresh and answered and verdicts.get("Ready") == "True" and verdicts.get("Synced") == "True"
