"""What to do next. Pure: from what is wished and what stands to an ordered list of idempotent steps.

There are no transactions, so the order is what makes a half-made state safe: the owner's mark first, and only at the
end the word that everything stands; when a database goes, its mark goes last.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from dbclaims.core.spi import RELEASED, Action, DatabaseSpec, NotOwned, Plan

from . import logins, marking
from .marking import MAKING
from .observe import MySQLDatabase, MySQLRole
from .ownership import linked, require, role_of
from .quoting import identifier
from .steps import CreateDatabase, DropAccounts, DropDatabase, MarkRole, action


def plan(desired: DatabaseSpec | None, observed: MySQLDatabase | None) -> Plan:
    """The steps. Raises what `ownership.require` raises, and `InvalidSpec` for a name that no server can hold."""
    if desired is None:
        return tuple(_end(observed)) if observed is not None else ()
    identifier(desired.ref.name)
    if observed is not None:
        require(desired, observed)
    if desired.mark.state == RELEASED:
        return tuple(_release(desired, observed)) if observed is not None else ()
    return tuple(_hold(desired, observed))


def _hold(desired: DatabaseSpec, observed: MySQLDatabase | None) -> Iterator[Action]:
    """Everything is there and as wished."""
    yield from _begin(desired, observed)
    for login in desired.logins:
        if not login.drop:
            yield from logins.change(desired, observed, login)
    if observed is not None:
        for login in desired.logins:
            if login.drop:
                yield from logins.drop(desired, observed, login)
    yield from _mark(desired, observed)


def _begin(desired: DatabaseSpec, observed: MySQLDatabase | None) -> Iterator[Action]:
    name, owner = desired.ref.name, desired.ref.owner
    present = observed is not None and observed.present
    if role_of(observed, owner) is None:
        mark = desired.mark if present else attrs.evolve(desired.mark, state=MAKING)
        yield action("createRole", f"{owner} is missing", MarkRole(owner, marking.written(mark, name), create=True))
    if not present:
        yield action("createDatabase", f"{name} does not exist", CreateDatabase())


def _mark(desired: DatabaseSpec, observed: MySQLDatabase | None) -> Iterator[Action]:
    """Say whose it is now, and that everything stands."""
    name, owner = desired.ref.name, desired.ref.owner
    found = role_of(observed, owner)
    made = found is None and observed is not None and observed.present
    if not made and (found is None or found.mark != desired.mark):
        text = marking.written(desired.mark, name, found.comment if found else "")
        yield action("markDatabase", f"{name} is to carry its mark", MarkRole(owner, text))


def _release(desired: DatabaseSpec, observed: MySQLDatabase) -> Iterator[Action]:
    """The data stay; nobody logs in, no event runs, and the mark says so (PROTOCOL.md §6)."""
    carriers = {login.role for login in desired.logins}
    named = {account.name for login in desired.logins for account in login.accounts}
    mine = [role for role in linked(observed) if role.name in named or _is_account(role, carriers)]
    yield from logins.close(observed, [role.name for role in mine], desired.mark, "is released")
    yield from logins.regrant(observed, [role.name for role in mine], frozenset())
    if role_of(observed, desired.ref.owner) is not None:
        yield from _mark(desired, observed)


def _is_account(role: MySQLRole, carriers: set[str]) -> bool:
    """Whether it is an account that logs in: only such a one is granted anything."""
    return role.name not in carriers and bool(role.grants)


def _end(observed: MySQLDatabase) -> Iterator[Action]:
    """Database and accounts go, the owner's with its mark as the last; what is not ours stays."""
    mark = observed.mark
    if mark is None:
        if observed.present:
            raise NotOwned(f"database {observed.ref.name!r} carries no mark of ours: it is not dropped")
        return
    mine = [role.name for role in linked(observed) if role.name != observed.owner]
    yield from logins.close(observed, mine, mark, "is to be dropped")
    if observed.present:
        yield action("dropDatabase", f"nobody claims {observed.ref.name}", DropDatabase())
    gone = (*_accounts_first(observed, mine), observed.owner)
    yield action("dropRoles", f"nobody claims {', '.join(gone)}", DropAccounts(gone))


def _accounts_first(observed: MySQLDatabase, names: list[str]) -> list[str]:
    """The accounts before the roles whose mark tells whose they are."""
    return sorted(names, key=lambda name: (not observed.roles[name].login and not _granted(observed, name), name))


def _granted(observed: MySQLDatabase, name: str) -> bool:
    found = role_of(observed, name)
    return found is not None and bool(found.grants)
