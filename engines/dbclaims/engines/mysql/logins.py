"""Deciding about logins. Pure: their accounts, what these may do, and who may log in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbclaims.core.spi import RELEASED, Account, Action, DatabaseSpec, Login, Mark

from . import marking
from .observe import MySQLDatabase, MySQLRole
from .ownership import role_of
from .privileges import wanted
from .steps import (
    AccountChange,
    ChangeLogin,
    Close,
    Closing,
    CreateAccounts,
    DropLogin,
    MarkRole,
    NewAccount,
    Regrant,
    Taking,
    action,
)


def change(desired: DatabaseSpec, observed: MySQLDatabase | None, login: Login) -> Iterator[Action]:
    """Make or mend one login: its role's mark, its accounts, what they may do; then let them in."""
    yield from _role(desired, observed, login)
    yield from _missing(desired, observed, login)
    names = tuple(account.name for account in login.accounts)
    yield from regrant(observed, names, wanted(login, desired.ref.owner))
    changes = tuple(filter(None, (_account(observed, login, account) for account in login.accounts)))
    if changes:
        yield action("changeLogin", f"accounts of {login.role} differ from what is wished", ChangeLogin(changes))
    if observed is not None:
        closed = [account.name for account in login.accounts if account.login is False]
        yield from close(observed, closed, mark_of(desired, login), "may not log in any more")


def mark_of(desired: DatabaseSpec, login: Login) -> Mark:
    """The mark that the accounts of a login carry; further logins of the owner carry the database's."""
    return login.mark or desired.mark


def _role(desired: DatabaseSpec, observed: MySQLDatabase | None, login: Login) -> Iterator[Action]:
    """The mark of a RoleClaim; the owner's is written when everything stands."""
    found = role_of(observed, login.role)
    if login.mark is not None and (found is None or found.mark != login.mark):
        text = marking.written(login.mark, desired.ref.name, found.comment if found else "")
        verb = "createRole" if found is None else "markRole"
        yield action(verb, f"{login.role} is to carry its mark", MarkRole(login.role, text, create=found is None))


def _missing(desired: DatabaseSpec, observed: MySQLDatabase | None, login: Login) -> Iterator[Action]:
    text = marking.of_account(mark_of(desired, login), desired.ref.name)
    names = [account.name for account in login.accounts if role_of(observed, account.name) is None]
    if names:
        made = tuple(NewAccount(name, text, login.connection_limit or 0) for name in names)
        yield action("createLogin", f"{', '.join(names)} is missing", CreateAccounts(made))


def regrant(observed: MySQLDatabase | None, names: Iterable[str], privileges: frozenset[str]) -> Iterator[Action]:
    """Give and take until the accounts hold exactly these privileges, under the spelling that holds now."""
    found = {name: role_of(observed, name) for name in names}
    spelling = observed.spelling if observed is not None else ""
    lacking = tuple(name for name, role in found.items() if privileges - _held(role, spelling))
    takings = tuple(taking for role in found.values() if role for taking in excess(role, spelling, privileges))
    if lacking or takings:
        touched = dict.fromkeys((*lacking, *(taking.account for taking in takings)))
        step = Regrant(lacking, privileges, takings)
        yield action("grant", f"missing or too much: the rights of {', '.join(touched)}", step)


def excess(role: MySQLRole, spelling: str, privileges: frozenset[str]) -> Iterator[Taking]:
    """What an account holds beyond these privileges; under any other spelling, everything."""
    for spelled, held in role.grants.items():
        surplus = held - privileges if spelled == spelling else held
        if surplus:
            yield Taking(role.name, spelled, surplus)


def _held(role: MySQLRole | None, spelling: str) -> frozenset[str]:
    return role.grants.get(spelling, frozenset()) if role is not None else frozenset()


def _account(observed: MySQLDatabase | None, login: Login, account: Account) -> AccountChange | None:
    found = role_of(observed, account.name)
    change = AccountChange(account.name, account.verifier, unlock=bool(account.login))
    if found is not None:
        in_use = found.login if account.login is None else account.login
        limit = login.connection_limit or 0
        change = AccountChange(
            account.name,
            account.verifier,
            # Unlocking also ends a lock-out after failed logins, which shows nowhere.
            unlock=bool(account.login) and (not found.login or account.verifier is not None),
            limit=limit if limit != (found.limit or 0) else None,
            free=in_use and found.demanding,
            discard=found.retained,
        )
    return change if change != AccountChange(account.name) else None


def close(observed: MySQLDatabase, names: Iterable[str], mark: Mark, why: str) -> Iterator[Action]:
    """Lock those of the accounts that are open, or still have sessions."""
    found = (role_of(observed, name) for name in names)
    open_ones = [role for role in found if role is not None and (role.login or role.sessions)]
    if open_ones:
        closings = tuple(closing(observed, role, mark) for role in open_ones)
        yield action("closeAccounts", f"{', '.join(role.name for role in open_ones)} {why}", Close(closings))


def closing(observed: MySQLDatabase, role: MySQLRole, mark: Mark, state: str | None = None) -> Closing:
    """An account as it is to be locked."""
    text = marking.of_account(mark, observed.ref.name, *([state] if state else []))
    return Closing(role.name, text, role.limit or 0)


def drop(desired: DatabaseSpec, observed: MySQLDatabase, login: Login) -> Iterator[Action]:
    """Remove a login that nobody claims any more, as far as nothing in the database depends on it."""
    mark = mark_of(desired, login)
    found = [role_of(observed, account.name) for account in login.accounts]
    left = [role for role in found if role is not None and not _is_kept(role)]
    role = role_of(observed, login.role) if login.mark is not None else None
    unmarked = role is not None and not _is_kept(role)
    if left or unmarked:
        yield from close(observed, [each.name for each in left], mark, "is to be dropped")
        closings = tuple(closing(observed, each, mark, RELEASED) for each in left)
        takings = tuple(taking for each in left for taking in excess(each, observed.spelling, frozenset()))
        why = f"nobody claims {', '.join(each.name for each in left) or login.role}"
        yield action("dropLogin", why, DropLogin(closings, takings, login.role if unmarked else None))


def _is_kept(role: MySQLRole) -> bool:
    """Whether the account was stripped and kept, because something in the database names it as definer."""
    released = role.mark is not None and role.mark.state == RELEASED
    return released and not role.login and not role.grants and not role.sessions
