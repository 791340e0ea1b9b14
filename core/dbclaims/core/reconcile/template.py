"""The server of a claim whose class has a template: one DatabaseServer each, in the platform's namespace.

It is tied to its claim by label and mark, never by an owner reference, which cannot cross namespaces (DESIGN.md §2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..api import (
    MANAGED_BY,
    MANAGED_BY_LABEL,
    MARK_ANNOTATION,
    OWNER_UID_LABEL,
    DatabaseClaim,
    DatabaseClass,
    DatabaseServer,
    to_document,
)
from ..client import CachedClient
from ..kinds import SERVER
from ..objectstore import AlreadyExists, Object, join_key
from ..spi import Mark, NotOwned


def server_name(claim: DatabaseClaim) -> str:
    """The name of a claim's own server. No two claims share one: a namespace's name holds no dot."""
    return f"{claim.metadata.namespace}.{claim.metadata.name}"


def server_key(claim: DatabaseClaim, class_: DatabaseClass) -> str | None:
    """The key of a claim's own server; None where the class has no template."""
    template = class_.spec.template
    return join_key(template.namespace, server_name(claim)) if template else None


def claim_of(server: Mapping[str, Any]) -> str | None:
    """The key of the claim that a server was made for, None for any other server."""
    mark = Mark.read((server["metadata"].get("annotations") or {}).get(MARK_ANNOTATION))
    return join_key(mark.ns, mark.name) if mark else None


def check_own(server: DatabaseServer, mark: Mark) -> None:
    """Raise `NotOwned` for a server that was not made for this claim, such as one of an earlier namespace's."""
    found = Mark.read(server.metadata.annotations.get(MARK_ANNOTATION))
    if found is None or not found.same_owner(mark):
        raise NotOwned(
            f"DatabaseServer {server.metadata.key} was not made for this claim; the platform team must remove it"
        )


def make_server(client: CachedClient, claim: DatabaseClaim, class_: DatabaseClass, mark: Mark) -> None:
    """Create the claim's own server. Edits of the class do not reach it (PROTOCOL.md §3)."""
    template = class_.spec.template
    assert template is not None
    spec: dict[str, Any] = to_document(template)
    namespace = spec.pop("namespace")
    document: Object = {
        "apiVersion": SERVER.api_version,
        "kind": SERVER.kind,
        "metadata": {
            "name": server_name(claim),
            "namespace": namespace,
            "labels": {MANAGED_BY_LABEL: MANAGED_BY, OWNER_UID_LABEL: claim.metadata.uid},
            "annotations": {MARK_ANNOTATION: mark.write()},
        },
        "spec": spec,
    }
    try:
        client.create(SERVER, document)
    except AlreadyExists:
        # Another controller was quicker, or the cache is behind: the next pass sees whose it is.
        return
