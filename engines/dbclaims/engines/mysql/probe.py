"""Logging in as an application would, and saying how the server answered.

The password is checked before the lock, the limit and the database, so that any answer about those proves it right; and
only 1045 may mean that it is wrong. It also answers to an account that another one hides, and to a client without the
certificate that is asked for (PROTOCOL.md §4.5), so the verdict needs what the catalogue says.
"""

from __future__ import annotations

from contextlib import closing

import attrs
import pymysql

from dbclaims.core.spi import Contents, Credentials, DatabaseRef, Probe, Unreachable, Verdict

from . import dial
from .errors import number, said, translated
from .observe import EVERYWHERE, accounts
from .session import Session

ACCESS_DENIED = 1045

CLOSED = frozenset({1044, 1049, 1820, 1862, 3118, 3955, 4151})
"""No right on the database, no database, expired, locked, locked out: setting the login right mends each."""

FULL = frozenset({1040, 1203, 1226})

_UNKNOWN = frozenset({1129, 1184, 3032, 3159, 4150})
"""Answers of a server that is there, and that say nothing about this login."""


@attrs.frozen
class Facts:
    """What the catalogue says about a login, as the admin reads it.

    Attributes:
        login: whether the account exists for every host and is not locked.
        plain: whether nothing else explains a refusal: no other account of this name or of no name is tried first, and
            none demands what we do not offer.
    """

    login: bool
    plain: bool


def probe(session: Session, ref: DatabaseRef, login: Credentials) -> Probe:
    """Log in and look. Raises `Unreachable` when the server did not answer."""
    try:
        with closing(dial.connect(session.endpoint, login, ref.name, admin=False)) as line:
            name = line.row("SELECT CURRENT_USER() AS name")["name"]
    except pymysql.MySQLError as error:
        return _refused(session, login, error)
    if name != f"{login.username}@{EVERYWHERE}":
        return Probe(Verdict.UNKNOWN, message=f"the server took {login.username!r} for {name!r}: drop or rename that")
    return Probe(Verdict.ACCEPTED, contents=Contents({}, frozenset()))


def classify(errno: int | None, facts: Facts) -> Verdict:
    """The verdict on a login that was not let in. `REFUSED` only when nothing else explains it."""
    if errno in FULL:
        return Verdict.FULL
    if errno in CLOSED or (errno == ACCESS_DENIED and not facts.login):
        return Verdict.CLOSED
    return Verdict.REFUSED if errno == ACCESS_DENIED and facts.plain else Verdict.UNKNOWN


def _refused(session: Session, login: Credentials, error: pymysql.MySQLError) -> Probe:
    known = number(error)
    mapped = translated(error, f"no login on {session.where}")
    if isinstance(mapped, Unreachable) and known not in _UNKNOWN:
        raise mapped from error
    facts = _facts(session, login) if known == ACCESS_DENIED else Facts(login=True, plain=False)
    return Probe(classify(known, facts), message=said(error))


def _facts(session: Session, login: Credentials) -> Facts:
    with session.maintenance() as line:
        rows = accounts(line, (login.username, ""), "")
    own = [row for row in rows if row["host"] == EVERYWHERE and row["name"] == login.username]
    return Facts(
        login=any(not row["locked"] for row in own),
        plain=len(rows) == len(own) and not any(row["demanding"] for row in own),
    )
