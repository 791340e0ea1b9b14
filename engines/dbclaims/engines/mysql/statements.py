"""Steps as SQL. Pure: what stands here is the whole of what we say to a server that changes it.

One account per statement wherever an account is made, changed or dropped: MariaDB leaves a list half done.
"""

from __future__ import annotations

from collections.abc import Iterator

from .dialect import Dialect
from .privileges import listed
from .quoting import account, accounts, granted, identifier
from .steps import AccountChange, Regrant, Taking
from .verifier import nobodys


def create_account(dialect: Dialect, name: str, comment: str, limit: int = 0) -> str:
    """Make an account, locked, marked, and with a password that nobody knows.

    Never IF NOT EXISTS, which answers OK to another's account and keeps the other's mark.
    """
    return f"CREATE USER {account(name)} {dialect.locked(comment, verifier=nobodys(), limit=limit)}"


def lock(dialect: Dialect, name: str, comment: str, limit: int | None = None) -> str:
    """Forbid further sessions, and write the account's mark."""
    return f"ALTER USER {account(name)} {dialect.locked(comment, limit=limit)}"


def create_database(name: str) -> str:
    """Make a database; the character set by name, since an old MariaDB would take latin1."""
    return f"CREATE DATABASE {identifier(name)} CHARACTER SET utf8mb4"


def drop_database(name: str) -> str:
    """End a database."""
    return f"DROP DATABASE IF EXISTS {identifier(name)}"


def writable(name: str) -> str:
    """Undo what a login may have done to its own database: ALTER DATABASE … READ ONLY stops our DROP."""
    return f"ALTER DATABASE {identifier(name)} READ ONLY = 0"


def drop_account(name: str) -> str:
    """Remove an account."""
    return f"DROP USER IF EXISTS {account(name)}"


def grant(step: Regrant, spelling: str) -> str:
    """Give a preset to accounts, by the spelling that the server reads now."""
    return f"GRANT {listed(step.privileges)} ON {granted(spelling)}.* TO {accounts(step.accounts)}"


def revoke(taking: Taking) -> str:
    """Take privileges; REVOKE wants the spelling of the GRANT."""
    return f"REVOKE {listed(taking.privileges)} ON {granted(taking.spelling)}.* FROM {account(taking.account)}"


def change(dialect: Dialect, step: AccountChange) -> Iterator[str]:
    """Mend an account, or let it in, in one statement where the server allows it."""
    clauses = [*_clauses(dialect, step)]
    if clauses:
        yield f"ALTER USER {account(step.name)} {' '.join(clauses)}"
    if step.discard:
        yield f"ALTER USER {account(step.name)} DISCARD OLD PASSWORD"


def _clauses(dialect: Dialect, step: AccountChange) -> Iterator[str]:
    if step.verifier is not None:
        yield dialect.identified(step.verifier)
    if step.free or step.unlock:
        yield "REQUIRE NONE"
    if step.limit is not None:
        yield f"WITH MAX_USER_CONNECTIONS {step.limit}"
    if step.verifier is not None:
        # Somebody's default_password_lifetime would expire our logins.
        yield "PASSWORD EXPIRE NEVER"
    if step.unlock:
        yield "ACCOUNT UNLOCK"


def opened_for_us(dialect: Dialect, name: str, verifier: str) -> str:
    """Let nobody but us log in as an account that is being closed, whatever its limit (see `sessions.end`)."""
    return (
        f"ALTER USER {account(name)} {dialect.identified(verifier)} REQUIRE NONE "
        "WITH MAX_USER_CONNECTIONS 0 PASSWORD EXPIRE NEVER ACCOUNT UNLOCK"
    )
