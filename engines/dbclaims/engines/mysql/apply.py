"""Doing one step. Every statement stands alone here: the server commits each, so each leaves a state that is safe."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch

import attrs
import pymysql

from dbclaims.core.spi import Action, DatabaseRef, Mark, Transient

from . import sessions, statements
from .dial import Line
from .dialect import Dialect
from .errors import number, said
from .observe import EVERYWHERE, observe
from .quoting import pattern
from .session import Session
from .steps import (
    ChangeLogin,
    Close,
    CreateAccounts,
    CreateDatabase,
    DropAccounts,
    DropDatabase,
    DropLogin,
    MarkRole,
    Regrant,
    Step,
    Taking,
)

_DATABASE_EXISTS, _ACCOUNT_EXISTS, _WAITED, _READ_ONLY_DATABASE = 1007, 1396, 1205, 3989
_NO_SUCH_GRANT = 1141


_DEFINERS = """
SELECT DISTINCT DEFINER AS name FROM (
  SELECT DEFINER FROM information_schema.views WHERE TABLE_SCHEMA = %(name)s
  UNION SELECT DEFINER FROM information_schema.routines WHERE ROUTINE_SCHEMA = %(name)s
  UNION SELECT DEFINER FROM information_schema.triggers WHERE TRIGGER_SCHEMA = %(name)s
  UNION SELECT DEFINER FROM information_schema.events WHERE EVENT_SCHEMA = %(name)s) AS defined
"""
"""Looking at what a tenant defined runs nothing of it; selecting from it would, as the admin."""


@attrs.frozen
class _Place:
    """Where a step is done."""

    session: Session
    line: Line
    ref: DatabaseRef

    def run(self, statement: str) -> None:
        """Run one statement."""
        self.line.run(statement)

    @property
    def dialect(self) -> Dialect:
        """Which server it is."""
        return self.line.dialect


def apply(session: Session, ref: DatabaseRef, action: Action) -> None:
    """Do one step of a plan. Raises only `SPIError`."""
    with session.maintenance() as line:
        _do(action.args["step"], _Place(session, line, ref))


@singledispatch
def _do(step: Step, _at: _Place) -> None:
    raise TypeError(f"no such step: {step!r}")


@_do.register
def _mark(step: MarkRole, at: _Place) -> None:
    if step.create:
        _create(at, step.role, step.comment)
    else:
        at.run(statements.lock(at.dialect, step.role, step.comment))


@_do.register
def _create_accounts(step: CreateAccounts, at: _Place) -> None:
    for new in step.accounts:
        _create(at, new.name, new.comment, new.limit)


def _create(at: _Place, name: str, comment: str, limit: int = 0) -> None:
    def is_done() -> bool:
        found = observe(at.session, at.ref)
        return found is not None and name in found.roles and found.roles[name].mark == Mark.read(comment)

    _unless_done(statements.create_account(at.dialect, name, comment, limit), at, _ACCOUNT_EXISTS, is_done)


@_do.register
def _create_database(_step: CreateDatabase, at: _Place) -> None:
    def is_done() -> bool:
        found = observe(at.session, at.ref)
        return found is not None and found.present and found.mark is not None

    _unless_done(statements.create_database(at.ref.name), at, _DATABASE_EXISTS, is_done)


def _unless_done(statement: str, at: _Place, errno: int, is_done: Callable[[], bool]) -> None:
    """Do something that the server refuses to do twice; a refusal is well if it was done before, and by us."""
    try:
        at.run(statement)
    except pymysql.MySQLError as error:
        if number(error) != errno or not is_done():
            raise


@_do.register
def _regrant(step: Regrant, at: _Place) -> None:
    if step.accounts:
        at.run(statements.grant(step, _spelling(at)))
    _take(step.takings, at)


def _take(takings: tuple[Taking, ...], at: _Place) -> None:
    for taking in takings:
        _unless_done(statements.revoke(taking), at, _NO_SUCH_GRANT, lambda: True)


def _spelling(at: _Place) -> str:
    """Read right before it is used: what a GRANT means changes with a variable that others may set."""
    literal = not at.dialect.is_mariadb and at.line.row("SELECT @@partial_revokes AS literal")["literal"]
    return pattern(at.ref.name, literal=bool(literal))


@_do.register
def _change_login(step: ChangeLogin, at: _Place) -> None:
    for change in step.accounts:
        for statement in statements.change(at.dialect, change):
            at.run(statement)


@_do.register
def _close(step: Close, at: _Place) -> None:
    for closing in step.accounts:
        at.run(statements.lock(at.dialect, closing.name, closing.comment))
        sessions.end(at.session, at.line, closing)


@_do.register
def _drop_database(_step: DropDatabase, at: _Place) -> None:
    try:
        try:
            at.run(statements.drop_database(at.ref.name))
        except pymysql.MySQLError as error:
            if number(error) != _READ_ONLY_DATABASE:
                raise
            at.run(statements.writable(at.ref.name))
            at.run(statements.drop_database(at.ref.name))
    except pymysql.MySQLError as error:
        if number(error) != _WAITED:
            raise
        raise Transient(
            f"database {at.ref.name!r} is in use ({said(error)}): end the transaction that holds it; "
            "XA RECOVER lists those that outlived their connection",
            reason="DatabaseBusy",
        ) from error


@_do.register
def _drop_login(step: DropLogin, at: _Place) -> None:
    _take(step.takings, at)
    definers = {row["name"] for row in at.line.rows(_DEFINERS, {"name": at.ref.name})}
    kept = [closing for closing in step.accounts if f"{closing.name}@{EVERYWHERE}" in definers]
    for closing in step.accounts:
        _keep_or_drop(at, closing.name, closing.comment if closing in kept else None)
    if step.role is not None:
        _keep_or_drop(at, step.role, kept[0].comment if kept else None)


def _keep_or_drop(at: _Place, name: str, comment: str | None) -> None:
    if comment is not None:
        at.run(statements.lock(at.dialect, name, comment))
    else:
        at.run(statements.drop_account(name))


@_do.register
def _drop_accounts(step: DropAccounts, at: _Place) -> None:
    for name in step.names:
        at.run(statements.drop_account(name))
