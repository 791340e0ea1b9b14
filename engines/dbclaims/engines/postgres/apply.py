"""Doing one step: which connection, and how its statements belong together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from psycopg.errors import (
    DuplicateDatabase,
    DuplicateObject,
    InvalidAuthorizationSpecification,
    InvalidPassword,
    UniqueViolation,
)
from psycopg.sql import SQL

from dbclaims.core.spi import Action, DatabaseRef, Mark, Unsupported

from . import statements
from .errors import said
from .holding import membership
from .observe import PUBLIC_SCHEMA_IS_OURS, PostgresDatabase, observe
from .quoting import identifier
from .session import Connection, Session, atomically
from .statements import Relations
from .steps import ChangeLogin, Close, CreateDatabase, DropDatabase, DropRoles, Furnish, Step, TakeDatabase

_RELATIONS = """
SELECT n.nspname, c.relname, c.relkind = 'S'
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND c.relowner = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = %s)
"""


def apply(session: Session, ref: DatabaseRef, action: Action) -> None:
    """Do one step of a plan. Raises only `SPIError`."""
    step: Step = action.args["step"]
    match step:
        case Furnish() | DropRoles(heir=str()):
            with session.inside(ref.name) as connection:
                _inside(connection, ref, step)
        case _:
            with session.maintenance() as connection:
                _outside(session, connection, ref, step)


def _inside(connection: Connection, ref: DatabaseRef, step: Furnish | DropRoles) -> None:
    options, superuser = membership(connection), _is_superuser(connection)
    if isinstance(step, DropRoles):
        atomically(connection, statements.drop_roles(step, transient=not superuser, options=options))
        return
    ours = connection.info.server_version >= PUBLIC_SCHEMA_IS_OURS
    made = statements.furnish(
        ref.name,
        step,
        _relations(connection, step),
        public=superuser or ours,
        revoke=not ours,
        transient=step.transient and not superuser,
        options=options,
    )
    atomically(connection, made)


def _outside(session: Session, connection: Connection, ref: DatabaseRef, step: Step) -> None:
    options, superuser = membership(connection), _is_superuser(connection)
    match step:
        case ChangeLogin():
            _change_login(session, connection, ref, step)
        case Close():
            atomically(connection, statements.close(step))
            for account in step.accounts:
                atomically(connection, statements.end_sessions(account, transient=not superuser, options=options))
        case CreateDatabase():
            _create_database(session, connection, ref)
        case TakeDatabase():
            transient = step.transient and not superuser
            atomically(
                connection, statements.take(ref.name, step, session.holder, transient=transient, options=options)
            )
        case DropDatabase():
            connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier(ref.name)))
        case DropRoles():
            atomically(connection, statements.drop_roles(step, transient=not superuser, options=options))


def _change_login(session: Session, connection: Connection, ref: DatabaseRef, step: ChangeLogin) -> None:
    try:
        atomically(connection, statements.change_login(step))
    except (DuplicateObject, UniqueViolation):
        # The step was done already; or somebody else was faster, and then the next look decides.
        if not _stands(observe(session, ref), step):
            raise
    except (InvalidPassword, InvalidAuthorizationSpecification) as error:
        text = f"{session.where} refuses verifiers ({said(error)}): let its password policy take SCRAM-SHA-256"
        raise Unsupported(text, reason="PlainPasswordForm") from error


def _stands(observed: PostgresDatabase | None, step: ChangeLogin) -> bool:
    """Whether the role and the accounts that the step makes are there, by the marks that it sets."""
    roles = observed.roles if observed is not None else {}
    made = [account for account in step.accounts if account.create]
    marked = not step.create or (step.role in roles and roles[step.role].mark == Mark.read(step.comment))
    return marked and all(account.name in roles and roles[account.name].acts_as == step.role for account in made)


def _create_database(session: Session, connection: Connection, ref: DatabaseRef) -> None:
    create = SQL("CREATE DATABASE {} OWNER {}")
    try:
        connection.execute(create.format(identifier(ref.name), identifier(session.holder)))
    except (DuplicateDatabase, UniqueViolation):
        found = observe(session, ref)
        if found is None or not found.held:
            raise


def _relations(connection: Connection, step: Furnish) -> Mapping[str, Relations]:
    """What the owner has in the schemas of the grants; default privileges only reach what is made later."""
    schemas = sorted({grant.schema for grant in step.grants})
    if not schemas:
        return {}
    tables, sequences = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for schema, name, is_sequence in connection.execute(_RELATIONS, [schemas, step.owner]):
        (sequences if is_sequence else tables)[schema].append(name)
    return {schema: Relations(tuple(tables[schema]), tuple(sequences[schema])) for schema in schemas}


def _is_superuser(connection: Connection) -> bool:
    return connection.info.parameter_status("is_superuser") == "on"
