"""What to do next. Pure: from what is wished and what stands to an ordered list of idempotent steps."""

from __future__ import annotations

from collections.abc import Iterator

from dbclaims.core.spi import RELEASED, Action, DatabaseSpec, NotOwned, Plan

from . import inside, logins
from .observe import PostgresDatabase
from .ownership import accounts, acting, require
from .quoting import identifier
from .steps import ChangeLogin, DropDatabase, DropRoles, TakeDatabase, action


def plan(desired: DatabaseSpec | None, observed: PostgresDatabase | None) -> Plan:
    """The steps.

    Raises what `ownership.require` raises, `InvalidSpec` for a name that no server can hold, and `NotOwned`
    (`SchemaTaken`) when nothing else is to do.
    """
    if desired is None:
        return tuple(_end(observed)) if observed is not None else ()
    identifier(desired.ref.name)
    if observed is not None:
        require(desired, observed)
    if desired.mark.state == RELEASED:
        return tuple(_release(desired, observed)) if observed is not None else ()
    steps = tuple(_hold(desired, observed))
    if observed is not None and not steps:
        inside.require_schemas(desired, observed)
    return steps


def _hold(desired: DatabaseSpec, observed: PostgresDatabase | None) -> Iterator[Action]:
    """Everything is there and as wished."""
    for login in desired.logins:
        if not login.drop:
            yield from logins.change(desired, observed, login)
    yield from inside.change(desired, observed)
    if observed is not None:
        for login in desired.logins:
            if login.drop:
                yield from logins.drop(desired, observed, login)


def _release(desired: DatabaseSpec, observed: PostgresDatabase) -> Iterator[Action]:
    """The data stay; nobody logs in any more; the marks say so (PROTOCOL.md §6)."""
    for login in desired.logins:
        role = acting(login, desired, observed)
        names = {account.name for account in login.accounts} | {found.name for found in accounts(role, observed)}
        yield from logins.close(observed, sorted(names), "is released")
        text = logins.comment(desired, observed, login, logins.role_of(observed, role))
        if text is not None and role in observed.roles:
            yield action("markRole", f"{role} is to carry its mark", ChangeLogin(role, comment=text))
    if observed.present:
        yield from inside.mark(desired, observed)


def _end(observed: PostgresDatabase) -> Iterator[Action]:
    """Database and roles go; what is not ours stays."""
    if observed.mark is None and not observed.held:
        raise NotOwned(f"database {observed.ref.name!r} carries no mark of ours: it is not dropped")
    gone = _own_roles(observed)
    yield from logins.close(observed, [name for name in gone if name != observed.owner], "is to be dropped")
    if observed.present:
        if not observed.held:
            step = TakeDatabase(observed.foreign_holder or observed.owner, transient=not observed.member)
            yield action("takeDatabase", f"{observed.owner} owns what is to be dropped", step)
        yield action("dropDatabase", f"nobody claims {observed.ref.name}", DropDatabase())
    if gone:
        yield action("dropRoles", f"nobody claims {', '.join(gone)}", DropRoles(gone))


def _own_roles(observed: PostgresDatabase) -> tuple[str, ...]:
    """The accounts first, then the roles that they act as; an adopted database's owner is not ours."""
    adopted = {observed.owner} if observed.present and not observed.held and not observed.foreign_holder else set()
    marked = {name for name, role in observed.roles.items() if _same_installation(observed, name)} - adopted
    acted = {found.name for role in (*marked, *adopted) for found in accounts(role, observed)}
    named = {name for name in observed.ref.roles if name in observed.roles and observed.roles[name].member_of & marked}
    return (*sorted((acted | named) - marked), *sorted(marked))


def _same_installation(observed: PostgresDatabase, name: str) -> bool:
    mark = observed.roles[name].mark
    return mark is not None and (observed.mark is None or mark.installation == observed.mark.installation)
