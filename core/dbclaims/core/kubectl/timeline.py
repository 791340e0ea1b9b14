"""`events`: what happened to a claim, its RoleClaims and its server, on one time line: Events, conditions, logins."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import orjson

from .. import kinds
from ..objectstore import Expired, Forbidden, Object, ObjectStore
from ..recorder import EVENT
from .age import parsed
from .desk import Desk
from .facts import Facts
from .flags import declare_name, declare_output
from .output import show_document
from .reading import all_visible, named, visible
from .relations import Relations
from .tables import show
from .verb import DONE, Verb, VerbError
from .words import CLAIM, SERVER

SHAPE = "ClaimTimeline/v1"
_WATCH = 60.0


class Moment(NamedTuple):
    """One line: `sort` is Normal, Warning, or Condition for what a status tells of the past."""

    time: str
    sort: str
    reason: str
    about: str
    says: str

    @property
    def shown(self) -> tuple[str, ...]:
        """Its cells."""
        return (parsed(self.time).strftime("%Y-%m-%d %H:%M:%S"), *self[1:])


_COLUMNS = ("TIME (UTC)", "TYPE", "REASON", "ABOUT", "SAYS")


def _declare(parser: ArgumentParser) -> None:
    declare_name(parser)
    declare_output(parser, "json", "yaml")
    parser.add_argument("-w", "--watch", action="store_true", help="go on with what happens from now on")


def _run(desk: Desk) -> int:
    objects = _family(desk.store, Facts(*named(desk)))
    moments = sorted(
        (each for facts in objects for each in _told(desk.store, facts)), key=lambda each: parsed(each.time)
    )
    if desk.arguments.output:
        body = {"kind": SHAPE, "moments": [each._asdict() for each in moments]}
        show_document(desk.screen, desk.arguments.output, body)
    else:
        show(desk.screen, _COLUMNS, [each.shown for each in moments])
    if desk.arguments.watch:
        desk.screen.flush()
        _follow(desk, objects)
    return DONE


def _family(store: ObjectStore, facts: Facts) -> list[Facts]:
    """The object, and of a claim its RoleClaims and its server, as far as they are for our eyes."""
    family = [facts]
    if facts.word == CLAIM:
        family += Relations(store, facts.namespace).roles(facts)
        reference = facts.status.get("serverRef")
        if reference and (server := visible(store, kinds.SERVER, reference["namespace"], reference["name"])):
            family.append(Facts(SERVER, server))
    return family


def _told(store: ObjectStore, facts: Facts) -> Iterator[Moment]:
    """What is known of the past of one object."""
    about = f"{facts.word.singular}/{facts.name}"
    for type_, each in facts.conditions.items():
        if time := str(each.get("lastTransitionTime") or ""):
            yield Moment(time, "Condition", str(each["reason"]), about, f"{type_} became {each['status']}")
    for event in all_visible(store, EVENT, facts.namespace or "default") or ():
        if (event.get("regarding") or {}).get("uid") == facts.metadata.get("uid"):
            yield _moment(event, about)


def _moment(event: Object, about: str) -> Moment:
    time = str(event.get("eventTime") or event["metadata"].get("creationTimestamp"))
    return Moment(time, str(event.get("type", "")), str(event.get("reason", "")), about, str(event.get("note", "")))


def _follow(desk: Desk, objects: Iterable[Facts]) -> None:
    """Print each new Event of one of these objects; the first one is the one whose namespace is followed."""
    about = {facts.metadata.get("uid"): f"{facts.word.singular}/{facts.name}" for facts in objects}
    namespace = next(iter(objects)).namespace or "default"
    for event in _new_events(desk.store, namespace):
        uid = (event.get("regarding") or {}).get("uid")
        if uid in about:
            desk.screen.say("   ".join(_moment(event, about[uid]).shown))
            desk.screen.flush()


def _new_events(store: ObjectStore, namespace: str) -> Iterator[Object]:
    """Each Event from now on. Raises `VerbError` where there are none to follow."""
    version = ""
    while True:
        try:
            version = version or store.list(EVENT, namespace=namespace, limit=1).resource_version
            with store.watch(EVENT, namespace=namespace, resource_version=version, timeout_seconds=_WATCH) as events:
                for each in events:
                    event = orjson.loads(each.object)
                    version = event["metadata"]["resourceVersion"]
                    if each.type == "ADDED":
                        yield event
        except Expired:
            version = ""
        except Forbidden as error:
            raise VerbError(f"error: there are no Events to follow here: {error}") from error


EVENTS = Verb(
    "events",
    "what happened to a claim, on one time line",
    ("events orders -n shop", "events orders -w", "events databaseserver/shared -n platform -o json"),
    _declare,
    _run,
)
