"""Reading the watched objects, parsed, and finding those that belong together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import attrs
import orjson

from ..api import ClaimGrant, DatabaseClaim, DatabaseClass, DatabaseServer, Object, RoleClaim, SpecError, parse
from ..client import CachedClient
from ..kinds import CLAIM, CLASS, GRANT, NAMESPACE, ROLE, SERVER
from ..objectstore import Kind, join_key
from ..spi import NotReady
from .template import claim_of

T = TypeVar("T", bound=Object)
Document = Mapping[str, Any]
Index = Callable[[Document], list[str]]

RETRY = 30.0
"""Seconds until a reference that does not resolve is looked up again (DESIGN.md §5)."""


def _claim_of_role(role: Document) -> list[str]:
    reference = role["spec"]["claimRef"]
    return [join_key(reference.get("namespace") or role["metadata"]["namespace"], reference["name"])]


def _server_of_class(document: Document) -> list[str]:
    reference = document["spec"].get("serverRef")
    return [join_key(reference["namespace"], reference["name"])] if reference else []


def _server_of_claim(claim: Document) -> list[str]:
    reference = (claim.get("status") or {}).get("serverRef")
    return [join_key(reference["namespace"], reference["name"])] if reference else []


def _home_of_template(document: Document) -> list[str]:
    template = document["spec"].get("template")
    return [template["namespace"]] if template else []


INDEXES: Mapping[Kind, Mapping[str, Index]] = {
    CLASS: {"server": _server_of_class, "template": _home_of_template},
    CLAIM: {
        "class": lambda claim: [claim["spec"]["className"]],
        "server": _server_of_claim,
        "namespace": lambda claim: [claim["metadata"]["namespace"]],
    },
    ROLE: {"claim": _claim_of_role, "namespace": lambda role: [role["metadata"]["namespace"]]},
    GRANT: {"namespace": lambda grant: [grant["metadata"]["namespace"]]},
}
"""What the caches are indexed by."""


@attrs.frozen
class Namespace:
    """A namespace: its uid tells it from an earlier one of the same name."""

    name: str
    uid: str
    labels: Mapping[str, str]


@lru_cache(maxsize=512)
def _model(body: bytes) -> Object:
    """The model of a cached document. Every pass over a claim reads its class and server, and checking is dear."""
    return parse(orjson.loads(body))


class Lookup:
    """The caches, read as models. Any method may raise `NotSynced`, and `SpecError` for a bad document."""

    def __init__(self, client: CachedClient) -> None:
        self._client = client

    def claim(self, key: str) -> DatabaseClaim | None:
        """A claim."""
        return self._parsed(CLAIM, key, DatabaseClaim)

    def class_(self, name: str) -> DatabaseClass | None:
        """A class."""
        return self._parsed(CLASS, name, DatabaseClass)

    def server(self, key: str) -> DatabaseServer | None:
        """A server, with the fields that its class's sizes stand for; its own fields win."""
        server, document = self._parsed(SERVER, key, DatabaseServer), self.document(SERVER, key)
        if server is None or document is None or server.spec.size is None:
            return server
        sizes = [class_.spec.sizes for class_ in self.classes_serving(document)]
        block = next((each[server.spec.size] for each in sizes if server.spec.size in each), {})
        config = {**block, **server.spec.config}
        return attrs.evolve(server, spec=attrs.evolve(server.spec, config=config))

    def role(self, key: str) -> RoleClaim | None:
        """A role claim."""
        return self._parsed(ROLE, key, RoleClaim)

    def grant(self, key: str) -> ClaimGrant | None:
        """A grant."""
        return self._parsed(GRANT, key, ClaimGrant)

    def document(self, kind: Kind, key: str) -> dict[str, Any] | None:
        """An object as it is stored."""
        return self._client.lister(kind).get(key)

    def roles_of(self, claim: str) -> list[str]:
        """Keys of the role claims that name this claim, in order."""
        return sorted(self._client.lister(ROLE).index("claim", claim))

    def grants_in(self, namespace: str) -> list[ClaimGrant]:
        """The grants of a namespace; one that cannot be read grants nothing."""
        return self._readable(GRANT, self._client.lister(GRANT).index("namespace", namespace), ClaimGrant)

    def classes_of(self, server: str) -> list[DatabaseClass]:
        """The classes that offer this server."""
        return self._readable(CLASS, self._client.lister(CLASS).index("server", server), DatabaseClass)

    def classes_serving(self, server: Document) -> list[DatabaseClass]:
        """The classes for which a server is there: those that offer it, or the template that it was made from.

        A made server is one only where a template puts its servers: elsewhere anybody may write such a mark.
        """
        metadata = server["metadata"]
        offered = self.classes_of(join_key(metadata["namespace"], metadata["name"]))
        if offered or claim_of(server) is None:
            return offered
        return self._readable(CLASS, self._client.lister(CLASS).index("template", metadata["namespace"]), DatabaseClass)

    def claims_on(self, server: str) -> list[str]:
        """Keys of the claims that are bound to this server."""
        return self._client.lister(CLAIM).index("server", server)

    def claims_of(self, class_name: str) -> list[str]:
        """Keys of the claims that name this class."""
        return self._client.lister(CLAIM).index("class", class_name)

    def claims_in(self, namespace: str) -> list[str]:
        """Keys of the claims in a namespace."""
        return self._client.lister(CLAIM).index("namespace", namespace)

    def namespace(self, name: str) -> Namespace:
        """A namespace; raises `NotReady` while the cache does not hold it."""
        document = self._client.lister(NAMESPACE).get(name)
        if document is None:
            raise NotReady(f"namespace {name!r} is not known yet", reason="NamespaceNotFound", retry_after=RETRY)
        metadata = document["metadata"]
        return Namespace(name, metadata["uid"], metadata.get("labels") or {})

    def _parsed(self, kind: Kind, key: str, model: type[T]) -> T | None:
        body = self._client.lister(kind).body(key)
        if body is None:
            return None
        parsed = _model(body)
        assert isinstance(parsed, model)
        return parsed

    def _readable(self, kind: Kind, keys: list[str], model: type[T]) -> list[T]:
        found = []
        for key in sorted(keys):
            try:
                parsed = self._parsed(kind, key, model)
            except SpecError:
                continue
            if parsed is not None:
                found.append(parsed)
        return found
