"""What stands in the server about one database: its accounts, the database itself, and who was granted what on it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from dbclaims.core.spi import Access, Database, DatabaseRef, Finding, Mark, Role, Terminal

from . import marking
from .dial import Line
from .marking import IDENTITY, MAKING
from .privileges import PRESETS, held
from .quoting import pattern
from .session import Session, require_direct

EVERYWHERE = "%"
"""The host of every account of ours."""


@attrs.frozen
class MySQLRole(Role):
    """An account, and what deciding about it needs besides.

    Attributes:
        comment: the text that carries the mark.
        demanding: whether it demands a certificate of the client, which none of ours may while it is in use.
        expired: whether its password has to be changed before anything else.
        retained: whether a second, older password still lets it in.
        grants: privileges on the database, by the spelling under which they were granted.
    """

    comment: str = ""
    demanding: bool = False
    expired: bool = False
    retained: bool = False
    grants: Mapping[str, frozenset[str]] = attrs.field(factory=dict)


@attrs.frozen
class MySQLDatabase(Database):
    """A database, and what deciding about it needs besides.

    Attributes:
        spelling: its name as a GRANT must be given it.
        strangers: accounts that are not ours and were granted something on it.
    """

    spelling: str = ""
    strangers: tuple[str, ...] = ()


_FACTS = """
SELECT @@lower_case_table_names AS folded, IS_USED_LOCK(%(lock)s) = CONNECTION_ID() AS locked, CONNECTION_ID() AS id,
  (SELECT GROUP_CONCAT(HEX(SCHEMA_NAME)) FROM information_schema.schemata WHERE SCHEMA_NAME = %(name)s) AS present,
  (SELECT JSON_OBJECTAGG(USER, number) FROM (SELECT USER, COUNT(*) AS number FROM information_schema.processlist
    WHERE USER IN %(names)s AND COMMAND <> 'Killed' GROUP BY USER) AS open) AS sessions
"""

_GRANTS = "SELECT * FROM mysql.db WHERE %s LIKE Db OR Db = %s"

_CONTENT = """
SELECT (SELECT COUNT(*) FROM information_schema.tables WHERE TABLE_SCHEMA = %(name)s)
  + (SELECT COUNT(*) FROM information_schema.routines WHERE ROUTINE_SCHEMA = %(name)s)
  + (SELECT COUNT(*) FROM information_schema.events WHERE EVENT_SCHEMA = %(name)s) AS number
"""


def observe(session: Session, ref: DatabaseRef) -> MySQLDatabase | None:
    """Look. None means that neither the database nor an account of `ref` exists, and nobody was granted it.

    Raises `Terminal`: `PoolerEndpoint` when our lock was forgotten, `ServerChanged` when this is not the server that
    `ref` was bound to.
    """
    with session.maintenance() as line:
        rows = accounts(line, (ref.owner, *ref.roles, session.holder), marking.search(ref.name))
        require_identity(session, ref, rows)
        facts = _facts(session, line, ref)
        name = ref.name.lower() if facts["folded"] else ref.name
        grants = line.rows(_GRANTS, [name, name])
        present = _is_present(facts, name)
        mark = next((Mark.read(row["comment"]) for row in rows if _is(row, ref.owner)), None)
        if present and mark is not None and mark.state == MAKING and line.row(_CONTENT, {"name": name})["number"]:
            # What has content before we were done was not made by us.
            mark = None
    mine = [row for row in rows if row["host"] == EVERYWHERE and row["name"] != session.holder]
    counts = json.loads(facts["sessions"] or "{}")
    roles = {row["name"]: _role(row, ref.owner, counts, grants) for row in mine}
    strangers = tuple(_strangers(grants, roles))
    if not present and not roles and not strangers:
        return None
    return MySQLDatabase(
        ref=ref,
        owner=ref.owner,
        held=mark is not None and mark.installation == session.installation.id,
        mark=mark,
        present=present,
        comment=roles[ref.owner].comment if ref.owner in roles else "",
        roles=roles,
        findings=tuple(_findings(session, ref, rows, strangers)),
        spelling=pattern(name, literal=_is_literal(facts)),
        strangers=strangers,
    )


def accounts(line: Line, names: Sequence[str], like: str) -> list[dict[str, Any]]:
    """The accounts with one of these names, on whatever host, and those whose mark is like this."""
    return line.rows(line.dialect.accounts, [tuple(names), like])


def require_identity(session: Session, ref: DatabaseRef, rows: Sequence[Mapping[str, Any]]) -> None:
    """Raise `Terminal` (`ServerChanged`) unless this server carries the identity that `ref` was bound to."""
    comment = next((row["comment"] for row in rows if _is(row, session.holder)), None)
    found = IDENTITY.search(comment or "")
    if ref.identity is not None and (found is None or found[1] != ref.identity):
        raise Terminal(
            f"{session.where} is not the server that {ref.name!r} was made on: its identity is "
            f"{found[1] if found else 'missing'}, not {ref.identity}; give the former address or restore it",
            reason="ServerChanged",
        )


def _facts(session: Session, line: Line, ref: DatabaseRef) -> dict[str, Any]:
    lock = session.lock
    select = _FACTS if line.dialect.is_mariadb else _FACTS.replace("SELECT", "SELECT @@partial_revokes AS literal,", 1)
    names = (ref.owner, *ref.roles)
    facts = line.row(select, {"lock": lock.name if lock else "dbclaims:none", "name": ref.name, "names": names})
    owed = lock is not None and lock.stranger is None
    # A pooler that shares connections answers for another one than the one that greeted us.
    require_direct(session, forgotten=facts["id"] != line.greeted_as or (owed and not facts["locked"]))
    return facts


def _is_literal(facts: Mapping[str, Any]) -> bool:
    return bool(facts.get("literal"))


def _is_present(facts: Mapping[str, Any], name: str) -> bool:
    """Whether the name is there exactly; the server's own comparison does not tell letters' case or accents apart."""
    found = [bytes.fromhex(text).decode() for text in (facts["present"] or "").split(",") if text]
    return name in ([each.lower() for each in found] if facts["folded"] else found)


def _is(row: Mapping[str, Any], name: str) -> bool:
    return bool(row["name"] == name and row["host"] == EVERYWHERE)


def _role(
    row: Mapping[str, Any], owner: str, counts: Mapping[str, int], grants: Sequence[Mapping[str, Any]]
) -> MySQLRole:
    name = row["name"]
    own = [each for each in grants if each["User"] == name and each["Host"] == EVERYWHERE]
    privileges = {each["Db"]: held(each) for each in own if held(each)}
    return MySQLRole(
        name=name,
        # Nothing acts as another here; who may do all that an owner may is as good as one.
        acts_as=owner if any(each >= PRESETS[Access.OWNER] for each in privileges.values()) else None,
        login=not row["locked"],
        limit=row["max"] or None,
        sessions=counts.get(name, 0),
        mark=Mark.read(row["comment"]),
        comment=row["comment"] or "",
        demanding=bool(row["demanding"]),
        expired=bool(row["expired"]),
        retained=bool(row["retained"]),
        grants=privileges,
    )


def _strangers(grants: Sequence[Mapping[str, Any]], roles: Mapping[str, MySQLRole]) -> Iterator[str]:
    """Who was granted the database, also by a pattern; not those who were granted every database."""
    for row in grants:
        if row["Db"] != EVERYWHERE and not (row["Host"] == EVERYWHERE and row["User"] in roles):
            yield f"{row['User']}@{row['Host']}"


def _findings(
    session: Session, ref: DatabaseRef, rows: Sequence[Mapping[str, Any]], strangers: Sequence[str]
) -> Iterator[Finding]:
    if session.lock and session.lock.stranger:
        holder = session.lock.stranger
        yield Finding("LockHeld", f"account {holder!r} sits on the lock of {ref.name!r}: ask its owner why")
    if strangers:
        names = ", ".join(sorted(set(strangers))[:5])
        yield Finding(
            "ForeignGrants", f"{names} may use {ref.name!r} too: revoke what was granted, if that is not meant"
        )
    shadows = sorted({f"{row['name']}@{row['host']}" for row in rows if row["host"] != EVERYWHERE})
    if shadows:
        text = f"{', '.join(shadows[:5])} is tried before the account that is open to every host: drop or rename it"
        yield Finding("ShadowedLogin", text)
