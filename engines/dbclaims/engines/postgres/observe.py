"""What stands in the server about one database, read in one statement on the maintenance database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from psycopg.rows import dict_row

from dbclaims.core.spi import Database, DatabaseRef, Finding, Mark, Role, Terminal

from .holding import IDENTITY
from .session import Session, require_direct

PUBLIC_SCHEMA_IS_OURS = 150000
"""From PostgreSQL 15 on, a database's owner owns its schema `public`."""


@attrs.frozen
class PostgresRole(Role):
    """A role, and what deciding about it needs besides.

    Attributes:
        comment: the whole comment.
        powerful: whether acting as it means more than owning: SUPERUSER or CREATEROLE.
        governed: whether the admin may change it and grant it.
    """

    comment: str = ""
    powerful: bool = False
    governed: bool = True


@attrs.frozen
class PostgresDatabase(Database):
    """A database, and what deciding about it needs besides.

    Attributes:
        holder: name of our holder role.
        admin: who we are.
        foreign_holder: another installation's holder role, where the database belongs to one.
        member: whether the admin is a member of the owner for good.
        connects: roles that were granted CONNECT.
        opened: whether the owner was granted everything on the database.
    """

    holder: str = ""
    admin: str = ""
    foreign_holder: str | None = None
    member: bool = False
    connects: frozenset[str] = frozenset()
    opened: bool = True


_STATEMENT = """
WITH me AS (SELECT oid, rolname, rolsuper FROM pg_roles WHERE rolname = current_user),
holder AS (SELECT oid, shobj_description(oid, 'pg_authid') AS comment FROM pg_roles WHERE rolname = %(holder)s),
database AS (
  SELECT oid, datdba, datacl, pg_get_userbyid(datdba) AS owner, shobj_description(oid, 'pg_database') AS comment,
    shobj_description(datdba, 'pg_authid') AS owner_comment
  FROM pg_database WHERE datname = %(name)s),
acl AS (SELECT x.grantee, x.privilege_type AS privilege
  FROM database, LATERAL aclexplode(coalesce(datacl, acldefault('d', datdba))) x),
named AS (
  SELECT oid FROM pg_roles WHERE rolname = ANY(%(names)s)
  UNION SELECT datdba FROM database UNION SELECT grantee FROM acl WHERE grantee <> 0
  EXCEPT SELECT oid FROM holder EXCEPT SELECT oid FROM me WHERE oid NOT IN (SELECT datdba FROM database)),
wanted AS (
  SELECT oid FROM named UNION SELECT m.member FROM pg_auth_members m JOIN named n ON n.oid = m.roleid
  EXCEPT SELECT oid FROM me WHERE oid NOT IN (SELECT oid FROM named))
SELECT current_setting('server_version_num')::int AS version, me.rolname AS admin, me.rolsuper AS superuser,
  current_setting('search_path') AS search_path,
  (SELECT comment FROM holder) AS holder_comment,
  EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted
    AND classid::bigint << 32 | objid::bigint = %(lock)s AND objsubid = 1) AS locked,
  (SELECT to_jsonb(d) FROM (SELECT owner, comment, owner_comment, datdba IN (SELECT oid FROM holder) AS held
    FROM database) d) AS database,
  (SELECT jsonb_agg(jsonb_build_array(CASE grantee WHEN 0 THEN '' ELSE pg_get_userbyid(grantee) END, privilege))
    FROM acl) AS acl,
  (SELECT jsonb_agg(to_jsonb(r)) FROM (
    SELECT rolname AS name, rolcanlogin AS login, rolsuper OR rolcreaterole AS powerful, rolconnlimit AS limit,
      ARRAY(SELECT pg_get_userbyid(roleid) FROM pg_auth_members WHERE member = p.oid) AS member_of,
      ARRAY(SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setrole = p.oid AND setdatabase = 0) AS settings,
      ARRAY(SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setrole = p.oid
        AND setdatabase = (SELECT oid FROM database)) AS here,
      shobj_description(p.oid, 'pg_authid') AS comment,
      (SELECT count(*) FROM pg_stat_activity WHERE usesysid = p.oid) AS sessions,
      pg_has_role(p.oid, 'USAGE') AS member,
      me.rolsuper OR NOT rolsuper AND (current_setting('server_version_num')::int < 160000
        OR pg_has_role(p.oid, 'MEMBER WITH ADMIN OPTION')) AS governed
    FROM pg_roles p WHERE p.oid IN (SELECT oid FROM wanted)) r) AS roles
FROM me
"""


def observe(session: Session, ref: DatabaseRef) -> PostgresDatabase | None:
    """Look. None means that neither the database nor a role of `ref` exists.

    Raises `Terminal`: `PoolerEndpoint` when our lock or our start-up options were forgotten, `ServerChanged` when
    this is not the server that `ref` was bound to.
    """
    lock = session.lock
    values = {
        "holder": session.holder,
        "name": ref.name,
        "names": [ref.owner, *ref.roles],
        "lock": lock.key if lock else 0,
    }
    with session.maintenance() as connection, connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_STATEMENT, values).fetchone()
    if row is None:
        raise Terminal("the admin's role vanished: make it again", reason="AdminLoginRefused")
    owed = lock is not None and lock.stranger is None
    require_direct(session, row["search_path"], forgotten=owed and not row["locked"])
    _require_identity(session, ref, row["holder_comment"])
    return _database(session, ref, row)


def _require_identity(session: Session, ref: DatabaseRef, comment: str | None) -> None:
    found = IDENTITY.search(comment or "")
    if ref.identity is not None and (found is None or found[1] != ref.identity):
        raise Terminal(
            f"{session.where} is not the server that {ref.name!r} was made on: its identity is "
            f"{found[1] if found else 'missing'}, not {ref.identity}; give the former address or restore it",
            reason="ServerChanged",
        )


def _database(session: Session, ref: DatabaseRef, row: Mapping[str, Any]) -> PostgresDatabase | None:
    roles = {entry["name"]: _role(entry) for entry in row["roles"] or ()}
    database = row["database"]
    if database is None and not roles:
        return None
    known = {"ref": ref, "roles": roles, "holder": session.holder, "admin": row["admin"]}
    if database is None:
        owner = roles.get(ref.owner)
        mark = owner.mark if owner else None
        return PostgresDatabase(owner=ref.owner, held=False, mark=mark, present=False, **known)
    foreign = not database["held"] and IDENTITY.search(database["owner_comment"] or "") is not None
    owner_name = ref.owner if database["held"] or foreign else database["owner"]
    granted = _granted(row["acl"] or ())
    mark = Mark.read(database["comment"])
    return PostgresDatabase(
        owner=owner_name,
        held=database["held"],
        mark=mark,
        comment=database["comment"] or "",
        closed=not granted.get("", frozenset()) & {"CONNECT", "TEMPORARY"},
        findings=_findings(session, ref, adopted=mark and not database["held"] and owner_name),
        foreign_holder=database["owner"] if foreign else None,
        member=any(entry["member"] for entry in row["roles"] or () if entry["name"] == owner_name),
        connects=frozenset(role for role, privileges in granted.items() if "CONNECT" in privileges),
        opened=granted.get(owner_name, frozenset()) >= {"CONNECT", "CREATE", "TEMPORARY"},
        **known,
    )


def _role(entry: Mapping[str, Any]) -> PostgresRole:
    settings = (*entry["settings"], *(f"database:{setting}" for setting in entry["here"]))
    return PostgresRole(
        name=entry["name"],
        login=entry["login"],
        member_of=frozenset(entry["member_of"]),
        acts_as=_acts_as(settings),
        settings=settings,
        limit=None if entry["limit"] < 0 else entry["limit"],
        sessions=entry["sessions"],
        mark=Mark.read(entry["comment"]),
        comment=entry["comment"] or "",
        powerful=entry["powerful"],
        governed=entry["governed"],
    )


def _acts_as(settings: Sequence[str]) -> str | None:
    # The last one counts: a setting in one database beats the role's own.
    found = [text.removeprefix("database:") for text in settings]
    roles = [text.removeprefix("role=") for text in found if text.startswith("role=")]
    return roles[-1] if roles and roles[-1] != "none" else None


def _granted(acl: Sequence[Sequence[str]]) -> dict[str, frozenset[str]]:
    grantees = {grantee for grantee, _ in acl}
    return {name: frozenset(privilege for grantee, privilege in acl if grantee == name) for name in grantees}


def _findings(session: Session, ref: DatabaseRef, *, adopted: object) -> tuple[Finding, ...]:
    findings = []
    if session.lock and session.lock.stranger:
        holder = session.lock.stranger
        findings.append(Finding("LockHeld", f"role {holder!r} sits on the lock of {ref.name!r}: ask its owner why"))
    if adopted:
        text = f"{ref.name!r} still belongs to {adopted!r}, so its logins may drop it, reopen it and change its mark"
        findings.append(Finding("AdoptedOwner", text))
    return tuple(findings)
