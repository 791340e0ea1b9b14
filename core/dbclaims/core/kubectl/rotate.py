"""`rotate`: ask for a new password, and with --wait stay until the old login is closed."""

from __future__ import annotations

from argparse import ArgumentParser

from ..api import PAUSED, ROTATE, format_time
from ..objectstore import Object
from .annotations import annotate, tell
from .desk import Desk
from .facts import Facts
from .flags import declare_dry_run, declare_name, declare_timeout
from .reading import named
from .verb import DONE, NO, Verb, VerbError
from .waiting import follow
from .words import CLAIM, ROLE, Word


def _declare(parser: ArgumentParser) -> None:
    declare_name(parser, "NAME of a claim, or roleclaim/NAME")
    parser.add_argument("--wait", action="store_true", help="stay until the old login is closed")
    declare_timeout(parser, "30m")
    declare_dry_run(parser)


def _run(desk: Desk) -> int:
    word, document = named(desk, CLAIM, ROLE)
    before = Facts(word, document)
    _check(before)
    token = _new_token(desk, before)
    asked = annotate(desk, before, ROTATE, token)
    if not desk.arguments.wait or desk.arguments.dry_run != "none":
        return tell(desk, before, "rotation asked for")
    desk.screen.say(f"{before.name}: a new password is asked for; {before.username} goes on working")
    desk.screen.flush()
    return _stay(desk, word, asked, token, before.username)


def _check(facts: Facts) -> None:
    """Refuse what would wait for ever. Raises `VerbError`."""
    if not facts.username:
        raise VerbError(
            f"error: {facts.word.named(facts.name)} has published no login yet ({facts.reason}); "
            f"`explain {facts.name}` says why"
        )
    if facts.annotation(PAUSED) is not None:
        raise VerbError(f"error: {facts.word.named(facts.name)} is paused; `resume {facts.name}` comes first")


def _new_token(desk: Desk, before: Facts) -> str:
    """A value that the annotation never had: the time, in UTC."""
    moment = format_time(desk.now())
    return moment if before.annotation(ROTATE) != moment else f"{moment}+"


def _stay(desk: Desk, word: Word, document: Object, token: str, old: str) -> int:
    """Tell what happens until the old login is closed, or another wish overtakes ours."""
    told = ""
    for found in follow(desk, word, document, desk.arguments.timeout):
        if found is None or found["metadata"].get("deletionTimestamp"):
            desk.screen.note(f"error: {word.named(document['metadata']['name'])} is being deleted")
            return NO
        facts = Facts(word, found)
        said = progress(facts, token, old)
        if said != told:
            desk.screen.say(f"{facts.name}: {said}")
            desk.screen.flush()
            told = said
        if facts.is_stalled:
            return NO
        if facts.token == token and not _closing(facts):
            return DONE
    raise AssertionError("follow() ends by raising")


def progress(facts: Facts, token: str, old: str) -> str:
    """How far the rotation is, in one sentence. Pure."""
    if facts.is_stalled:
        return f"stalled ({facts.reason}): {facts.message}"
    if facts.token != token:
        waits = [each["waitsFor"] for each in facts.pending if each["action"] == "rotate" and each.get("waitsFor")]
        if waits:
            return f"waits for {waits[0]}"
        trouble = "" if facts.reason == "Available" else f" ({facts.reason}: {facts.message})"
        return f"not carried out yet{trouble}"
    if closing := _closing(facts):
        return f"{facts.username} is published; {old} stays open for {closing}"
    return f"{facts.username} is published; {old} is closed"


def _closing(facts: Facts) -> str:
    """What the old login's end waits for; empty where it is closed."""
    return next((str(each.get("waitsFor", "a pass")) for each in facts.pending if each["action"] == "close"), "")


ROTATE_VERB = Verb(
    "rotate",
    "give the login a new password; the old login goes on until nobody uses it",
    ("rotate orders -n shop", "rotate orders --wait --timeout 1h", "rotate roleclaim/reports -n bi --wait"),
    _declare,
    _run,
)
