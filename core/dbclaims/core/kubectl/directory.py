"""The objects of a directory, for the verbs that only look: `dbclaims list DIR` and so on."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from ..api.crd import columns
from ..api.kinds import RESOURCES, Column
from ..kube.trace import Observer
from ..local import STATE_NAME, LocalView
from ..objectstore import ObjectStore, every
from .age import since
from .desk import Selection
from .jsonpath import found
from .reading import KINDS
from .tables import Row, Table
from .verb import Usage
from .words import Word


class LocalHome:
    """A directory with its STATE (`Home`). Raises `StoreError`."""

    namespace = ""

    def __init__(self, arguments: Namespace, _: Observer) -> None:
        self._state: Path = arguments.state or arguments.directory / STATE_NAME
        self.store: ObjectStore = LocalView(self._state)

    def table(
        self,
        word: Word,
        namespace: str | None,
        selection: Selection,
        *,
        wide: bool,
        metadata: bool = False,  # noqa: ARG002 -- it is always at hand
    ) -> Table:
        """See `Home.table`: made here as an API server makes it."""
        shown = [each for each in columns(RESOURCES[word.kind]) if wide or not each.wide]
        objects, now = self.objects(word, namespace, selection), datetime.now(UTC)
        return Table(("Name", *(each.name for each in shown)), tuple(row(each, shown, now) for each in objects))

    def changes(self, *_: object, **__: object) -> NoReturn:
        """See `Home.changes`: nobody tells of them here."""
        raise Usage("error: `dbclaims up` without --once follows a directory")

    def objects(self, word: Word, namespace: str | None, selection: Selection) -> list[dict[str, Any]]:
        """See `Home.objects`."""
        if any(selection.values()):
            raise Usage("error: a directory selects nothing by labels or fields")
        return list(every(self.store, KINDS[word], namespace))

    def secret_names(self, namespace: str | None) -> list[dict[str, Any]] | None:  # noqa: ARG002
        """See `Home.secret_names`."""
        return None

    def secrets(self) -> list[str]:
        """See `Home.secrets`: a directory asks for no login."""
        return []

    def login_at(self, namespace: str, owner: str, secret: str) -> str:  # noqa: ARG002 -- a cluster needs it
        """See `Home.login_at`."""
        return f"in {self._state / 'secrets' / namespace / secret}"

    def approval(self, name: str, namespace: str, hash_: str) -> str:
        """See `Home.approval`."""
        return f'write dbclaims.io/approve: "{hash_}" into the annotations of {name} in namespace {namespace}'

    def close(self) -> None:
        """See `Home.close`."""
        self.store.close()


def row(document: dict[str, Any], shown: list[Column], now: datetime) -> Row:
    """An object's line. Pure."""
    cells = (_cell(each, document, now) for each in shown)
    return Row((document["metadata"]["name"], *cells), document["metadata"])


def _cell(column: Column, document: dict[str, Any], now: datetime) -> str:
    values = found(column.path, document)
    if not values or values[0] is None:
        return ""
    return since(str(values[0]), now) if column.type == "date" else str(values[0])
