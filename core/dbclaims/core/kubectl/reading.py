"""Reading objects through the port, with kubectl's words for what is not there."""

from __future__ import annotations

import difflib
from contextlib import suppress
from typing import TYPE_CHECKING

from .. import kinds
from ..objectstore import Forbidden, Kind, NotFound, Object, ObjectStore, StoreError, every
from .verb import Absent, Usage
from .words import CLAIM, CLASS, GRANT, ROLE, SERVER, Word, addressed

if TYPE_CHECKING:
    from .desk import Desk

KINDS = {CLAIM: kinds.CLAIM, ROLE: kinds.ROLE, GRANT: kinds.GRANT, CLASS: kinds.CLASS, SERVER: kinds.SERVER}
"""What people name, as the store addresses it."""


def named(desk: Desk, *allowed: Word) -> tuple[Word, Object]:
    """The object that the arguments name, of one of these kinds. Raises `Absent`, `Usage` and `StoreError`."""
    try:
        word, name = addressed(desk.arguments.name)
    except ValueError as error:
        raise Usage(f"error: {error}") from error
    if allowed and word not in allowed:
        kinds_named = " or ".join(each.singular for each in allowed)
        raise Usage(f"error: {desk.arguments.verb} is for a {kinds_named}, not for a {word.singular}")
    return word, present(desk, word, name)


def present(desk: Desk, word: Word, name: str) -> Object:
    """An object of the namespace that is meant. Raises `Absent` with what may be meant instead."""
    if word.namespaced and not desk.namespace:
        return _anywhere(desk, word, name)
    found = desk.store.get(KINDS[word], desk.namespace if word.namespaced else None, name)
    if found is None:
        raise Absent(_absent(desk, word, name))
    return found


def _anywhere(desk: Desk, word: Word, name: str) -> Object:
    """The only object of a name, where no namespace is named. Raises `Absent`, and `Usage` for several."""
    found = [each for each in every(desk.store, KINDS[word]) if each["metadata"]["name"] == name]
    if not found:
        raise Absent(_absent(desk, word, name))
    if len(found) > 1:
        places = ", ".join(sorted(each["metadata"]["namespace"] for each in found))
        raise Usage(f"error: there is a {word.singular} {name} in each of {places}; name one with -n")
    return found[0]


def visible(store: ObjectStore, kind: Kind, namespace: str | None, name: str) -> Object | None:
    """An object, or None where it is not there or not for our eyes."""
    with suppress(Forbidden, NotFound):
        return store.get(kind, namespace, name)
    return None


def all_visible(store: ObjectStore, kind: Kind, namespace: str | None = None) -> list[Object] | None:
    """All objects of a kind, or None where they are not for our eyes or not served."""
    with suppress(Forbidden, NotFound):
        return list(every(store, kind, namespace))
    return None


def _absent(desk: Desk, word: Word, name: str) -> str:
    """That it is not there, the nearest name, and the namespaces that do have it."""
    sentence = f'Error from server (NotFound): {word.plural}.{KINDS[word].group} "{name}" not found'
    known: list[Object] = []
    with suppress(StoreError):
        known = list(every(desk.store, KINDS[word]))
    places = sorted(each["metadata"].get("namespace", "") for each in known if each["metadata"]["name"] == name)
    if places and word.namespaced:
        return f"{sentence} in namespace {desk.namespace}; there is one in {', '.join(places)}: name it with -n"
    here = [
        each["metadata"]["name"]
        for each in known
        if each["metadata"].get("namespace", desk.namespace) == desk.namespace
    ]
    near = difflib.get_close_matches(name, here, 1)
    return f'{sentence}; did you mean "{near[0]}"?' if near else sentence
