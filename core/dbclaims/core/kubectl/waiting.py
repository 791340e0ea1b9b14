"""`wait`, and following one object for the verbs that wait for something."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterator

import orjson

from ..objectstore import Expired, Object, Unreachable
from .desk import Desk
from .facts import Facts
from .flags import declare_name, declare_timeout
from .reading import KINDS, named, present
from .verb import DONE, NO, Absent, Late, Verb
from .words import CLAIM, ROLE, SERVER, Word

_WATCH = 60.0
"""Seconds after which a watch is opened anew; less than what the transport takes for silence."""


def follow(desk: Desk, word: Word, document: Object, timeout: float) -> Iterator[Object | None]:
    """The object as it is, then each new state of it; None when it is gone.

    Raises `Late` when `timeout` seconds have passed, and `StoreError`.
    """
    kind, metadata = KINDS[word], document["metadata"]
    deadline = desk.clock.monotonic() + timeout
    yield document
    version = metadata["resourceVersion"]
    while (left := deadline - desk.clock.monotonic()) > 0:
        seconds = max(1.0, min(left, _WATCH))
        try:
            with desk.store.watch(
                kind, namespace=metadata.get("namespace"), resource_version=version, timeout_seconds=seconds
            ) as events:
                for event in events:
                    found = orjson.loads(event.object)
                    version = found["metadata"]["resourceVersion"]
                    if found["metadata"].get("name") == metadata["name"]:
                        yield None if event.type == "DELETED" else found
        except (Expired, Unreachable):
            # An API server that restarts ends nobody's wait; one that stays away ends it in the next line.
            document = present(desk, word, metadata["name"])
            version = document["metadata"]["resourceVersion"]
            yield document
    raise Late(f"error: timed out waiting for {word.named(metadata['name'])} after {timeout:.0f} s")


def _declare(parser: ArgumentParser) -> None:
    declare_name(parser)
    parser.add_argument("--for", dest="goal", choices=tuple(_GOALS), default="Ready", help="default: Ready")
    declare_timeout(parser, "5m")


def _run(desk: Desk) -> int:
    goal = desk.arguments.goal
    try:
        word, document = named(desk, CLAIM, ROLE, SERVER)
    except Absent:
        if goal == "Deleted":
            return DONE
        raise
    for found in follow(desk, word, document, desk.arguments.timeout):
        if found is None:
            return _gone(desk, word, goal)
        facts = Facts(word, found)
        if _GOALS[goal](facts):
            desk.screen.say(f"{word.named(facts.name)} condition met")
            return DONE
        if goal == "Ready" and facts.is_stalled:
            desk.screen.note(f"{word.named(facts.name)} is stalled ({facts.reason}): {facts.message}")
            return NO
    raise AssertionError("follow() ends by raising")


def _gone(desk: Desk, word: Word, goal: str) -> int:
    name = word.named(desk.arguments.name.rpartition("/")[2])
    if goal == "Deleted":
        desk.screen.say(f"{name} condition met")
        return DONE
    desk.screen.note(f"{name} was deleted meanwhile")
    return NO


def _looked_at(facts: Facts) -> bool:
    return facts.is_looked_at and facts.conditions.get("Synced", {}).get("status") == "True"


_GOALS: dict[str, Callable[[Facts], bool]] = {
    "Ready": lambda facts: facts.is_good and not facts.is_deleting,
    "Synced": _looked_at,
    "Settled": lambda facts: _looked_at(facts) and not facts.pending,
    "Deleted": lambda _: False,
}
"""What can be waited for. `Ready` ends at once, with 2, where only a person's change helps."""

WAIT = Verb(
    "wait",
    "wait until an object is Ready, Synced, Settled (nothing waits any more) or Deleted",
    ("wait orders -n shop", "wait orders --for Settled --timeout 30m", "wait databaseserver/shared -n platform"),
    _declare,
    _run,
)
