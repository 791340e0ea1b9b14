"""Whose is it? Pure: what stands is ours, may be taken over, or belongs to somebody else (PROTOCOL.md §2)."""

from __future__ import annotations

from collections.abc import Iterator

from dbclaims.core.spi import DatabaseSpec, Login, NotOwned, Refused, Unsupported

from .observe import PostgresDatabase, PostgresRole


def is_ours(desired: DatabaseSpec, observed: PostgresDatabase) -> bool:
    """Whether the database carries this claim's mark, or is half-made by us."""
    if observed.mark is None:
        return observed.held or not observed.present
    return desired.mark.same_owner(observed.mark)


def require(desired: DatabaseSpec, observed: PostgresDatabase) -> None:
    """Raise unless everything that the plan will touch is ours or was given to us.

    Raises `NotOwned` (`NameTaken`), `Refused` (`AdminLacksRole`), `Unsupported` (`OwnerTooPowerful`).
    """
    if not is_ours(desired, observed) and not desired.adopt:
        raise NotOwned(
            f"database {desired.ref.name!r} belongs to somebody else: choose another databaseName, or adopt it"
        )
    for login in desired.logins:
        for name in _foreign(desired, observed, login):
            raise NotOwned(f"role {name!r} belongs to somebody else: choose another databaseName")
    owner = observed.roles.get(observed.owner)
    if isinstance(owner, PostgresRole):
        _require_governed(observed, owner)


def accounts(role: str, observed: PostgresDatabase) -> Iterator[PostgresRole]:
    """The existing accounts of a login: they act as its role."""
    return (found for found in observed.roles.values() if found.acts_as == role and isinstance(found, PostgresRole))


def _foreign(desired: DatabaseSpec, observed: PostgresDatabase, login: Login) -> Iterator[str]:
    role = acting(login, desired, observed)
    found = observed.roles.get(role)
    if found is not None and not _role_is_ours(desired, observed, login, role):
        yield role
    for account in login.accounts:
        present = observed.roles.get(account.name)
        if present and role not in present.member_of and present.acts_as != role:
            yield account.name


def _role_is_ours(desired: DatabaseSpec, observed: PostgresDatabase, login: Login, role: str) -> bool:
    mark = observed.roles[role].mark
    if role == observed.owner:
        adopted = observed.present and not observed.held
        return adopted or (mark is not None and (desired.adopt or mark.same_owner(desired.mark)))
    return mark is not None and login.mark is not None and mark.same_owner(login.mark)


def acting(login: Login, desired: DatabaseSpec, observed: PostgresDatabase | None) -> str:
    """The role that a login's accounts act as: an adopted database has an owner of its own."""
    return observed.owner if observed is not None and login.role == desired.ref.owner else login.role


def _require_governed(observed: PostgresDatabase, owner: PostgresRole) -> None:
    if owner.powerful:
        raise Unsupported(
            f"{observed.ref.name!r} belongs to {owner.name!r}, which may do more than own it: "
            "give the database and its objects to a role without SUPERUSER and CREATEROLE",
            reason="OwnerTooPowerful",
        )
    if not owner.governed:
        raise Refused(
            f"the admin may not grant {owner.name!r}: run "
            f'GRANT "{owner.name}" TO "{observed.admin}" WITH ADMIN OPTION as a superuser',
            reason="AdminLacksRole",
        )
