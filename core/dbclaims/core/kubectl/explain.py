"""`explain`: how an object stands, what it leans on, and for whatever is wrong the way out."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from .desk import Desk
from .facts import Facts, place, way_out
from .flags import declare_name, declare_output
from .output import show_document
from .reading import KINDS, named, visible
from .screen import Screen
from .tables import show
from .verb import DONE, NO, Verb
from .words import CLAIM, CLASS, ROLE, SERVER, Word

SHAPE = "ClaimExplanation/v1"
"""The `kind` of the JSON; its fields stay."""

Part = tuple[str, str, str, str]
"""What it is, its name, whether it is Ready, what is to be said of it."""


def _declare(parser: ArgumentParser) -> None:
    declare_name(parser)
    declare_output(parser, "json", "yaml")
    parser.add_argument("--exit-code", action="store_true", help="exit 2 where it is not Ready")


def _run(desk: Desk) -> int:
    word, document = named(desk)
    facts = Facts(word, document)
    parts = list(_parts(desk, facts))
    if desk.arguments.output:
        show_document(desk.screen, desk.arguments.output, explanation(facts, parts))
    else:
        _tell(desk, facts, parts)
    return NO if desk.arguments.exit_code and not facts.is_good else DONE


def explanation(facts: Facts, parts: list[Part]) -> dict[str, Any]:
    """The answer for programs. Pure."""
    steps = [(facts.reason, facts.message), *facts.warnings]
    return {
        "kind": SHAPE,
        "object": {"kind": facts.word.kind, "namespace": facts.namespace, "name": facts.name},
        "ready": facts.ready,
        "current": facts.is_good,
        "stalled": facts.is_stalled,
        "reason": facts.reason,
        "message": facts.message,
        "parts": [dict(zip(("part", "name", "ready", "says"), part, strict=True)) for part in parts],
        "pending": facts.pending,
        "toDo": [
            {"reason": each, "message": said, "wayOut": way_out(each), "page": place(each)} for each, said in steps
        ],
    }


def _tell(desk: Desk, facts: Facts, parts: list[Part]) -> None:
    screen = desk.screen
    screen.say(screen.wrapped(headline(facts, facts.ready_for(desk.now()))))
    if parts:
        screen.say()
        show(screen, ("PART", "NAME", "READY", "SAYS"), parts)
    _tell_pending(desk, facts)
    reason = facts.reason if facts.is_looked_at else "Pending"
    if reason != "Available":
        screen.say()
        _tell_way_out(screen, reason)
    for reason, message in facts.warnings:
        screen.say()
        screen.say(screen.wrapped(f"{reason}: {message}"))
        _tell_way_out(screen, reason)


def _tell_way_out(screen: Screen, reason: str) -> None:
    screen.say(screen.wrapped(f"What to do: {way_out(reason)}"))
    if page := place(reason):
        screen.say(f"See {page}")


def headline(facts: Facts, length: str) -> str:
    """The one sentence of it. Pure."""
    state = {"True": "ready", "False": "not ready"}.get(facts.ready, "of unknown state")
    if facts.is_deleting:
        state += ", and is being deleted"
    if not facts.is_looked_at:
        return f"{facts.key} is {state}; the controller has not looked at generation {facts.generation} yet."
    lag = "" if facts.is_good or facts.ready != "True" else " as it was before the last edit"
    return f"{facts.key} is {state}{lag} since {length} ({facts.reason}): {facts.message}"


def _tell_pending(desk: Desk, facts: Facts) -> None:
    if facts.pending:
        desk.screen.say()
        rows = [(each["action"], each.get("why", ""), each.get("waitsFor", "")) for each in facts.pending]
        show(desk.screen, ("WAITING", "WHY", "FOR"), rows)
        if any(each.get("waitsFor") == "approval" for each in facts.pending):
            hash_ = facts.status.get("pendingHash", "")
            how = desk.home.approval(f"{facts.word.singular}/{facts.name}", facts.namespace, hash_)
            desk.screen.say(desk.screen.wrapped(f"To let it run: {how}", "  "))


def _parts(desk: Desk, facts: Facts) -> Iterator[Part]:
    """What the object leans on, then what it made."""
    if facts.word == CLAIM:
        yield from _of_claim(desk, facts)
    elif facts.word == ROLE:
        reference = facts.spec.get("claimRef") or {}
        yield _leaned_on(desk, "claim", CLAIM, reference.get("namespace") or facts.namespace, reference)
        yield from _login(desk, facts)
    elif facts.word == CLASS and (reference := facts.spec.get("serverRef")):
        yield _leaned_on(desk, "server", SERVER, reference["namespace"], reference)
    elif facts.word == SERVER:
        yield "endpoint", facts.endpoint, "", f"{facts.spec.get('engine')} {facts.status.get('version', '')}".strip()


def _of_claim(desk: Desk, facts: Facts) -> Iterator[Part]:
    yield _leaned_on(desk, "class", CLASS, None, {"name": facts.spec["className"]})
    if reference := facts.status.get("serverRef"):
        yield _leaned_on(desk, "server", SERVER, reference["namespace"], reference)
    if database := facts.status.get("databaseName"):
        policy = facts.status.get("deletionPolicy", "")
        yield "database", database, "", f"version {facts.status.get('version', '?')} at {facts.endpoint}, {policy}"
    yield from _login(desk, facts)


def _login(desk: Desk, facts: Facts) -> Iterator[Part]:
    now = desk.now()
    if facts.username:
        yield "login", facts.username, "", f"published {facts.login_age(now)} ago, {facts.rotation(now)}"
    if facts.secret_name:
        yield "secret", facts.secret_name, "", desk.home.login_at(facts.namespace, _typed(facts), facts.secret_name)


def _typed(facts: Facts) -> str:
    """An object as people type it: the kind of a claim goes without saying."""
    return facts.name if facts.word == CLAIM else f"{facts.word.singular}/{facts.name}"


def _leaned_on(desk: Desk, part: str, word: Word, namespace: str | None, reference: dict[str, Any]) -> Part:
    """How an object stands that this one refers to."""
    name = str(reference["name"])
    document = visible(desk.store, KINDS[word], namespace, name)
    shown = f"{namespace}/{name}" if namespace else name
    if document is None:
        return part, shown, "", "is not there, or not for your eyes"
    found = Facts(word, document)
    return part, shown, found.ready, found.reason if found.is_good else f"{found.reason}: {found.message}"


EXPLAIN = Verb(
    "explain",
    "how an object stands, and the way out of what is wrong",
    ("explain orders -n shop", "explain databaseserver/shared -n platform", "explain orders -o json --exit-code"),
    _declare,
    _run,
)
