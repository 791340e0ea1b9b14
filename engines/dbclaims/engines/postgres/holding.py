"""The server as a whole: what it says of itself, and our holder role, to which the databases belong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from psycopg import sql
from psycopg.errors import DuplicateObject, UniqueViolation
from psycopg.rows import dict_row

from dbclaims.core.spi import Finding, NotOwned, Refused, Survey

from .quoting import identifier, text
from .session import Connection, Session, atomically, require_direct

IDENTITY = re.compile(r"^dbclaims/1 .*\bidentity=(\S+)", re.MULTILINE)
"""The server's own id in the comment of a holder role."""

MEMBERSHIP_OPTIONS = 160000
"""From PostgreSQL 16 on, a membership says whether it inherits and whether it may be acted as."""

_SURVEY = """
SELECT current_setting('server_version') AS text, current_setting('server_version_num')::int AS version,
  current_setting('search_path') AS search_path, pg_is_in_recovery() AS read_only,
  me.rolsuper OR me.rolcreaterole AND me.rolcreatedb AND me.rolinherit AS able,
  shobj_description(h.oid, 'pg_authid') AS comment, pg_has_role(h.oid, 'USAGE') AS member,
  ARRAY(SELECT pg_get_userbyid(member) FROM pg_auth_members WHERE roleid = h.oid AND member <> me.oid) AS others,
  ARRAY(SELECT rolname FROM pg_roles WHERE rolcreaterole AND NOT rolsuper AND oid <> me.oid AND rolname <> %(cloud)s
    ORDER BY 1) AS creators,
  EXISTS (SELECT FROM pg_shdescription WHERE strpos(description, %(mark)s) > 0) AS marked
FROM pg_roles me LEFT JOIN pg_roles h ON h.rolname = %(holder)s WHERE me.rolname = current_user
"""


def survey(session: Session) -> Survey:
    """Look at the server, in one statement. Raises `Refused` (`AdminLacksRight`) when the admin can make nothing."""
    row = _surveyed(session)
    found = IDENTITY.search(row["comment"] or "")
    return Survey(
        version=row["text"].split()[0],
        identity=found[1] if found else None,
        marked=row["marked"],
        read_only=row["read_only"],
        findings=tuple(_findings(session, row)),
    )


def hold(session: Session, identity: str) -> str:
    """Make the holder role with this identity, unless there is one; return the identity that stands.

    Raises `NotOwned` when a role of that name carries no identity.
    """
    with session.maintenance() as connection:
        try:
            atomically(connection, _creation(session, identity, connection))
        except (DuplicateObject, UniqueViolation):
            pass
        else:
            return identity
    standing = survey(session).identity
    if standing is None:
        raise NotOwned(f"role {session.holder!r} exists on {session.where} without our mark: rename or drop it")
    return standing


def membership(connection: Connection) -> sql.SQL:
    """What to add to a GRANT of a role to the admin, so that its rights come with it."""
    return sql.SQL(" WITH INHERIT TRUE, SET TRUE" if connection.info.server_version >= MEMBERSHIP_OPTIONS else "")


def _creation(session: Session, identity: str, connection: Connection) -> list[sql.Composed]:
    holder = identifier(session.holder)
    comment = text(f"dbclaims/1 installation={session.installation.id} identity={identity}")
    return [
        sql.SQL("CREATE ROLE {} NOLOGIN").format(holder),
        sql.SQL("COMMENT ON ROLE {} IS {}").format(holder, comment),
        sql.SQL("GRANT {} TO CURRENT_USER{}").format(holder, membership(connection)),
    ]


def _surveyed(session: Session) -> Mapping[str, Any]:
    values = {
        "holder": session.holder,
        "cloud": session.traits.get("admin_role", ""),
        "mark": f"dbclaims/1 installation={session.installation.id} kind=",
    }
    with session.maintenance() as connection, connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_SURVEY, values).fetchone()
    if row is None or not row["able"]:
        name = session.admin.username
        raise Refused(
            f"the admin {name!r} on {session.where} may not make roles and databases: "
            f'run ALTER ROLE "{name}" CREATEROLE CREATEDB INHERIT',
            reason="AdminLacksRight",
        )
    require_direct(session, row["search_path"])
    return row


def _findings(session: Session, row: Mapping[str, Any]) -> Iterator[Finding]:
    if row["comment"] and not row["member"]:
        grant = f'GRANT "{session.holder}" TO "{session.admin.username}" WITH ADMIN OPTION'
        yield Finding("AdminLacksRole", f"the admin is no member of our holder role: run {grant} as its maker")
    if row["others"]:
        names = ", ".join(row["others"])
        yield Finding("SharedHolder", f"{names} can drop our databases, as members of {session.holder!r}: revoke it")
    if row["version"] < MEMBERSHIP_OPTIONS and row["creators"]:
        names = ", ".join(row["creators"][:5])
        text = f"{names} may grant themselves every role before PostgreSQL 16: take CREATEROLE from them, or upgrade"
        yield Finding("SharedCreaterole", text)
