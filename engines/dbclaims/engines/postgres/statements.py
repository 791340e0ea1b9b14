"""Steps as SQL. Pure: what stands here is the whole of what we say to a server that changes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import LiteralString

import attrs
from psycopg.sql import SQL, Composable, Composed

from dbclaims.core.spi import Access

from .quoting import identifier, names, text
from .steps import AccountChange, ChangeLogin, Close, DropRoles, Furnish, Regrant, TakeDatabase

TABLE_RIGHTS: Mapping[Access, LiteralString] = {
    Access.READER: "SELECT",
    Access.WRITER: "SELECT, INSERT, UPDATE, DELETE",
}
"""Presets of PROTOCOL.md §1 for tables, views and foreign tables."""

SEQUENCE_RIGHTS: Mapping[Access, LiteralString] = {Access.READER: "SELECT", Access.WRITER: "SELECT, USAGE"}
"""Presets for sequences: a reader may dump them, a writer may draw from them."""


@attrs.frozen
class Relations:
    """What the owner owns in one schema now, by name."""

    tables: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()


def change_login(change: ChangeLogin) -> list[Composed]:
    """The statements that make or mend a login; all of them belong in one transaction."""
    role = identifier(change.role)
    made = [SQL("CREATE ROLE {} NOLOGIN").format(role)] if change.create else []
    if change.comment is not None:
        made.append(SQL("COMMENT ON ROLE {} IS {}").format(role, text(change.comment)))
    return made + [statement for account in change.accounts for statement in _account(account)]


def _account(change: AccountChange) -> Iterator[Composed]:
    name, role = identifier(change.name), identifier(change.role)
    attributes = _attributes(change)
    if change.create:
        yield SQL("CREATE ROLE {}{} IN ROLE {}").format(name, attributes, role)
    else:
        if change.join:
            yield SQL("GRANT {} TO {}").format(role, name)
        if change.login is not None or change.limit is not None or change.verifier is not None:
            yield SQL("ALTER ROLE {}{}").format(name, attributes)
    if change.settle:
        yield from _settings(change)


def _attributes(change: AccountChange) -> Composed:
    parts: list[Composable] = []
    if change.login is not None:
        parts.append(SQL(" LOGIN" if change.login else " NOLOGIN"))
    if change.limit is not None:
        parts.append(SQL(" CONNECTION LIMIT {}").format(change.limit))
    if change.verifier is not None:
        parts.append(SQL(" PASSWORD {}").format(text(change.verifier)))
    return Composed(parts)


def _settings(change: AccountChange) -> Iterator[Composed]:
    name = identifier(change.name)
    if not change.create:
        yield SQL("ALTER ROLE {} RESET ALL").format(name)
    if change.elsewhere is not None:
        yield SQL("ALTER ROLE {} IN DATABASE {} RESET ALL").format(name, identifier(change.elsewhere))
    yield SQL("ALTER ROLE {} SET role = {}").format(name, text(change.role))
    if change.search_path:
        yield SQL("ALTER ROLE {} SET search_path = {}").format(name, names(change.search_path))


def as_member(role: str, inside: Iterable[Composed], *, transient: bool, options: SQL) -> Iterator[Composed]:
    """Statements between becoming a member of `role` and ceasing to be one (PROTOCOL.md §1)."""
    if transient:
        yield SQL("GRANT {} TO CURRENT_USER{}").format(identifier(role), options)
    yield from inside
    if transient:
        yield SQL("REVOKE {} FROM CURRENT_USER").format(identifier(role))


def close(step: Close) -> list[Composed]:
    """Forbid further sessions."""
    return [SQL("ALTER ROLE {} NOLOGIN").format(identifier(name)) for name in step.accounts]


def end_sessions(account: str, *, transient: bool, options: SQL) -> list[Composed]:
    """End the sessions of an account that may not log in any more."""
    end = SQL(
        "SELECT pg_catalog.pg_terminate_backend(pid, 100) FROM pg_catalog.pg_stat_activity"
        " WHERE usename = {} AND pid <> pg_catalog.pg_backend_pid()"
    ).format(text(account))
    return list(as_member(account, [end], transient=transient, options=options))


def furnish(
    database: str,
    step: Furnish,
    found: Mapping[str, Relations],
    *,
    public: bool,
    revoke: bool,
    transient: bool,
    options: SQL,
) -> list[Composed]:
    """The statements that change a database's inside.

    Args:
        found: what the owner has in each schema already.
        public: whether this server lets us give the schema `public` away.
        revoke: whether everybody may create in it until that is taken back.
        transient: whether the admin is no member of the owner yet.
        options: of a membership of the admin (`holding.membership`).
    """
    inner = [*_shape(step, public=public, revoke=revoke), *_as_owner(step, found)]
    for account in step.reassign:
        move = SQL("REASSIGN OWNED BY {} TO {}").format(identifier(account), identifier(step.owner))
        inner += as_member(account, [move], transient=transient, options=options)
    joins = transient and bool(inner or not step.held)
    return list(as_member(step.owner, [*_outside(database, step), *inner], transient=joins, options=options))


def _outside(database: str, step: Furnish) -> Iterator[Composed]:
    name, owner = identifier(database), identifier(step.owner)
    if step.close:
        yield SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(name)
        yield SQL("GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {} TO {}").format(name, owner)
    if step.connect:
        yield SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, names(step.connect))
    if step.comment is not None:
        yield SQL("COMMENT ON DATABASE {} IS {}").format(name, text(step.comment))


def _shape(step: Furnish, *, public: bool, revoke: bool) -> Iterator[Composed]:
    if step.public and public:
        yield SQL("ALTER SCHEMA public OWNER TO {}").format(identifier(step.owner))
        if revoke:
            yield Composed([SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC")])


def _as_owner(step: Furnish, found: Mapping[str, Relations]) -> Iterator[Composed]:
    inner = [SQL("CREATE SCHEMA IF NOT EXISTS {}").format(identifier(schema)) for schema in step.schemas]
    if step.extensions:
        inner.append(SQL("SET search_path = {}").format(identifier(step.home)))
    inner += [SQL("CREATE EXTENSION IF NOT EXISTS {}").format(identifier(extension)) for extension in step.extensions]
    for grant in step.grants:
        inner += _grant(step.owner, grant, found.get(grant.schema, Relations()))
    if inner:
        yield SQL("SET ROLE {}").format(identifier(step.owner))
        yield from inner
        yield Composed([SQL("RESET ROLE")])


def _grant(owner: str, grant: Regrant, found: Relations) -> Iterator[Composed]:
    role, schema = identifier(grant.role), identifier(grant.schema)
    yield SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(schema, role)
    if grant.access is not None:
        yield SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role)
    defaults = SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} ").format(identifier(owner), schema)
    yield from _replace(defaults, SQL("TABLES"), role, TABLE_RIGHTS, grant.access)
    yield from _replace(defaults, SQL("SEQUENCES"), role, SEQUENCE_RIGHTS, grant.access)
    if found.tables:
        yield from _replace(SQL(""), _listed("TABLE", grant.schema, found.tables), role, TABLE_RIGHTS, grant.access)
    if found.sequences:
        listed = _listed("SEQUENCE", grant.schema, found.sequences)
        yield from _replace(SQL(""), listed, role, SEQUENCE_RIGHTS, grant.access)


def _replace(
    prefix: Composable,
    what: Composable,
    role: Composable,
    rights: Mapping[Access, LiteralString],
    access: Access | None,
) -> Iterator[Composed]:
    yield SQL("{}REVOKE ALL ON {} FROM {}").format(prefix, what, role)
    if access is not None:
        yield SQL("{}GRANT {} ON {} TO {}").format(prefix, SQL(rights[access]), what, role)


def _listed(kind: LiteralString, schema: str, relations: Iterable[str]) -> Composed:
    qualified = [SQL("{}.{}").format(identifier(schema), identifier(name)) for name in relations]
    return SQL("{} {}").format(SQL(kind), SQL(", ").join(qualified))


def take(database: str, step: TakeDatabase, holder: str, *, transient: bool, options: SQL) -> list[Composed]:
    """Give the database to our holder role."""
    move = SQL("ALTER DATABASE {} OWNER TO {}").format(identifier(database), identifier(holder))
    return list(as_member(step.owner, [move], transient=transient, options=options))


def drop_roles(step: DropRoles, *, transient: bool, options: SQL) -> list[Composed]:
    """Drop roles; inside a database that stays, their objects go to the heir first."""
    if step.heir is None:
        return [SQL("DROP ROLE IF EXISTS {}").format(names(step.roles))]
    inner = [statement for role in step.roles for statement in _bequeath(role, step.heir, transient, options)]
    return list(as_member(step.heir, inner, transient=transient and step.transient, options=options))


def _bequeath(role: str, heir: str, transient: bool, options: SQL) -> Iterator[Composed]:
    name = identifier(role)
    if transient:
        yield SQL("GRANT {} TO CURRENT_USER{}").format(name, options)
    yield SQL("REASSIGN OWNED BY {} TO {}").format(name, identifier(heir))
    yield SQL("DROP OWNED BY {}").format(name)
    yield SQL("DROP ROLE {}").format(name)
