"""Deciding about logins. Pure: roles, accounts, their settings, and who may log in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dbclaims.core.spi import Account, Action, DatabaseSpec, Login

from .observe import PostgresDatabase, PostgresRole
from .ownership import acting
from .steps import AccountChange, ChangeLogin, Close, DropRoles, action

UNLIMITED = -1
"""The server's word for no limit."""


def change(desired: DatabaseSpec, observed: PostgresDatabase | None, login: Login) -> Iterator[Action]:
    """Make or mend one login, and close what may not log in any more."""
    role = acting(login, desired, observed)
    found = role_of(observed, role)
    text = comment(desired, observed, login, found)
    changes = tuple(filter(None, (_account(desired, observed, login, role, account) for account in login.accounts)))
    if found is None or text is not None or changes:
        why = f"{role} is missing" if found is None else _difference(role, text, changes)
        step = ChangeLogin(role, create=found is None, comment=text, accounts=changes)
        yield action("createLogin" if found is None else "changeLogin", why, step)
    if observed is not None:
        closed = [account.name for account in login.accounts if account.login is False]
        yield from close(observed, closed, "may not log in any more")


def _difference(role: str, text: str | None, changes: Iterable[AccountChange]) -> str:
    """What differs, in words for people."""
    marked = [f"{role} is to carry its mark"] if text is not None else []
    return "; ".join([*marked, *map(_words, changes)])


def _words(change: AccountChange) -> str:
    if change.create:
        return f"{change.name} is missing"
    facts = {
        f"is no member of {change.role}": change.join,
        "may not log in": change.login,
        "gets a password": change.verifier,
        "has another connection limit": change.limit,
        "has other settings": change.settle or None,
    }
    return f"{change.name} " + ", ".join(words for words, differs in facts.items() if differs not in (None, False))


def comment(
    desired: DatabaseSpec, observed: PostgresDatabase | None, login: Login, found: PostgresRole | None
) -> str | None:
    """The comment to write on a login's role; an adopted owner keeps its own."""
    adopted = observed is not None and observed.present and not observed.held and not observed.foreign_holder
    mark = desired.mark if login.role == desired.ref.owner else login.mark
    if mark is None or (adopted and login.role == desired.ref.owner) or (found is not None and found.mark == mark):
        return None
    return mark.onto(found.comment if found else None)


def _account(
    desired: DatabaseSpec, observed: PostgresDatabase | None, login: Login, role: str, account: Account
) -> AccountChange | None:
    found = role_of(observed, account.name)
    path = _search_path(desired, login)
    limit = UNLIMITED if login.connection_limit is None else login.connection_limit
    if found is None:
        armed = bool(account.login)
        return AccountChange(
            account.name,
            role,
            create=True,
            login=armed,
            verifier=account.verifier,
            limit=None if limit == UNLIMITED else limit,
            settle=True,
            search_path=path if armed else (),
        )
    armed = found.login if account.login is None else account.login
    settle = found.acts_as != role or (armed and not _settled(found, role, path))
    altered = AccountChange(
        account.name,
        role,
        join=role not in found.member_of,
        login=True if account.login and not found.login else None,
        verifier=account.verifier,
        limit=limit if limit != (UNLIMITED if found.limit is None else found.limit) else None,
        settle=settle,
        search_path=path if settle and armed else (),
        elsewhere=desired.ref.name if settle and any(s.startswith("database:") for s in found.settings) else None,
    )
    return altered if altered != AccountChange(account.name, role) else None


def role_of(observed: PostgresDatabase | None, name: str) -> PostgresRole | None:
    """A role as it stands, if it does."""
    found = observed.roles.get(name) if observed is not None else None
    return found if isinstance(found, PostgresRole) else None


def _search_path(desired: DatabaseSpec, login: Login) -> tuple[str, ...]:
    return tuple(login.grants) if login.grants else desired.schemas


def _settled(found: PostgresRole, role: str, path: tuple[str, ...]) -> bool:
    """Whether the account's settings are ours on both levels."""
    values = dict(setting.split("=", 1) for setting in found.settings)
    if values.keys() & {"database:role", "database:search_path"} or values.get("role") != role:
        return False
    return _listed(values.get("search_path", "")) == path


def _listed(value: str) -> tuple[str, ...]:
    """The names in a list as the server writes it, quoted only where it must be."""
    words = re.findall(r'"((?:[^"]|"")*)"|([^,\s"]+)', value)
    return tuple(quoted.replace('""', '"') or plain for quoted, plain in words)


def close(observed: PostgresDatabase, names: Iterable[str], why: str) -> Iterator[Action]:
    """Close those of the accounts that are open, or still have sessions."""
    found = (role_of(observed, name) for name in names)
    open_ones = tuple(role.name for role in found if role is not None and (role.login or role.sessions))
    if open_ones:
        yield action("closeAccounts", f"{', '.join(open_ones)} {why}", Close(open_ones))


def drop(desired: DatabaseSpec, observed: PostgresDatabase, login: Login) -> Iterator[Action]:
    """Remove a login that nobody claims any more; what it owns goes to the database's owner."""
    role = acting(login, desired, observed)
    names = tuple(account.name for account in login.accounts if account.name in observed.roles)
    gone = names if role == observed.owner else (*names, *({role} & observed.roles.keys()))
    if gone:
        yield from close(observed, names, "are to be dropped")
        heir = observed.owner if observed.present else None
        step = DropRoles(gone, heir, transient=not observed.member)
        yield action("dropLogin", f"nobody claims {', '.join(gone)}", step)
