"""STATE as whoever looks on sees it: read without the lock, also while `dbclaims up` works on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import orjson

from ..kinds import SECRET
from ..objectstore import Forbidden, Kind, Object, Page
from .errors import StateUnusable, state_errors
from .secretfiles import SecretFiles
from .state import DATABASE
from .writes import address_of


class LocalView:
    """The objects of one STATE (`ObjectStore`), for reading. Raises `StateUnusable`, and `Forbidden` for the rest."""

    def __init__(self, state: Path) -> None:
        if not (state / DATABASE).is_file():
            raise StateUnusable(f"there is no state in {state}; `dbclaims up` makes it, or name another with --state")
        self._state = state
        self._secrets = SecretFiles(state)

    def list(
        self,
        kind: Kind,
        *,
        namespace: str | None = None,
        resource_version: str = "",  # noqa: ARG002 -- the newest state is also any state
        limit: int = 500,  # noqa: ARG002 -- one file, one page
        continue_: str = "",  # noqa: ARG002
    ) -> Page:
        """See `ObjectStore.list`: all of it, on one page."""
        if kind == SECRET:
            raise Forbidden("secrets are not listed in a directory; read one by its name", status=403)
        query = "SELECT body FROM objects WHERE kind = ? AND ? IN ('', namespace) ORDER BY namespace, name"
        return Page([body for (body,) in self._rows(query, kind.kind, namespace or "")], "0")

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """See `ObjectStore.get`; a Secret that stands in a document is not among them."""
        if kind == SECRET:
            return self._secrets.read(namespace or "", name)
        query = "SELECT body FROM objects WHERE (kind, namespace, name) = (?, ?, ?)"
        found = self._rows(query, *address_of(kind, namespace, name))
        body: Object | None = orjson.loads(found[0][0]) if found else None
        return body

    def watch(self, *_: object, **__: object) -> NoReturn:
        """Nobody tells of changes here."""
        raise Forbidden("a directory is not followed here; `dbclaims up` shows what it does", status=403)

    def create(self, *_: object, **__: object) -> NoReturn:
        """Refused, as every write."""
        raise Forbidden("a directory is looked at here and not changed; edit its documents", status=403)

    replace = patch = delete = create

    def close(self) -> None:
        """Nothing is held."""

    def _rows(self, query: str, *parameters: str) -> Sequence[tuple[bytes, ...]]:
        with (
            state_errors(self._state),
            closing(sqlite3.connect(f"file:{self._state / DATABASE}?mode=ro", uri=True)) as database,
        ):
            return database.execute(query, parameters).fetchall()
