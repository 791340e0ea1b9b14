"""The server as a whole: what it says of itself, and the account that carries its identity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pymysql

from dbclaims.core.spi import Finding, NotOwned, Refused, Survey, Unsupported

from . import statements
from .dial import Line
from .errors import number
from .marking import IDENTITY
from .observe import EVERYWHERE, accounts
from .session import Session, require_direct

_ACCOUNT_EXISTS = 1396

_OLDEST = {True: (10, 4), False: (8, 0, 21)}
"""By whether it is MariaDB: from there on, an account can be locked and can carry a mark."""

_VARIABLES = """
SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'read_only', 'super_read_only', 'log_bin',
  'log_bin_trust_function_creators', 'event_scheduler', 'lower_case_table_names')
"""

_ON = frozenset({"ON", "1", "READ_ONLY", "READ_ONLY_NO_LOCK", "READ_ONLY_NO_LOCK_NO_ADMIN"})


def survey(session: Session) -> Survey:
    """Look at the server. Raises `Refused` (`AdminLacksRight`) when the admin can make nothing."""
    with session.maintenance() as line:
        named = line.row("SELECT CONNECTION_ID() AS id")
        require_direct(session, forgotten=named["id"] != line.greeted_as)
        variables = {row["Variable_name"]: row["Value"] for row in line.rows(_VARIABLES)}
        version = _version(line, variables["version"])
        _require_rights(session, line)
        rows = accounts(line, (session.holder,), f"%dbclaims/1 installation={session.installation.id} kind=%")
    return Survey(
        version=version,
        identity=_identity(session, rows),
        marked=any(row["name"] != session.holder for row in rows),
        read_only=variables.get("read_only") in _ON or variables.get("super_read_only") in _ON,
        findings=tuple(_findings(variables)),
    )


def hold(session: Session, identity: str) -> str:
    """Make the account that carries this identity, unless there is one; return the identity that stands.

    Raises `NotOwned` when an account of that name carries no identity.
    """
    comment = f"dbclaims/1 installation={session.installation.id} identity={identity}"
    with session.maintenance() as line:
        try:
            line.run(statements.create_account(line.dialect, session.holder, comment))
        except pymysql.MySQLError as error:
            if number(error) != _ACCOUNT_EXISTS:
                raise
        else:
            return identity
        standing = _identity(session, accounts(line, (session.holder,), ""))
    if standing is None:
        raise NotOwned(f"account {session.holder!r} exists on {session.where} without our mark: rename or drop it")
    return standing


def _identity(session: Session, rows: list[dict[str, str]]) -> str | None:
    own = [row["comment"] for row in rows if (row["name"], row["host"]) == (session.holder, EVERYWHERE)]
    found = IDENTITY.search(own[0] or "") if own else None
    return found[1] if found else None


def _version(line: Line, text: str) -> str:
    """The version as numbers. Raises `Unsupported` for one in which an account could carry no mark."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    version = found[0] if found else text
    parts = tuple(int(part) for part in version.split(".")) if found else ()
    oldest = _OLDEST[line.dialect.is_mariadb]
    if parts < oldest:
        raise Unsupported(f"the server runs {text}: upgrade it to {'.'.join(map(str, oldest))} or newer")
    return version


def _require_rights(session: Session, line: Line) -> None:
    granted = [next(iter(row.values())) for row in line.rows("SHOW GRANTS")]
    # A role that was granted may hold what is missing here; then a refused statement will tell.
    if any(" ON " not in text for text in granted):
        return
    everywhere = " ".join(text for text in granted if " ON *.* " in text)
    able = "ALL PRIVILEGES" in everywhere or ("CREATE USER" in everywhere and "PROCESS" in everywhere)
    if not able or "GRANT OPTION" not in everywhere:
        raise Refused(
            f"the admin {session.admin.username!r} on {session.where} may not make accounts and databases: give it "
            "CREATE USER, PROCESS and everything that claims are to have on *.*, WITH GRANT OPTION",
            reason="AdminLacksRight",
        )


def _findings(variables: Mapping[str, str]) -> Iterator[Finding]:
    if variables.get("log_bin") == "ON" and variables.get("log_bin_trust_function_creators") == "OFF":
        text = (
            "no application may create triggers or functions here: set log_bin_trust_function_creators, if they should"
        )
        yield Finding("TriggersRefused", text)
    if variables.get("event_scheduler") == "DISABLED":
        text = "events never run here: set event_scheduler to ON or OFF at the server's start, if they should"
        yield Finding("EventsDisabled", text)
    if variables.get("lower_case_table_names", "0") != "0":
        yield Finding("NamesFolded", "this server keeps names in lower case: databases that differ in case are one")
