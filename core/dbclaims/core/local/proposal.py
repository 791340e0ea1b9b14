"""Documents that nobody has applied yet, laid over the objects as applying them would: for `plan -f`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import orjson
from attrs import frozen

from ..kinds import NAMESPACE, SECRET
from ..objectstore import Invalid, Kind, Object, key_of
from . import intake, writes
from .documents import Document, Documents, Problem, read
from .errors import DirectoryUnreadable
from .state import Address, Row
from .store import STATE_NAME

STDIN = "-"


@frozen
class Proposal:
    """What the objects would be.

    Attributes:
        objects: every object, with the documents laid over them.
        secrets: the Secrets among the documents.
        changes: kind, stored object (None where it is new) and proposed one, of each document of ours.
        problems: documents that would be refused.
    """

    objects: tuple[Object, ...]
    secrets: Mapping[Address, Object]
    changes: tuple[tuple[Kind, Object | None, Object], ...]
    problems: tuple[Problem, ...]


def propose(
    objects: Iterable[Object], files: Sequence[str], now: datetime, *, make_namespaces: bool = False
) -> Proposal:
    """Lay the documents of these files and folders over the objects; `-` is the standard input.

    With `make_namespaces`, a namespace is there as soon as something is in it, as in a directory. Raises
    `DirectoryUnreadable`.
    """
    standing = {(each["kind"], key_of(each)): each for each in objects}
    readings = [_read(file) for file in files]
    problems = [problem for _, found in readings for problem in found]
    secrets: dict[Address, Object] = {}
    changes: list[tuple[Kind, Object | None, Object]] = []
    for document in (each for documents, _ in readings for each in documents):
        try:
            old = standing.get((document.kind.kind, document.key))
            new = _applied(document, old, now)
        except Invalid as error:
            problems.append(intake.about(document, str(error)))
            continue
        if document.kind == SECRET:
            secrets[_address(document)] = new
        else:
            changes.append((document.kind, old, new))
            standing[document.kind.kind, document.key] = new
    if make_namespaces:
        standing = {**_namespaces(standing.values(), now), **standing}
    return Proposal(tuple(standing.values()), secrets, tuple(changes), tuple(problems))


def _read(file: str) -> tuple[Sequence[Document], Sequence[Problem]]:
    path = Path(file)
    if file != STDIN and path.is_dir():
        found = Documents(path, path / STATE_NAME)
        found.refresh()
        return tuple(found), found.problems
    try:
        reading = read(file, sys.stdin.buffer.read() if file == STDIN else path.read_bytes())
    except OSError as error:
        raise DirectoryUnreadable(f"{file} cannot be read ({error.strerror}); name a file or a folder") from error
    return reading.documents, reading.problems


def _applied(document: Document, old: Object | None, now: datetime) -> Object:
    if document.kind == SECRET:
        return writes.checked(document.body, None)
    address = _address(document)
    row = Row(address, 0, orjson.dumps(old)) if old else None
    new = intake.accepted(document, row, writes.uid_of(address), now)
    return {**new, "metadata": {"resourceVersion": "1", **new["metadata"]}}


def _address(document: Document) -> Address:
    metadata = document.body["metadata"]
    return writes.address_of(document.kind, metadata.get("namespace"), metadata["name"])


def _namespaces(objects: Iterable[Object], now: datetime) -> dict[tuple[str, str], Object]:
    names = {each["metadata"].get("namespace") for each in objects} - {None}
    return {(NAMESPACE.kind, name): _namespace(name, now) for name in sorted(names)}


def _namespace(name: str, now: datetime) -> Object:
    body = {
        "apiVersion": NAMESPACE.api_version,
        "kind": NAMESPACE.kind,
        "metadata": {"name": name, "labels": {intake.NAME_LABEL: name}},
    }
    made = writes.born(body, writes.uid_of((NAMESPACE.kind, "", name)), now)
    return {**made, "metadata": {**made["metadata"], "resourceVersion": "1"}}
