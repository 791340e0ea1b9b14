"""`check`: is dbclaims there, is it ours, does it run, and what may you do with it?"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from ..clock import StopSignal
from ..definitions import WrongDefinitions, check_definitions
from ..kinds import CLAIM, CLASS, REVIEW, ROLE, SECRET
from ..leader import LEASE
from ..objectstore import Forbidden, Kind, NotFound, ObjectStore, StoreError, every
from .age import age, parsed
from .desk import Desk
from .facts import Facts
from .flags import declare_output, seconds
from .output import show_document
from .tables import show
from .verb import DONE, NO, Verb
from .words import CLASS as CLASS_WORD

SHAPE = "ClaimCheck/v1"
_NEEDED = ((CLAIM, "list"), (CLAIM, "create"), (CLAIM, "patch"), (ROLE, "create"), (SECRET, "get"))
_STALE = 60.0
"""Seconds: a Lease lives 15 of them."""


class Finding(NamedTuple):
    """One thing that was looked at. `good` is None where it is not for our eyes."""

    what: str
    good: bool | None
    says: str


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--wait", metavar="TIME", type=seconds, default=0.0, help="look again until all is well, for so long"
    )
    parser.add_argument("--system-namespace", default="dbclaims-system", help="the controller's (dbclaims-system)")
    declare_output(parser, "json", "yaml")


def _run(desk: Desk) -> int:
    pause = StopSignal(desk.clock)
    deadline = desk.clock.monotonic() + desk.arguments.wait
    findings = list(_findings(desk))
    while any(each.good is False for each in findings) and desk.clock.monotonic() < deadline:
        pause.wait(1.0)
        findings = list(_findings(desk))
    if desk.arguments.output:
        body = {"kind": SHAPE, "findings": [each._asdict() for each in findings]}
        show_document(desk.screen, desk.arguments.output, body)
    else:
        words = {True: "ok", False: "FAILED", None: "not seen"}
        show(desk.screen, ("WHAT", "RESULT", "SAYS"), [(each.what, words[each.good], each.says) for each in findings])
    return NO if any(each.good is False for each in findings) else DONE


def _findings(desk: Desk) -> Iterator[Finding]:
    definitions = _definitions(desk.store)
    yield definitions
    yield _controller(desk.store, desk.arguments.system_namespace, desk.now())
    if definitions.good is not False:
        yield _classes(desk.store)
    for kind, verb in _NEEDED:
        yield _right(desk.store, desk.namespace, kind, verb)


def _definitions(store: ObjectStore) -> Finding:
    try:
        check_definitions(store)
    except WrongDefinitions as error:
        return Finding("definitions", False, str(error))
    except Forbidden:
        return Finding("definitions", None, "CustomResourceDefinitions are not for your eyes")
    return Finding("definitions", True, "those of this version")


def _controller(store: ObjectStore, namespace: str, now: datetime) -> Finding:
    """Whether somebody holds the Lease; it is renewed every few seconds."""
    try:
        lease = store.get(LEASE, namespace, "dbclaims")
    except (Forbidden, NotFound):
        return Finding("controller", None, f"Leases of namespace {namespace} are not for your eyes")
    spec = (lease or {}).get("spec") or {}
    if not spec.get("holderIdentity"):
        return Finding("controller", False, f"nobody holds the Lease dbclaims in namespace {namespace}")
    silence = now - parsed(spec["renewTime"])
    alive = silence.total_seconds() < _STALE
    return Finding("controller", alive, f"{spec['holderIdentity']}, heard of {age(silence)} ago")


def _classes(store: ObjectStore) -> Finding:
    try:
        classes = [Facts(CLASS_WORD, each) for each in every(store, CLASS)]
    except StoreError as error:
        return Finding("classes", None, str(error))
    ready = [each.name for each in classes if each.ready == "True"]
    said = f"{len(ready)} of {len(classes)} can be claimed: {', '.join(ready[:5]) or 'none'}"
    return Finding("classes", bool(ready), said)


def _right(store: ObjectStore, namespace: str, kind: Kind, verb: str) -> Finding:
    attributes = {"namespace": namespace, "verb": verb, "group": kind.group, "resource": kind.plural}
    asked = {
        "apiVersion": REVIEW.api_version,
        "kind": REVIEW.kind,
        "metadata": {},
        "spec": {"resourceAttributes": attributes},
    }
    answer = store.create(REVIEW, asked)
    allowed = bool(answer["status"].get("allowed"))
    # What one may do is no fault of the installation: it is told, and fails nothing.
    return Finding(
        f"you: {verb} {kind.plural}", allowed or None, f"in namespace {namespace}: {'yes' if allowed else 'no'}"
    )


CHECK = Verb(
    "check",
    "whether dbclaims is installed and runs, and what you may do",
    ("check", "check --wait 60s", "check -n shop -o json"),
    _declare,
    _run,
)
