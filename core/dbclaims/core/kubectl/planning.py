"""`plan`: what the next passes would do, for what is applied and for what is not; it only reads.

Exit codes as of `kubectl diff`: 0 nothing, 1 changes, 2 trouble. Where somebody may not read what a plan needs (the
admin's Secret, or who we are), it tells what the controller wrote into the status.
"""

from __future__ import annotations

from argparse import ArgumentParser

from .. import kinds
from ..api import PlannedStatus, from_document
from ..objectstore import Forbidden, Kind, Object, every, key_of, split_key
from ..outlook import TROUBLE, Outlook
from ..plugins import load
from ..preview import Key, outlook
from ..reconcile.planning import Planned
from ..snapshot import Snapshot, watched
from .desk import Desk
from .flags import declare_files, declare_output
from .output import show_document
from .reading import present
from .verb import Verb
from .words import CLAIM

_KINDS = (kinds.SERVER, kinds.CLAIM, kinds.ROLE)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="*", help="names of claims (default: all, with their servers)")
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="in every namespace")
    declare_files(parser)
    parser.add_argument("--system-namespace", default="dbclaims-system", help="the controller's (dbclaims-system)")
    parser.add_argument("--plugins", default="", help="distributions besides our own whose plugins may load, by commas")
    declare_output(parser, "json", "yaml")


def _plan(desk: Desk) -> int:
    asked = desk.arguments
    for name in asked.names:
        present(desk, CLAIM, name)
    try:
        found = outlook(
            Snapshot(watched(desk.store), lambda namespace, name: desk.store.get(kinds.SECRET, namespace, name)),
            asked.filename,
            plugins=load([each for each in asked.plugins.split(",") if each]),
            namespace=asked.system_namespace,
            clock=desk.clock,
            wanted=lambda key: _is_wanted(desk, key),
        )
    except Forbidden as error:
        if asked.filename:
            raise
        desk.screen.note(f"You may not read what a plan needs ({error}); this is what the controller said last.")
        found = Outlook(_said(desk))
    if asked.output:
        show_document(desk.screen, asked.output, found.document())
    else:
        desk.screen.say("\n".join(found.lines()))
    return found.code


def _is_wanted(desk: Desk, key: Key) -> bool:
    kind, (namespace, name) = key[0], split_key(key[1])
    if desk.scope not in (None, namespace):
        return False
    return not desk.arguments.names or (kind == kinds.CLAIM and name in desk.arguments.names)


def _said(desk: Desk) -> list[Planned]:
    """What stands in the statuses."""
    return [
        _planned(kind, each)
        for kind in _KINDS
        for each in every(desk.store, kind, desk.scope)
        if _is_wanted(desk, (kind, key_of(each)))
    ]


def _planned(kind: Kind, document: Object) -> Planned:
    status = document.get("status") or {}
    steps = from_document({"pending": status.get("pending") or []}, PlannedStatus).pending
    return Planned(kind.kind, key_of(document), steps, status.get("pendingHash"))


PLAN = Verb(
    "plan",
    "what the next passes would do, also for files that are not applied; reads only",
    ("plan orders -n shop", "plan -A", "plan -f claim.yaml -o json"),
    _declare,
    _plan,
    TROUBLE,
)
