"""Whose is it? Pure: what stands is ours, may be taken over, or belongs to somebody else (PROTOCOL.md §2)."""

from __future__ import annotations

from collections.abc import Iterator

from dbclaims.core.spi import DatabaseSpec, Login, NotOwned

from .marking import is_on
from .observe import MySQLDatabase, MySQLRole


def require(desired: DatabaseSpec, observed: MySQLDatabase) -> None:
    """Raise `NotOwned` (`NameTaken`, `NameExposed`) unless all that the plan will touch is ours or was given to us."""
    name = desired.ref.name
    if not _is_ours(desired, observed) and not desired.adopt:
        raise NotOwned(f"database {name!r} belongs to somebody else: choose another databaseName, or adopt it")
    for login in desired.logins:
        for foreign in _foreign(desired, observed, login):
            raise NotOwned(f"account {foreign!r} belongs to somebody else: choose another databaseName")
    if observed.strangers and not observed.present:
        names = ", ".join(sorted(set(observed.strangers))[:5])
        raise NotOwned(
            f"{names} would be let into {name!r} by what was granted on its name before: "
            f"revoke that (look into mysql.db), or choose another databaseName",
            reason="NameExposed",
        )


def role_of(observed: MySQLDatabase | None, name: str) -> MySQLRole | None:
    """An account as it stands, if it does."""
    found = observed.roles.get(name) if observed is not None else None
    return found if isinstance(found, MySQLRole) else None


def linked(observed: MySQLDatabase) -> Iterator[MySQLRole]:
    """Every account that was made for this database, also for a RoleClaim that the core forgot.

    Its mark says so, or what it was granted: in MariaDB an account that is in use has no mark.
    """
    for found in observed.roles.values():
        if isinstance(found, MySQLRole) and (is_on(found.mark, observed.ref.name) or found.grants):
            yield found


def _is_ours(desired: DatabaseSpec, observed: MySQLDatabase) -> bool:
    if observed.mark is None:
        return not observed.present
    return desired.mark.same_owner(observed.mark)


def _foreign(desired: DatabaseSpec, observed: MySQLDatabase, login: Login) -> Iterator[str]:
    role = role_of(observed, login.role)
    if role is not None and not _role_is_ours(desired, login, role):
        yield role.name
    for account in login.accounts:
        # The names of a login's accounts are reserved by the mark that stands for the login.
        found = role_of(observed, account.name)
        if role is None and found is not None and not _was_the_owners(desired, observed, login, found):
            yield found.name


def _was_the_owners(desired: DatabaseSpec, observed: MySQLDatabase, login: Login, found: MySQLRole) -> bool:
    """Whether a RoleClaim's account had the owner's access, for which no mark of its own stands."""
    if login.role == desired.ref.owner:
        return False
    return is_on(found.mark, observed.ref.name) or found.acts_as == observed.owner


def _role_is_ours(desired: DatabaseSpec, login: Login, role: MySQLRole) -> bool:
    """Whether the account that stands for the login carries its mark, and for the owner any that we may replace."""
    if role.mark is None:
        return False
    if login.role == desired.ref.owner:
        return desired.adopt or role.mark.same_owner(desired.mark)
    # A release names its logins without their marks.
    return login.mark is None or role.mark.same_owner(login.mark)
