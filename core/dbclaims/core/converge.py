"""One database brought to what is wished: observe, plan, apply, until the plan is empty."""

from __future__ import annotations

import attrs

from .plugins import Engine
from .spi import Contents, Database, DatabaseRef, DatabaseSpec, Login, Plan, Transient

_ROUNDS = 4
"""A plan that is not empty after so many rounds is no plan that ends."""


def plan(engine: Engine, desired: DatabaseSpec | None, observed: Database | None, contents: Contents | None) -> Plan:
    """What is to be done; `contents` is what a login saw inside, None while nobody has looked."""
    return engine.plan(desired, attrs.evolve(observed, contents=contents) if observed else None)


def converge(
    engine: Engine, session: object, ref: DatabaseRef, desired: DatabaseSpec | None, contents: Contents | None = None
) -> Database | None:
    """Apply plans until there is nothing left to do; return what was observed last.

    `session` is the one that `Engine.lock` gave. `contents` counts for the first round only: afterwards nobody has
    looked. Raises `SPIError`.
    """
    for _ in range(_ROUNDS):
        observed = engine.observe(session, ref)
        actions = plan(engine, desired, observed, contents)
        if not actions:
            return observed
        for action in actions:
            engine.apply(session, ref, action)
        contents = None
        desired = armed(desired) if desired else None
    verbs = ", ".join(action.verb for action in actions)
    raise Transient(f"database {ref.name} is not as it should be after {_ROUNDS} rounds: {verbs}", reason="NotSettled")


def armed(desired: DatabaseSpec) -> DatabaseSpec:
    """The wish after its passwords have been set: a verifier cannot be read back, so it is set once."""
    return attrs.evolve(desired, logins=tuple(_armed(login) for login in desired.logins))


def _armed(login: Login) -> Login:
    first, second = (attrs.evolve(account, verifier=None) for account in login.accounts)
    return attrs.evolve(login, accounts=(first, second))
