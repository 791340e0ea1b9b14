"""Logging in as an application would, and saying how the server answered.

A refused login alone proves nothing about the password (PROTOCOL.md §4.5): the verdict comes from the SQLSTATE and
from what the catalogue says about the account, read by the admin right after.
"""

from __future__ import annotations

from contextlib import closing

import attrs
import psycopg
from psycopg.rows import class_row

from dbclaims.core.spi import Credentials, DatabaseRef, Probe, Unreachable, Verdict

from . import dial
from .contents import STATEMENT, contents
from .errors import mapped, said
from .session import Session


@attrs.frozen
class Facts:
    """What the catalogue says about a login, as the admin reads it.

    Attributes:
        login: whether the account exists and may log in now.
        database: whether the database exists and takes connections.
        connect: whether the account may connect to it.
        room: whether a further connection is within every limit.
    """

    login: bool
    database: bool
    connect: bool
    room: bool


_FACTS = """
WITH account AS (SELECT * FROM pg_roles WHERE rolname = %(account)s),
database AS (SELECT * FROM pg_database WHERE datname = %(database)s),
backend AS (SELECT * FROM pg_stat_activity WHERE datid IS NOT NULL)
SELECT
  coalesce((SELECT rolcanlogin AND coalesce(rolvaliduntil > now(), true) FROM account), false) AS login,
  coalesce((SELECT datallowconn FROM database), false) AS database,
  coalesce((SELECT has_database_privilege(a.oid, d.oid, 'CONNECT') FROM account a, database d), false) AS connect,
  coalesce((SELECT rolconnlimit < 0 OR rolconnlimit > (SELECT count(*) FROM backend WHERE usesysid = a.oid)
    FROM account a), true)
  AND coalesce((SELECT datconnlimit = -1 OR datconnlimit > (SELECT count(*) FROM backend WHERE datid = d.oid)
    FROM database d), true) AS room
"""

_NOT_YET = frozenset({"57P01", "57P02", "57P03", "08006", "08001"})
"""The server is going down or coming up, or the line broke."""


def probe(session: Session, ref: DatabaseRef, login: Credentials) -> Probe:
    """Log in and look. Raises `Unreachable` when the server did not answer."""
    auth = session.traits.get("auth", dial.SCRAM)
    try:
        opened = dial.connect(
            session.endpoint, session.authority, login, ref.name, options=dial.PROBE_OPTIONS, auth=auth
        )
    except psycopg.OperationalError as error:
        return _refused(session, ref, login, error)
    with mapped(f"{login.username!r} in {ref.name!r} on {session.where}"), closing(opened) as connection:
        row = connection.execute(STATEMENT).fetchone()
    acts_as, seen = contents(row or ())
    return Probe(Verdict.ACCEPTED, acts_as=acts_as, contents=seen)


def classify(sqlstate: str | None, facts: Facts) -> Verdict:
    """The verdict on a login that was not let in. `REFUSED` only when nothing else explains it."""
    if sqlstate == "53300":
        return Verdict.FULL
    if not (facts.login and facts.database and facts.connect):
        return Verdict.CLOSED
    if not facts.room:
        return Verdict.FULL
    return Verdict.REFUSED if sqlstate == "28P01" else Verdict.UNKNOWN


def _refused(session: Session, ref: DatabaseRef, login: Credentials, error: psycopg.OperationalError) -> Probe:
    if error.sqlstate is None or error.sqlstate in _NOT_YET:
        raise Unreachable(f"no login on {session.where}: {said(error)}") from error
    return Probe(classify(error.sqlstate, _facts(session, ref, login)), message=said(error))


def _facts(session: Session, ref: DatabaseRef, login: Credentials) -> Facts:
    with session.maintenance() as connection, connection.cursor(row_factory=class_row(Facts)) as cursor:
        facts = cursor.execute(_FACTS, {"account": login.username, "database": ref.name}).fetchone()
    return facts or Facts(login=False, database=False, connect=False, room=False)
