"""`grants`: who may have logins on whose databases, and who has one."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence

from .. import kinds
from ..objectstore import every
from .age import since
from .desk import Desk
from .facts import Facts
from .flags import declare_output
from .output import show_document
from .relations import Relations
from .tables import show
from .verb import DONE, Absent, Verb
from .words import CLAIM, GROUP

SHAPE = "ClaimGrants/v1"
_COLUMNS = ("CLAIM", "OPEN TO", "BY", "ACCESS", "USED BY", "READY", "SINCE")
Line = tuple[str, ...]


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="*", help="names of claims (default: all)")
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="of the claims of every namespace")
    parser.add_argument("--no-headers", action="store_true", help="no line of column names")
    declare_output(parser, "json", "yaml")


def _run(desk: Desk) -> int:
    relations = Relations(desk.store, desk.namespace)
    lines = [line for claim in _claims(desk) for line in _lines(desk, relations, claim)]
    if desk.arguments.output:
        keys = ("claim", "namespace", "grant", "access", "usedBy", "ready", "since")
        body = {"kind": SHAPE, "grants": [dict(zip(keys, line, strict=True)) for line in lines]}
        show_document(desk.screen, desk.arguments.output, body)
    elif lines:
        show(desk.screen, _COLUMNS, lines, heads=not desk.arguments.no_headers)
    else:
        desk.screen.note(f"No grants found{f' in {desk.namespace} namespace' if desk.scope else ''}.")
    return DONE


def _claims(desk: Desk) -> list[Facts]:
    found = [Facts(CLAIM, each) for each in every(desk.store, kinds.CLAIM, desk.scope)]
    names = desk.arguments.names
    if missing := set(names) - {each.name for each in found}:
        raise Absent(f'Error from server (NotFound): databaseclaims.{GROUP} "{min(missing)}" not found')
    return [each for each in found if not names or each.name in names]


def _lines(desk: Desk, relations: Relations, claim: Facts) -> Iterator[Line]:
    """A line for each RoleClaim, by the grant that lets it in, and one for each opening that nobody uses."""
    now, openings = desk.now(), list(relations.openings(claim))
    used = set()
    for role in relations.roles(claim):
        by = "own namespace" if role.namespace == claim.namespace else _grant_for(openings, role.namespace)
        used.add((by, role.namespace))
        access = str(role.spec.get("access") or "by schema")
        yield claim.key, role.namespace, by, access, role.name, role.ready, role.login_age(now)
    for grant, namespace in openings:
        if (grant.name, namespace) not in used:
            born = since(grant.metadata["creationTimestamp"], now)
            yield claim.key, namespace, grant.name, str(grant.spec.get("access", "reader")), "nobody", "", born


def _grant_for(openings: Sequence[tuple[Facts, str]], namespace: str) -> str:
    return next((grant.name for grant, to in openings if to == namespace), "no grant")


GRANTS = Verb(
    "grants",
    "who may have logins on a claim's database, and who has one",
    ("grants orders -n shop", "grants -A", "grants -n shop -o json"),
    _declare,
    _run,
)
