"""`who-uses` and `top`: who is on a claim's database, and how full each is; the database itself is asked."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs

from .. import kinds
from ..objectstore import StoreError, every
from ..secrets import decoded
from .desk import Desk
from .facts import Facts
from .flags import declare_name, declare_output
from .login import Login, admin_secret, login_of, published
from .output import show_document
from .reading import all_visible
from .sessions import Group, Load, groups, load, pod_names, sibling
from .tables import show
from .tree import POD
from .verb import DONE, Verb, VerbError
from .words import CLAIM

SHAPE, TOP_SHAPE = "ClaimUsers/v1", "ClaimTop/v1"
_AT_ONCE = 8
_OLD = "<- still on the old login"


def _declare_who_uses(parser: ArgumentParser) -> None:
    declare_name(parser, "NAME of a claim")
    parser.add_argument("--admin", action="store_true", help="ask as the server's admin, who may see more")
    declare_output(parser, "json", "yaml")


def _who_uses(desk: Desk) -> int:
    facts, login = published(desk)
    asker = _admin(desk, facts, login) if desk.arguments.admin else login
    found, old = groups(asker, login.database), sibling(login.username)
    pods = pod_names(all_visible(desk.store, POD) or all_visible(desk.store, POD, facts.namespace) or ())
    if desk.arguments.output:
        sessions = [{**attrs.asdict(each), "pod": pods.get(each.client), "old": each.username == old} for each in found]
        show_document(desk.screen, desk.arguments.output, {"kind": SHAPE, "sessions": sessions})
    elif not found:
        desk.screen.note(f"nobody is on {login.database} now")
    else:
        heads = ("LOGIN", "SESSIONS", "APPLICATION", "CLIENT", "OLDEST", "POD", "NOTE")
        show(desk.screen, heads, [_cells(desk, each, pods, old) for each in found])
        _say_hidden(desk, found, asker)
    return DONE


def _cells(desk: Desk, group: Group, pods: dict[str, str], old: str) -> tuple[str, ...]:
    pod = pods.get(group.client, "not a pod that you may see" if group.client else "")
    note = _OLD if group.username == old else ""
    return group.username, str(group.count), group.application, group.client, group.age(desk.now()), pod, note


def _say_hidden(desk: Desk, found: list[Group], asker: Login) -> None:
    """Say why an address is missing, and who may see it."""
    if all(each.client for each in found):
        return
    way_out = f"GRANT pg_read_all_stats TO {asker.username} shows it" if desk.arguments.admin else "--admin may see it"
    desk.screen.note(f"A dash under CLIENT: the server hides it from {asker.username}; {way_out}.")


def _admin(desk: Desk, facts: Facts, login: Login) -> Login:
    """The admin's login on the claim's server. Raises `VerbError`, and `Forbidden` for who may not read its Secret."""
    reference = facts.status.get("serverRef") or {}
    server = desk.store.get(kinds.SERVER, reference.get("namespace"), str(reference.get("name")))
    secret = desk.store.get(kinds.SECRET, reference.get("namespace"), admin_secret(server)) if server else None
    if secret is None:
        raise VerbError("error: the admin's Secret is not there; leave --admin out to ask as the claim's login")
    found, database = decoded(secret), "postgres" if login.engine == "postgresql" else "information_schema"
    return attrs.evolve(login, username=found["username"], password=found["password"], database=database)


def _declare_top(parser: ArgumentParser) -> None:
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="the claims of every namespace")
    parser.add_argument("--sort", choices=tuple(_SORTS), default="name", help="default: name")
    parser.add_argument("--no-headers", action="store_true", help="no line of column names")
    declare_output(parser, "json", "yaml")


def _top(desk: Desk) -> int:
    claims = [Facts(CLAIM, each) for each in every(desk.store, kinds.CLAIM, desk.scope)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        loads = list(pool.map(lambda claim: _load(desk, claim), claims))
    lines = sorted(zip(claims, loads, strict=True), key=_SORTS[desk.arguments.sort])
    if desk.arguments.output:
        rows = [
            {"claim": claim.key, **(attrs.asdict(found) if isinstance(found, Load) else {})} for claim, found in lines
        ]
        show_document(desk.screen, desk.arguments.output, {"kind": TOP_SHAPE, "claims": rows})
    elif lines:
        heads = ("CLAIM", "READY", "SESSIONS", "LIMIT", "SIZE", "LOGIN AGE", "NEXT ROTATION")
        show(desk.screen, heads, [_top_cells(desk, *line) for line in lines], heads=not desk.arguments.no_headers)
    else:
        desk.screen.note(f"No resources found{f' in {desk.namespace} namespace' if desk.scope else ''}.")
    for claim, found in lines:
        if isinstance(found, str):
            desk.screen.note(f"{claim.key} was not asked: {found}")
    return DONE


def _load(desk: Desk, claim: Facts) -> Load | str:
    """How full a database is, or why that is not known."""
    try:
        return load(login_of(desk, claim))
    except (VerbError, StoreError) as error:
        return str(error).removeprefix("error: ")


def _top_cells(desk: Desk, claim: Facts, found: Load | str) -> tuple[str, ...]:
    now = desk.now()
    known = (
        (str(found.sessions), str(found.limit or "none"), _bytes(found.size)) if isinstance(found, Load) else ("",) * 3
    )
    return claim.key, claim.ready, *known, claim.login_age(now), claim.rotation(now)


def _bytes(size: int) -> str:
    """In the largest unit of which there is at least one."""
    value, units = float(size), iter(("B", "KiB", "MiB", "GiB"))
    for unit in units:
        if value < 1024:
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


Line = tuple[Facts, Load | str]
_SORTS: dict[str, Callable[[Line], Any]] = {
    "name": lambda line: line[0].key,
    "age": lambda line: str((line[0].status.get("login") or {}).get("since") or "~"),
    "size": lambda line: -line[1].size if isinstance(line[1], Load) else 1,
    "sessions": lambda line: -line[1].sessions if isinstance(line[1], Load) else 1,
}

WHO_USES = Verb(
    "who-uses",
    "who is on a claim's database, and who still holds the old login",
    ("who-uses orders -n shop", "who-uses orders --admin", "who-uses orders -o json"),
    _declare_who_uses,
    _who_uses,
)
TOP = Verb(
    "top",
    "sessions, size and age of the login of each claim",
    ("top -n shop", "top -A --sort size", "top -o json"),
    _declare_top,
    _top,
)
