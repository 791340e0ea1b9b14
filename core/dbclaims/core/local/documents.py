"""The YAML in a directory, as documents with the place where each stands.

Only files whose size, time or inode changed are read again. What cannot be read is a `Problem` and makes its file
*unsure*: nothing may be concluded from what is not in it.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import orjson
import yaml
from attrs import field, frozen

from ..api import API_VERSION, RESOURCES
from ..kinds import NAMESPACE, SECRET, WATCHED
from ..objectstore import Kind, Object, join_key
from .errors import DirectoryUnreadable

KINDS = {kind.kind: kind for kind in (*WATCHED, SECRET)}
"""The kinds that a document may have; other people's kinds are left alone."""

SUFFIXES = frozenset({".yaml", ".yml"})

Fingerprint = tuple[int, int, int]


@frozen
class Problem:
    """Something in the directory that was not taken over, as a person is told of it.

    Attributes:
        place: `file:line`, or the file.
        message: what, and the way out.
        kind: kind of the object that it is about; empty where that is not known.
        key: that object's key, `namespace/name`.
    """

    place: str
    message: str
    kind: str = ""
    key: str = ""

    def __str__(self) -> str:
        subject = f" {self.kind} {self.key}:" if self.kind else ""
        return f"{self.place}:{subject} {self.message}"


@frozen
class Document:
    """One document of a kind that we know.

    Attributes:
        file: relative to the directory.
        line: of its first line, from 1.
        body: the document, with its namespace filled in. May be a Secret, and so never shows.
    """

    kind: Kind
    file: str
    line: int
    body: Object = field(repr=False)

    @property
    def key(self) -> str:
        """`namespace/name`, or the name alone."""
        return join_key(self.body["metadata"].get("namespace"), self.body["metadata"]["name"])

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}"


@frozen
class _Reading:
    """What one file held when it had this fingerprint."""

    fingerprint: Fingerprint | None = None
    documents: tuple[Document, ...] = ()
    problems: tuple[Problem, ...] = ()
    sure: bool = True


class Documents:
    """The documents under one directory; `refresh` looks again.

    Files and folders whose name begins with a dot are no documents: editors' and kubelet's own, and our state.

    Attributes:
        current: whether the last look left nothing for the next one.
    """

    def __init__(self, directory: Path, state: Path) -> None:
        self._directory = directory
        self._state = state.absolute()
        self._readings: dict[str, _Reading] = {}
        self._last_look: dict[str, Fingerprint | None] = {}
        self.current = False

    def __iter__(self) -> Iterator[Document]:
        return (document for reading in self._readings.values() for document in reading.documents)

    @property
    def problems(self) -> list[Problem]:
        """Everything that could not be read."""
        return [problem for reading in self._readings.values() for problem in reading.problems]

    def unsure(self, file: str) -> bool:
        """Whether a document missing from this file may be in it all the same."""
        path = Path(file)
        return any(not self._readings.get(str(each), _Reading()).sure for each in (path, *path.parents))

    def refresh(self, *, settled: bool = False) -> bool:
        """Read what changed, and say whether anything did. Raises `DirectoryUnreadable`.

        With `settled`, a file is taken at its word only when two looks in a row found it alike: a file that is being
        saved, or is away for the moment between two names, is left for the next look.
        """
        look, unreadable = self._look()
        previous, self._last_look = self._last_look, look
        changed = [file for file in {*look, *self._readings} if self._fingerprint_of(file) != look.get(file)]
        ready = [file for file in changed if not settled or previous.get(file) == look.get(file)]
        for file in ready:
            self._read(file, unreadable.get(file))
        self.current = len(ready) == len(changed)
        return bool(ready)

    def _fingerprint_of(self, file: str) -> Fingerprint | None:
        reading = self._readings.get(file)
        return reading.fingerprint if reading else None

    def _look(self) -> tuple[dict[str, Fingerprint | None], dict[str, OSError]]:
        """The fingerprint of every file, and what went wrong with a folder or a file that may not be looked at."""
        found: dict[str, Fingerprint | None] = {}
        unreadable: dict[str, OSError] = {}

        def refused(error: OSError) -> None:
            if Path(error.filename) == self._directory:
                message = f"the directory {self._directory} cannot be read ({error.strerror}); nothing was changed"
                raise DirectoryUnreadable(f"{message}; bring it back, or name the right one") from error
            self._note(error.filename, error, found, unreadable)

        for folder, folders, names in os.walk(self._directory, onerror=refused):
            folders[:] = [name for name in folders if self._is_ours(Path(folder, name))]
            for path in (Path(folder, name) for name in names if Path(name).suffix in SUFFIXES):
                if self._is_ours(path):
                    self._fingerprint(path, found, unreadable)
        return found, unreadable

    def _is_ours(self, path: Path) -> bool:
        return not path.name.startswith(".") and path.absolute() != self._state

    def _fingerprint(self, path: Path, found: dict[str, Fingerprint | None], unreadable: dict[str, OSError]) -> None:
        try:
            status = path.stat()
        except OSError as error:
            self._note(path, error, found, unreadable)
        else:
            found[self._relative(path)] = (status.st_mtime_ns, status.st_size, status.st_ino)

    def _note(
        self,
        path: str | Path,
        error: OSError,
        found: dict[str, Fingerprint | None],
        unreadable: dict[str, OSError],
    ) -> None:
        # A fingerprint that no file has, alike at each look, so that the trouble is told once and its end is seen.
        found[self._relative(Path(path))] = (-1, error.errno or 0, 0)
        unreadable[self._relative(Path(path))] = error

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._directory).as_posix()

    def _read(self, file: str, trouble: OSError | None) -> None:
        fingerprint = self._last_look.get(file)
        if fingerprint is None:
            del self._readings[file]
            return
        try:
            if trouble:
                raise trouble
            reading = read(file, (self._directory / file).read_bytes())
        except OSError as error:
            reading = _unsure(file, f"cannot be read ({error.strerror}); what it held stays as it was")
        self._readings[file] = _Reading(fingerprint, reading.documents, reading.problems, reading.sure)


# --- one file ----------------------------------------------------------------------------------------------------


def read(file: str, text: bytes) -> _Reading:
    """The documents of one file. A file that is no YAML holds nothing: its earlier documents may be cut as well."""
    documents: list[Document] = []
    problems: list[Problem] = []
    try:
        for line, body in _bodies(text):
            found = _document(file, line, body)
            if isinstance(found, Document):
                documents.append(found)
            elif found:
                problems.append(found)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "not a text"
        place = f"{file}:{mark.line + 1}" if mark else file
        return _unsure(place, f"this is no YAML ({what}); what the file held stays as it was")
    return _Reading(None, tuple(documents), tuple(problems), sure=not problems)


def _unsure(place: str, message: str) -> _Reading:
    return _Reading(problems=(Problem(place, message),), sure=False)


class _Loader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: no key twice, and a date is a text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping; raises where a key stands twice, since one of the two would be lost."""
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{name!r} stands here twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _bodies(text: bytes) -> Iterator[tuple[int, object]]:
    """Each document that is not empty, with its first line."""
    loader = _Loader(text)
    try:
        while (node := loader.get_node() if loader.check_node() else None) is not None:
            body = loader.construct_document(node)
            if body is not None:
                yield node.start_mark.line + 1, body
    finally:
        loader.dispose()


def _document(file: str, line: int, body: object) -> Document | Problem | None:
    """A document of ours, a problem, or None for a kind of somebody else's."""
    place = f"{file}:{line}"
    if not isinstance(body, dict) or not isinstance(body.get("kind"), str):
        return Problem(place, "this is no object; it needs apiVersion, kind, metadata and spec")
    kind = KINDS.get(body["kind"])
    version = body.get("apiVersion")
    if kind is None or (kind in (SECRET, NAMESPACE) and version != kind.api_version):
        known = f"known are {', '.join(RESOURCES)}"
        return Problem(place, f"there is no kind {body['kind']!r}; {known}") if version == API_VERSION else None
    if version != kind.api_version:
        return Problem(place, f"a {kind.kind} has apiVersion {kind.api_version}, not {version!r}")
    return _named(kind, file, line, body)


def _named(kind: Kind, file: str, line: int, body: Object) -> Document | Problem:
    metadata = body.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        return Problem(f"{file}:{line}", f"this {kind.kind} has no metadata.name (a text)")
    namespace = {"namespace": metadata.get("namespace") or "default"} if kind.namespaced else {}
    others = {key: value for key, value in metadata.items() if key != "namespace"}
    try:
        plain = orjson.loads(orjson.dumps({**body, "metadata": {**others, **namespace}}))
    except TypeError as error:
        return Problem(f"{file}:{line}", f"this {kind.kind} holds what JSON does not know ({error})")
    return Document(kind, file, line, plain)
