"""The objects of a home as people read them: a row for each server, claim and role claim, in a table or as lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from attrs import frozen
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .kinds import CLAIM, ROLE, SERVER
from .objectstore import Object, ObjectStore, key_of

SHOWN = (SERVER, CLAIM, ROLE)
"""The kinds that become Ready; a class and a grant only say what others may do."""

_COLOURS = {"True": "green", "False": "red"}


@frozen
class Row:
    """One object at a glance.

    Attributes:
        ready: the status of its condition Ready.
        reason: of the last pass, CamelCase.
        why: one sentence: who, what, the way out.
        secret: the name of its published Secret, or empty.
        current: whether its last edit was looked at, and it is not on its way out.
        good: whether its last edit is Ready.
        stalled: whether only a person's change helps.
    """

    kind: str
    key: str
    ready: str
    reason: str
    why: str
    secret: str = ""
    current: bool = False
    good: bool = False
    stalled: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {'Ready' if self.good else 'not Ready'} ({self.reason}): {self.why}"

    @property
    def over(self) -> bool:
        """Whether nothing is to be waited for: it is good, or stalled."""
        return self.current and (self.good or self.stalled)


def rows(store: ObjectStore) -> list[Row]:
    """The rows of everything in the store. Raises `StoreError`."""
    return [row_of(orjson.loads(item)) for kind in SHOWN for item in store.list(kind, limit=100_000).items]


def row_of(document: Object) -> Row:
    """The row of one object. Pure."""
    metadata, status = document["metadata"], document.get("status") or {}
    found = {condition["type"]: condition for condition in status.get("conditions") or ()}
    ready, synced = found.get("Ready", {}), found.get("Synced", {})
    generation = metadata.get("generation")
    deleting = bool(metadata.get("deletionTimestamp"))
    current = status.get("observedGeneration") == generation and not deleting
    return Row(
        kind=document["kind"],
        key=key_of(document),
        ready=ready.get("status", "Unknown"),
        reason="Deleting" if deleting and synced.get("status") == "True" else synced.get("reason", "Pending"),
        why=_sentence(found),
        secret=status.get("secretName") or "",
        current=current,
        good=current and ready.get("status") == "True" and ready.get("observedGeneration") == generation,
        stalled=found.get("Stalled", {}).get("status") == "True",
    )


def rendered(shown: Sequence[Row], notes: Iterable[object]) -> RenderableType:
    """The table, with what stands in the way of documents below it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("KIND", "NAME", "READY", "REASON", "SECRET"):
        table.add_column(column, no_wrap=True)
    table.add_column("WHY", overflow="fold")
    for row in shown:
        ready = Text(row.ready, style=_COLOURS.get(row.ready, "yellow"))
        # Text, never markup: a sentence may quote what somebody wrote in square brackets.
        table.add_row(row.kind, row.key, ready, row.reason, row.secret, Text(row.why))
    return Group(table, *(Text(f"! {note}", style="red") for note in notes))


def _sentence(found: dict[str, dict[str, Any]]) -> str:
    """The last pass's sentence, then the warnings."""
    others = found.keys() - {"Ready", "Synced", "Reconciling", "Stalled"}
    warnings = [f"[{name}] {found[name].get('message', '')}" for name in sorted(others)]
    return " ".join([found.get("Synced", {}).get("message", ""), *warnings]).strip()
