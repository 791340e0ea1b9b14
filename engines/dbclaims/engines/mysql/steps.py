"""What a plan is made of: each step says what is to be true afterwards; `statements` says it in SQL."""

from __future__ import annotations

import attrs

from dbclaims.core.spi import Action, Part


@attrs.frozen
class MarkRole:
    """Write the mark of the owner or of a RoleClaim's role on its account, which nobody logs in with.

    Attributes:
        create: whether the account is missing.
    """

    role: str
    comment: str
    create: bool = False


@attrs.frozen
class CreateDatabase:
    """Make the database, empty."""


@attrs.frozen
class NewAccount:
    """An account to make: locked, and marked."""

    name: str
    comment: str
    limit: int


@attrs.frozen
class CreateAccounts:
    """Make accounts that nobody can log in with yet."""

    accounts: tuple[NewAccount, ...]


@attrs.frozen
class Taking:
    """Privileges to take from one account, under the spelling by which they were given."""

    account: str
    spelling: str
    privileges: frozenset[str]


@attrs.frozen
class Regrant:
    """Give the privileges to the accounts, then take what is too much: nobody is without rights in between."""

    accounts: tuple[str, ...]
    privileges: frozenset[str]
    takings: tuple[Taking, ...] = ()


@attrs.frozen
class AccountChange:
    """What to change about one account.

    Attributes:
        verifier: to set; None leaves the password.
        unlock: whether it may log in from now on.
        limit: connections to allow, 0 for no limit; None leaves it.
        free: whether it demands something of its clients that it must not.
        discard: whether an older password still lets it in.
    """

    name: str
    verifier: str | None = attrs.field(default=None, repr=False)
    unlock: bool = False
    limit: int | None = None
    free: bool = False
    discard: bool = False


@attrs.frozen
class ChangeLogin:
    """Mend accounts, or let them in."""

    accounts: tuple[AccountChange, ...]


@attrs.frozen
class Closing:
    """An account to lock.

    Attributes:
        comment: its mark, which MariaDB keeps on locked accounts only.
        limit: the connections that it is allowed.
    """

    name: str
    comment: str
    limit: int = 0


@attrs.frozen
class Close:
    """Lock accounts and end their sessions."""

    accounts: tuple[Closing, ...]


@attrs.frozen
class DropDatabase:
    """End the database."""


@attrs.frozen
class DropLogin:
    """Remove a login from a database that stays.

    An account that defines something in it (a view, a routine, a trigger, an event) is stripped and kept locked, or
    what it defines would break.

    Attributes:
        accounts: locked already, each with the mark to keep it under.
        role: the account that carries the login's mark; None where it is the owner's.
    """

    accounts: tuple[Closing, ...]
    takings: tuple[Taking, ...] = ()
    role: str | None = None


@attrs.frozen
class DropAccounts:
    """Remove accounts of a database that is gone, in this order."""

    names: tuple[str, ...]


Step = (
    MarkRole | CreateDatabase | CreateAccounts | Regrant | ChangeLogin | Close | DropDatabase | DropLogin | DropAccounts
)


_PARTS = {"createLogin": Part.LOGIN, "changeLogin": Part.LOGIN, "grant": Part.GRANTS}
"""What people may have changed by hand, by the step that mends it; every other step is always taken."""


def action(verb: str, why: str, step: Step) -> Action:
    """A step as the SPI knows it."""
    return Action(verb, why, {"step": step}, part=_PARTS.get(verb))
