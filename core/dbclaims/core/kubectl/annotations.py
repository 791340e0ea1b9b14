"""`pause`, `resume` and `approve`: wishes that stand on the object as annotations, so that GitOps sees no drift."""

from __future__ import annotations

from argparse import ArgumentParser

from ..api import ABANDON, APPROVE, PAUSED
from ..objectstore import Object
from .desk import Desk
from .facts import Facts
from .flags import declare_dry_run, declare_name
from .reading import KINDS, named
from .tables import show
from .verb import DONE, NO, Verb, VerbError
from .words import CLAIM, SERVER

_RUNS = {"none": "", "client": " (dry run)", "server": " (server dry run)"}


def _declare(parser: ArgumentParser) -> None:
    declare_name(parser, "NAME of a claim, or databaseserver/NAME")
    declare_dry_run(parser)


def _pause(desk: Desk) -> int:
    facts = Facts(*named(desk, CLAIM, SERVER))
    standing = facts.annotation(PAUSED)
    fresh = "paused (nothing on the server changes, no rotation either; the login goes on working)"
    return _set(desk, facts, PAUSED, standing or "true", fresh if standing is None else "already paused")


def _resume(desk: Desk) -> int:
    facts = Facts(*named(desk, CLAIM, SERVER))
    return _set(desk, facts, PAUSED, None, "not paused" if facts.annotation(PAUSED) is None else "resumed")


def _declare_approve(parser: ArgumentParser) -> None:
    _declare(parser)
    parser.add_argument("hash", metavar="HASH", nargs="?", help=f"status.pendingHash, or `{ABANDON}`; none: show it")


def _approve(desk: Desk) -> int:
    facts, given = Facts(*named(desk, CLAIM, SERVER)), desk.arguments.hash
    waiting = str(facts.status.get("pendingHash") or "")
    if not given:
        return _show_waiting(desk, facts, waiting)
    if given == ABANDON and (facts.word != CLAIM or not facts.is_deleting):
        raise VerbError(f"error: `{ABANDON}` lets go of a claim that is being deleted; {facts.key} is not")
    if given not in (waiting, ABANDON):
        held = f"what waits now has the hash {waiting}" if waiting else "nothing waits for an approval"
        raise VerbError(f"error: {given} fits nothing on {facts.word.named(facts.name)}: {held}")
    return _set(desk, facts, APPROVE, given, "approved")


def _show_waiting(desk: Desk, facts: Facts, waiting: str) -> int:
    if not waiting:
        desk.screen.note(f"nothing on {facts.word.named(facts.name)} waits for an approval")
        return DONE
    rows = [(each["action"], each.get("why", ""), "yes" if each.get("disruptive") else "no") for each in facts.pending]
    show(desk.screen, ("STEP", "WHY", "DISRUPTIVE"), rows)
    desk.screen.say(f"To let it run: {desk.home.approval(desk.arguments.name, facts.namespace, waiting)}")
    return NO


def _set(desk: Desk, facts: Facts, name: str, value: str | None, said: str) -> int:
    annotate(desk, facts, name, value)
    return tell(desk, facts, said)


def annotate(desk: Desk, facts: Facts, name: str, value: str | None) -> Object:
    """Write one annotation (None removes it) unless it is as wished; return the object as it is then."""
    if facts.annotation(name) == value or desk.arguments.dry_run == "client":
        return facts.document
    patch = {"metadata": {"annotations": {name: value}}}
    return desk.store.patch(KINDS[facts.word], facts.namespace, facts.name, patch)


def tell(desk: Desk, facts: Facts, done: str) -> int:
    """Say in kubectl's words what was done to an object, or would have been."""
    desk.screen.say(f"{facts.word.named(facts.name)} {done}{_RUNS[desk.arguments.dry_run]}")
    return DONE


PAUSE = Verb(
    "pause",
    "stop every change to the database; its login goes on working",
    ("pause orders -n shop", "pause databaseserver/shared -n platform", "pause orders --dry-run=server"),
    _declare,
    _pause,
)
RESUME = Verb(
    "resume",
    "end a pause",
    ("resume orders -n shop", "resume databaseserver/shared -n platform", "resume orders --dry-run=server"),
    _declare,
    _resume,
)
APPROVE_VERB = Verb(
    "approve",
    "let a step run that waits for people; without a hash, show what waits",
    ("approve orders -n shop", "approve orders -n shop 7f3c9a1b2c3d", f"approve orders -n shop {ABANDON}"),
    _declare_approve,
    _approve,
)
