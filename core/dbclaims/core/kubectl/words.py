"""The kinds by the names that people type, and the names that stand in kubectl's answers.

Said once more than in `dbclaims.core.api.kinds`, whose models `list` has no time to import; a test compares them.
"""

from __future__ import annotations

from typing import NamedTuple

GROUP, VERSION = "dbclaims.io", "v1alpha1"


class Word(NamedTuple):
    """One kind as people name it."""

    kind: str
    plural: str
    short: tuple[str, ...]
    namespaced: bool = True

    @property
    def singular(self) -> str:
        """What stands before the slash in kubectl's answers."""
        return self.kind.lower()

    def named(self, name: str) -> str:
        """An object as kubectl names it: `databaseclaim.dbclaims.io/orders`."""
        return f"{self.singular}.{GROUP}/{name}"


CLAIM = Word("DatabaseClaim", "databaseclaims", ("dbclaim", "dbc", "claim"))
ROLE = Word("RoleClaim", "roleclaims", ("dbrole", "role"))
GRANT = Word("ClaimGrant", "claimgrants", ("dbgrant", "grant"))
CLASS = Word("DatabaseClass", "databaseclasses", ("dbclass", "class"), namespaced=False)
SERVER = Word("DatabaseServer", "databaseservers", ("dbserver", "server"))
WORDS = (CLAIM, ROLE, GRANT, CLASS, SERVER)


def word(text: str) -> Word | None:
    """The kind that somebody means, or None."""
    plain = text.lower().removesuffix(f".{GROUP}")
    return next((each for each in WORDS if plain in (each.singular, each.plural, *each.short)), None)


def addressed(text: str) -> tuple[Word, str]:
    """`NAME` or `KIND/NAME` as kind and name; raises `ValueError` for a kind that is none of ours."""
    kind, slash, name = text.rpartition("/")
    found = word(kind) if slash else CLAIM
    if found is None or not name:
        raise ValueError(
            f'"{text}" names no object; write NAME, or one of {", ".join(w.singular for w in WORDS)} and /NAME'
        )
    return found, name
