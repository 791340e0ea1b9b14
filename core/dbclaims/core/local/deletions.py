"""The wish that an object goes whose document is gone: a mark in STATE, so that it reaches a running `up` as well."""

from __future__ import annotations

from pathlib import Path

from ..api import RESOURCES
from ..api.meta import check_metadata
from ..objectstore import Invalid, NotFound
from .documents import Documents
from .errors import state_errors
from .intake import by_address
from .state import Address, holds

FOLDER = "deletions"
_NO_NAMESPACE = "_"


def request_deletion(directory: Path, state: Path, kind: str, namespace: str, name: str) -> Address:
    """Say that an object is meant to go, whatever its policy; the next scan does it. `kind` as kubectl takes it.

    Raises `Invalid` for a wrong name or while its document stands there, `NotFound` where there is no such object,
    `DirectoryUnreadable` and `StateUnusable`.
    """
    address = _address(kind, namespace, name)
    documents = Documents(directory, state)
    documents.refresh()
    for document in by_address(documents).get(address, ()):
        raise Invalid(f"{kind}/{name} still stands in {document.place}; remove the document first")
    if not holds(state, address):
        where = f" in namespace {namespace}" if address[1] else ""
        raise NotFound(f"there is no {address[0]} {name}{where} in {state}; correct the name, or give -n NAMESPACE")
    with state_errors(state):
        mark = _path(state, address)
        mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.touch(mode=0o600)
    return address


def requested(state: Path) -> list[Address]:
    """Every object that was asked to go."""
    with state_errors(state):
        marks = sorted((state / FOLDER).glob("*/*/*"))
    parts = [mark.parts[-3:] for mark in marks]
    return [(kind, "" if namespace == _NO_NAMESPACE else namespace, name) for kind, namespace, name in parts]


def forget(state: Path, address: Address) -> None:
    """Remove the mark: the wish is done, or overtaken by a new document."""
    with state_errors(state):
        _path(state, address).unlink(missing_ok=True)


def _path(state: Path, address: Address) -> Path:
    kind, namespace, name = address
    return state / FOLDER / kind / (namespace or _NO_NAMESPACE) / name


def _address(word: str, namespace: str, name: str) -> Address:
    for resource in RESOURCES.values():
        if word.lower() in (resource.kind.lower(), resource.plural, *resource.short_names):
            break
    else:
        raise Invalid(f"there is no kind {word!r}; known are {', '.join(RESOURCES)}")
    namespace = namespace if resource.namespaced else ""
    for problem in check_metadata({"name": name, "namespace": namespace}, namespaced=resource.namespaced):
        raise Invalid(str(problem))
    return resource.kind, namespace, name
