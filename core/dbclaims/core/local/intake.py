"""From documents to objects: what a document makes of the stored object, and what a vanished one means. Pure.

In a directory the absence of a file is no wish to delete, and a document that is refused changes nothing: the object
stays at the last one that was accepted and says so in an annotation, where the reconciler finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
from attrs import frozen

from ..api import REFUSED_EDIT
from ..kinds import CLAIM, CLASS, NAMESPACE
from ..objectstore import Invalid, Object, join_key
from . import writes
from .documents import Document, Problem
from .state import Address, Row

NAME_LABEL = "kubernetes.io/metadata.name"
"""On every Namespace, as in Kubernetes, so that a selector can name one."""

_RETAIN = "Retain"


@frozen
class Change:
    """What a scan did to one object: `created`, `changed`, `deleted`, or `deleting` while finalizers hold it."""

    verb: str
    kind: str
    key: str


def by_address(documents: Iterable[Document]) -> dict[Address, list[Document]]:
    """All documents of each object; more than one is a problem."""
    found: dict[Address, list[Document]] = {}
    for document in documents:
        metadata = document.body["metadata"]
        address = writes.address_of(document.kind, metadata.get("namespace"), metadata["name"])
        found.setdefault(address, []).append(document)
    return found


def about(document: Document, message: str) -> Problem:
    """A problem with one document."""
    return Problem(document.place, message, document.kind.kind, document.key)


def doubled(documents: list[Document]) -> Problem:
    """The problem of several documents for one object."""
    others = ", ".join(document.place for document in documents[1:])
    return about(documents[0], f"stands in {others} as well; keep one of them. Nothing was changed")


def applied(document: Document) -> dict[str, dict[str, str]]:
    """The labels and annotations that a document brings, to be taken back when it no longer does."""
    metadata = document.body["metadata"]
    brought = {part: metadata.get(part) or {} for part in ("labels", "annotations")}
    if document.kind == NAMESPACE and isinstance(brought["labels"], Mapping):
        brought["labels"] = {**brought["labels"], NAME_LABEL: metadata["name"]}
    return brought


def accepted(document: Document, row: Row | None, uid: str, now: datetime) -> Object:
    """The object that a document makes, on top of the stored one. Raises `Invalid`."""
    if row is None:
        return writes.born(_new(document), uid, now)
    stored: Object = orjson.loads(row.body)
    before: Mapping[str, Mapping[str, str]] = orjson.loads(row.applied)
    metadata = dict(stored["metadata"])
    for part, names in applied(document).items():
        _check_names(part, names)
        kept = {key: value for key, value in metadata.pop(part, {}).items() if key not in before.get(part, {})}
        kept.pop(REFUSED_EDIT, None)
        if kept or names:
            metadata[part] = {**kept, **names}
    return writes.updated(stored, {**document.body, "metadata": metadata}, "")


def refused(row: Row, problem: Problem) -> Object:
    """The stored object with the refusal of its document's edit written on it."""
    stored: Object = orjson.loads(row.body)
    annotations = {**stored["metadata"].get("annotations", {}), REFUSED_EDIT: f"{problem.place}: {problem.message}"}
    return {**stored, "metadata": {**stored["metadata"], "annotations": annotations}}


def waits(row: Row, classes: Mapping[str, Object]) -> bool:
    """Whether the end of this object would destroy data, so that its document's absence is not enough.

    The policy is the strictest of the object's own and the one it was bound with, then its class's.
    """
    obj: Object = orjson.loads(row.body)
    policies = {obj.get(part, {}).get("deletionPolicy") for part in ("spec", "status")} - {None, ""}
    if not policies and row.address[0] == CLAIM.kind:
        policies = {classes.get(obj["spec"]["className"], {}).get("spec", {}).get("deletionPolicy", _RETAIN)}
    return bool(policies - {_RETAIN})


def vanished(row: Row) -> Problem:
    """The problem of a vanished document whose object waits to be told to go."""
    kind, namespace, name = row.address
    option = f" -n {namespace}" if namespace else ""
    message = (
        "its document is gone, and its deletionPolicy would destroy data, so it stays. Bring the document back, or "
        f"confirm with `dbclaims delete {kind}/{name}{option} DIR` or `dbclaims up --prune`"
    )
    return Problem(row.source, message, kind, join_key(namespace, name))


def classes(rows: Iterable[Row]) -> dict[str, Object]:
    """The DatabaseClasses among the rows, by name."""
    return {row.address[2]: orjson.loads(row.body) for row in rows if row.address[0] == CLASS.kind}


def _new(document: Document) -> Object:
    """A document without what only the server or the controller writes."""
    metadata = document.body["metadata"]
    names = {key: metadata[key] for key in ("name", "namespace") if key in metadata}
    parts: dict[str, Any] = {part: value for part, value in applied(document).items() if value}
    for part, value in parts.items():
        _check_names(part, value)
    return {**document.body, "metadata": {**names, **parts}}


def _check_names(part: str, names: object) -> None:
    if not isinstance(names, Mapping):
        raise Invalid(f"metadata.{part}: is not a map of strings", status=422)
