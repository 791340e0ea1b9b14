"""Deciding about the database itself. Pure: its being there, its mark, its schemas, extensions and grants."""

from __future__ import annotations

from collections.abc import Iterator

from dbclaims.core.spi import Action, Contents, DatabaseSpec, Login, NotOwned

from .contents import PostgresContents
from .observe import PostgresDatabase
from .steps import CreateDatabase, Furnish, Regrant, TakeDatabase, action


def change(desired: DatabaseSpec, observed: PostgresDatabase | None) -> Iterator[Action]:
    """Make or mend the database."""
    name = desired.ref.name
    if observed is None or not observed.present:
        yield action("createDatabase", f"{name} does not exist", CreateDatabase())
        yield _furnish(desired, observed, "it is new")
    elif observed.foreign_holder:
        yield action("takeDatabase", f"{name} belongs to another installation", TakeDatabase(observed.foreign_holder))
        yield _furnish(desired, observed, "it was taken over")
    elif observed.held and observed.mark is None:
        yield _furnish(desired, observed, "it is half made")
    else:
        yield from _close(desired, observed)
        yield from mark(desired, observed)
        yield from _contents(desired, observed)


def _close(desired: DatabaseSpec, observed: PostgresDatabase) -> Iterator[Action]:
    """Nobody but its own roles connects to the database, and its owner does."""
    if observed.held and not (observed.closed and observed.opened):
        step = Furnish(observed.owner, transient=not observed.member, close=True)
        yield action("closeDatabase", f"{desired.ref.name} is open to everybody, or closed to its owner", step)


def mark(desired: DatabaseSpec, observed: PostgresDatabase) -> Iterator[Action]:
    """Write the mark on the database, if it differs."""
    if observed.mark != desired.mark:
        step = Furnish(
            observed.owner,
            held=observed.held,
            transient=not observed.member,
            comment=desired.mark.onto(observed.comment),
        )
        yield action("markDatabase", f"{desired.ref.name} is to carry its mark", step)


def _furnish(desired: DatabaseSpec, observed: PostgresDatabase | None, why: str) -> Action:
    connect, grants = _grants(desired, None)
    step = Furnish(
        observed.owner if observed else desired.ref.owner,
        comment=desired.mark.onto(observed.comment if observed else None),
        close=True,
        public=observed is None or not observed.present or observed.mark is None,
        schemas=desired.schemas,
        extensions=desired.extensions,
        home=_home(desired),
        connect=connect,
        grants=grants,
    )
    return action("furnishDatabase", f"{desired.ref.name} is to be made ready: {why}", step)


def _contents(desired: DatabaseSpec, observed: PostgresDatabase) -> Iterator[Action]:
    contents = observed.contents
    if contents is not None:
        schemas = tuple(schema for schema in desired.schemas if schema not in contents.schemas)
        extensions = tuple(name for name in desired.extensions if name not in contents.extensions)
        yield from _step(desired, observed, "createSchemas", schemas=schemas)
        yield from _step(desired, observed, "createExtensions", extensions=extensions)
        yield from _step(desired, observed, "takeSchemas", reassign=_astray(desired, observed, contents))
    connect, grants = _grants(desired, observed)
    yield from _step(desired, observed, "grant", connect=connect, grants=grants)


def _step(
    desired: DatabaseSpec,
    observed: PostgresDatabase,
    verb: str,
    *,
    schemas: tuple[str, ...] = (),
    extensions: tuple[str, ...] = (),
    reassign: tuple[str, ...] = (),
    connect: tuple[str, ...] = (),
    grants: tuple[Regrant, ...] = (),
) -> Iterator[Action]:
    """One change inside, unless there is nothing in it."""
    touched = (*schemas, *extensions, *reassign, *connect, *(f"{grant.role} in {grant.schema}" for grant in grants))
    if touched:
        step = Furnish(
            observed.owner,
            held=observed.held,
            transient=not observed.member,
            schemas=schemas,
            extensions=extensions,
            home=_home(desired),
            reassign=reassign,
            connect=connect,
            grants=grants,
        )
        yield action(verb, f"missing or different: {', '.join(touched)}", step)


def _home(desired: DatabaseSpec) -> str:
    """The schema that extensions go to: the first in the logins' search_path."""
    return desired.schemas[0] if desired.schemas else "public"


def _astray(desired: DatabaseSpec, observed: PostgresDatabase, contents: Contents) -> tuple[str, ...]:
    """Accounts that own a schema themselves: they left their role by SET ROLE NONE."""
    owners = {contents.schemas[schema] for schema in desired.schemas if schema in contents.schemas}
    return tuple(sorted(name for name in owners if name in observed.roles and _acts(observed, name)))


def _acts(observed: PostgresDatabase, name: str) -> bool:
    return observed.roles[name].acts_as == observed.owner


def require_schemas(desired: DatabaseSpec, observed: PostgresDatabase) -> None:
    """Raise `NotOwned` (`SchemaTaken`) when a schema that is asked for belongs to somebody else."""
    found = observed.contents.schemas if observed.contents is not None else {}
    for schema in desired.schemas:
        owner = found.get(schema)
        if owner is None or owner == observed.owner or owner in observed.roles or schema == "public":
            continue
        raise NotOwned(
            f"schema {schema!r} of {desired.ref.name!r} belongs to {owner!r}: "
            f'run ALTER SCHEMA "{schema}" OWNER TO "{observed.owner}", or name another schema',
            reason="SchemaTaken",
        )


def _grants(desired: DatabaseSpec, observed: PostgresDatabase | None) -> tuple[tuple[str, ...], tuple[Regrant, ...]]:
    """Roles to let in, and the rights to replace: all of a role that was never let in, else what differs."""
    claimed = [login for login in desired.logins if login.grants and not login.drop]
    connects = observed.connects if observed else frozenset()
    connect = tuple(login.role for login in claimed if login.role not in connects)
    grants = [grant for login in claimed for grant in _differences(login, observed, fresh=login.role in connect)]
    return connect, tuple(grants)


def _differences(login: Login, observed: PostgresDatabase | None, *, fresh: bool) -> Iterator[Regrant]:
    contents = observed.contents if observed else None
    if contents is None and not fresh:
        return
    standing = contents.grants.get(login.role, {}) if contents else {}
    partial = contents.partial.get(login.role, frozenset()) if isinstance(contents, PostgresContents) else frozenset()
    for schema in sorted(login.grants.keys() | standing.keys() | partial):
        wanted = login.grants.get(schema)
        if fresh or schema in partial or standing.get(schema) != wanted:
            yield Regrant(login.role, schema, wanted)
