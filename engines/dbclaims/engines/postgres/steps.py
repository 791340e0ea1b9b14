"""What a plan is made of: each step says what is to be true afterwards; `statements` says it in SQL."""

from __future__ import annotations

import attrs

from dbclaims.core.spi import Access, Action, Part


@attrs.frozen
class AccountChange:
    """What to change about one account.

    Attributes:
        role: the role that it is a member of and acts as.
        create: whether it is missing.
        join: whether it lost its membership.
        login: wanted LOGIN; None leaves it.
        verifier: to set; None leaves the password.
        limit: connections to allow, -1 for no limit; None leaves it.
        settle: whether its settings are to be reset and set again, on both levels (PROTOCOL.md §4.8).
        search_path: schemas to set with that; empty leaves the server's default.
        elsewhere: the database in which it has settings of its own that must go; None where it has none.
    """

    name: str
    role: str
    create: bool = False
    join: bool = False
    login: bool | None = None
    verifier: str | None = attrs.field(default=None, repr=False)
    limit: int | None = None
    settle: bool = False
    search_path: tuple[str, ...] = ()
    elsewhere: str | None = None


@attrs.frozen
class ChangeLogin:
    """Make or mend a login: its role and its accounts, in one transaction.

    Attributes:
        create: whether the role is missing.
        comment: the role's comment to write; None leaves it.
    """

    role: str
    create: bool = False
    comment: str | None = None
    accounts: tuple[AccountChange, ...] = ()


@attrs.frozen
class Close:
    """Take LOGIN from accounts and end their sessions."""

    accounts: tuple[str, ...]


@attrs.frozen
class CreateDatabase:
    """Make the database, owned by the holder role."""


@attrs.frozen
class TakeDatabase:
    """Move the database from the role that owns it to our holder role."""

    owner: str
    transient: bool = True


@attrs.frozen
class Regrant:
    """A role's rights in one schema, replaced as a whole; `access` None takes them all."""

    role: str
    schema: str
    access: Access | None


@attrs.frozen
class Furnish:
    """Change what is inside the database, in one transaction, as its owner.

    Attributes:
        owner: the role to act as.
        held: whether our holder role has the database; otherwise only its owner can change it.
        transient: whether the admin must become its member for this transaction.
        comment: the database's comment to write; None leaves it.
        close: whether to take the database from everybody but the owner.
        public: whether the schema `public` is to be given to the owner.
        home: the schema that extensions go to.
        reassign: accounts whose objects are to be the owner's.
        connect: roles to let in.
    """

    owner: str
    held: bool = True
    transient: bool = True
    comment: str | None = None
    close: bool = False
    public: bool = False
    reassign: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    home: str = "public"
    connect: tuple[str, ...] = ()
    grants: tuple[Regrant, ...] = ()


@attrs.frozen
class DropDatabase:
    """End the database and every session in it."""


@attrs.frozen
class DropRoles:
    """Drop roles, after what they own and were granted in the database (if it stands) went to its owner.

    Attributes:
        heir: who gets what they own; None when the database is gone.
    """

    roles: tuple[str, ...]
    heir: str | None = None
    transient: bool = True


Step = ChangeLogin | Close | CreateDatabase | TakeDatabase | Furnish | DropDatabase | DropRoles


_PARTS = {
    "createLogin": Part.LOGIN,
    "changeLogin": Part.LOGIN,
    "closeDatabase": Part.GRANTS,
    "grant": Part.GRANTS,
    "createSchemas": Part.SCHEMAS,
    "takeSchemas": Part.SCHEMAS,
    "createExtensions": Part.EXTENSIONS,
}
"""What people may have changed by hand, by the step that mends it; every other step is always taken."""


def action(verb: str, why: str, step: Step) -> Action:
    """A step as the SPI knows it."""
    return Action(verb, why, {"step": step}, part=_PARTS.get(verb))
