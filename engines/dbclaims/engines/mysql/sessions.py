"""Open connections by account, and how they are ended."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

import pymysql

from dbclaims.core.spi import Credentials, DatabaseRef

from . import dial, statements
from .dial import Line
from .errors import number
from .session import Session
from .steps import Closing
from .verifier import new_password, verifier

_COUNTS = """
SELECT USER AS name, COUNT(*) AS number FROM information_schema.processlist
WHERE USER IN %s AND COMMAND <> 'Killed' GROUP BY USER
"""
"""Those that are ending do not count."""

_IDS = """
SELECT ID AS id FROM information_schema.processlist
WHERE USER = %s AND ID <> CONNECTION_ID() AND COMMAND <> 'Killed'
"""

_GONE, _NOT_OURS = 1094, 1095


def count(session: Session, ref: DatabaseRef) -> Mapping[str, int]:
    """Open connections by account, on whatever database; 0 for one that has none or does not exist."""
    names = (ref.owner, *ref.roles)
    with session.maintenance() as line:
        counts = {row["name"]: row["number"] for row in line.rows(_COUNTS, [names])}
    return {name: counts.get(name, 0) for name in names}


def end(session: Session, line: Line, account: Closing) -> None:
    """End the sessions of an account that is locked.

    KILL of another account's session needs a right that hosted servers keep to themselves, and every account may KILL
    its own. So where it is refused, we log in as the account: it gets a password that nobody else ever had, and is
    locked again after.
    """
    try:
        _kill(line, account.name)
    except pymysql.MySQLError as error:
        if number(error) != _NOT_OURS:
            raise
        _end_from_within(session, line, account)


def _end_from_within(session: Session, line: Line, account: Closing) -> None:
    password = new_password()
    line.run(statements.opened_for_us(line.dialect, account.name, verifier(password)))
    try:
        login = Credentials(account.name, password)
        with closing(dial.connect(session.endpoint, login, None, admin=False)) as inside:
            _kill(inside, account.name)
    finally:
        line.run(statements.lock(line.dialect, account.name, account.comment, account.limit))


def _kill(line: Line, account: str) -> None:
    for row in line.rows(_IDS, [account]):
        try:
            line.run(f"KILL {int(row['id'])}")
        except pymysql.MySQLError as error:
            if number(error) != _GONE:
                raise
