"""From a document to a model, refusing what the API server would refuse.

The local home asks `validate` before it accepts a document, as the API server does with the CRD; the reconciler asks
`parse`, which holds every accepted document to the same bounds once more, for it may come from another version of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .check import filled, problems
from .convert import from_document
from .errors import Problem, SpecError, UnknownKind
from .kinds import RESOURCES, Object, Resource, document_schema
from .meta import API_VERSION, check_metadata


def resource_of(document: Mapping[str, Any]) -> Resource:
    """The kind that a document names.

    Raises:
        UnknownKind: it is none of ours.
    """
    kind, version = document.get("kind"), document.get("apiVersion")
    if version != API_VERSION:
        message = f"{version!r} is not {API_VERSION}"
        raise UnknownKind([Problem("apiVersion", "InvalidSpec", message, unknown=True)])
    if not isinstance(kind, str) or kind not in RESOURCES:
        message = f"{kind!r} is none of {', '.join(RESOURCES)}"
        raise UnknownKind([Problem("kind", "InvalidSpec", message, unknown=True)])
    return RESOURCES[kind]


def defaulted(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with the CRD's defaults filled in, as the API server stores it.

    Raises:
        UnknownKind: it is none of ours.
    """
    return dict(filled(document_schema(resource_of(document).kind), document))


def validate(new: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> list[Problem]:
    """What the API server would refuse about a document; `old` is the one that it replaces.

    A status in the document is not looked at: only the controller writes one, and the API server drops any other.
    """
    try:
        resource = resource_of(new)
    except UnknownKind as error:
        return list(error.problems)
    return _problems(resource, defaulted(new), defaulted(old) if old else None)


def parse(document: Mapping[str, Any]) -> Object:
    """A model from an accepted document.

    Raises:
        UnknownKind: it is none of ours.
        SpecError: it cannot be used; `reason` is `NewerSpec` where it was written for a newer version of ours.
    """
    resource, complete = resource_of(document), defaulted(document)
    found = _problems(resource, complete, None)
    if found:
        raise SpecError(found)
    return _model(complete, resource)


def _model(document: dict[str, Any], resource: Resource) -> Object:
    try:
        model: Object = from_document(document, resource.model)
    except ValueError as error:
        # The spec was checked, so this is a status, which only the controller writes: another version of it.
        message = "was written by another version of the controller; update this one"
        raise SpecError([Problem("status", "NewerSpec", message, unknown=True)]) from error
    return model


def _problems(resource: Resource, new: dict[str, Any], old: dict[str, Any] | None) -> list[Problem]:
    metadata = new.get("metadata")
    found = check_metadata(metadata if isinstance(metadata, Mapping) else {}, namespaced=resource.namespaced)
    without_status = {**new, "status": {}}
    return found or problems(document_schema(resource.kind), without_status, old)
