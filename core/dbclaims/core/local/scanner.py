"""One look at the directory: read what changed, and bring the stored objects in line with their documents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import orjson
from attrs import frozen

from ..clock import Clock
from ..kinds import NAMESPACE, SECRET
from ..objectstore import Invalid, Object, join_key
from . import deletions, intake, writes
from .documents import Document, Documents, Problem
from .intake import Change
from .objects import Objects
from .state import Address, Row

_NOTHING_LEFT = (
    "holds no document any more, and an empty directory is rather a lost one: nothing was deleted. Bring the documents "
    "back, or confirm with `dbclaims up --prune`"
)


@frozen
class Scan:
    """What one look at the directory did, and what stands in the way, now and since earlier looks."""

    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()


class Scanner:
    """Looks at the directory and writes through `objects`. One thread at a time.

    Attributes:
        secrets: the Secrets that stand in documents. They stay in memory: STATE keeps no copy of a password that
            somebody else wrote.
    """

    def __init__(self, directory: Path, state: Path, objects: Objects, clock: Clock) -> None:
        self._directory = directory
        self._state = state
        self._documents = Documents(directory, state)
        self._objects = objects
        self._clock = clock
        self.secrets: dict[Address, Object] = {}
        self._accepted: dict[Address, Document] = {}
        self._problems: list[Problem] = []
        self._changes: list[Change] = []
        self._waiting = False
        # A file cut in the middle of a name holds another object, which is refused, and no longer the one that it held.
        self._refused: set[str] = set()

    def scan(self, *, settled: bool, prune: bool) -> Scan:
        """Look once. Raises `DirectoryUnreadable` and `StateUnusable`; what is wrong with a document is a problem."""
        self._changes = []
        read = self._documents.refresh(settled=settled)
        wishes = set(deletions.requested(self._state))
        if read or wishes or self._objects.ended or (prune and self._waiting):
            self._objects.ended = False
            self._take_in(wishes, prune=prune)
        return Scan(tuple(self._changes), tuple(self._problems))

    def _take_in(self, wishes: set[Address], *, prune: bool) -> None:
        found = intake.by_address(self._documents)
        self._problems = self._documents.problems
        self._refused = set()
        for address, documents in sorted(found.items()):
            problem = intake.doubled(documents) if len(documents) > 1 else self._take(address, documents[0])
            if problem:
                self._problems.append(problem)
                self._refused |= {document.file for document in documents}
        self._part(found.keys(), wishes, prune=prune)
        for address in wishes:
            # A file that has just gone is still taken for there until the next look.
            if address not in found or self._documents.current:
                deletions.forget(self._state, address)

    # --- a document that is there --------------------------------------------------------------------------------

    def _take(self, address: Address, document: Document) -> Problem | None:
        """Take one document over, or say why not. An object on its way out waits for its end, and is then made anew."""
        if address[0] == SECRET.kind:
            return self._take_secret(address, document)
        row = self._objects.row(address)
        if row and self._accepted.get(address) is document:
            return None
        if row and "deletionTimestamp" in orjson.loads(row.body)["metadata"]:
            return None
        self._accepted.pop(address, None)
        try:
            self._store(address, document, row)
        except Invalid as error:
            problem = intake.about(document, str(error))
            self._put(address, intake.refused(row, problem), row) if row else None
            return problem
        self._accepted[address] = document
        return None

    def _store(self, address: Address, document: Document, row: Row | None) -> None:
        obj = intake.accepted(document, row, self._objects.uid(address), self._clock.now())
        self._put(address, obj, row, document.file, orjson.dumps(intake.applied(document)))

    def _put(
        self,
        address: Address,
        obj: Object,
        row: Row | None,
        source: str | None = None,
        applied: bytes | None = None,
    ) -> None:
        if row is None or obj != orjson.loads(row.body):
            self._objects.put(address, obj, source=source, applied=applied)
            self._note("changed" if row else "created", address)
        elif source is not None and applied is not None:
            self._objects.note_source(row, source, applied)

    def _take_secret(self, address: Address, document: Document) -> Problem | None:
        try:
            secret = writes.checked(document.body, None)
        except Invalid as error:
            return intake.about(document, str(error))
        version = int(hashlib.sha256(orjson.dumps(secret)).hexdigest()[:12], 16)
        metadata = {**secret["metadata"], "uid": writes.uid_of(address), "resourceVersion": str(version)}
        self.secrets[address] = {**secret, "metadata": metadata}
        return None

    # --- a document that is gone ---------------------------------------------------------------------------------

    def _part(self, found: Iterable[Address], wishes: set[Address], *, prune: bool) -> None:
        present = set(found)
        for address in [each for each in self.secrets if each not in present]:
            del self.secrets[address]
        gone = [row for row in self._objects.rows() if self._is_gone(row, present)]
        kept = [row for row in gone if not (prune or row.address in wishes)]
        self._waiting = bool(kept)
        if kept and not present:
            self._problems.append(Problem(str(self._directory), _NOTHING_LEFT))
            gone = [row for row in gone if row not in kept]
        classes = intake.classes(self._objects.rows())
        for row in gone:
            if row in kept and intake.waits(row, classes):
                self._problems.append(intake.vanished(row))
            else:
                self._delete(row)

    def _is_gone(self, row: Row, present: set[Address]) -> bool:
        if not row.source or row.address in present or row.address[0] == NAMESPACE.kind:
            return False
        if row.source in self._refused or self._documents.unsure(row.source):
            return False
        return "deletionTimestamp" not in orjson.loads(row.body)["metadata"]

    def _delete(self, row: Row) -> None:
        held = self._objects.delete(row.address, orjson.loads(row.body))
        self._note("deleting" if held else "deleted", row.address)

    def _note(self, verb: str, address: Address) -> None:
        kind, namespace, name = address
        self._changes.append(Change(verb, kind, join_key(namespace, name)))
