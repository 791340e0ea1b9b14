"""One database brought to what is wished: observe, plan, apply, until the plan is empty."""

from __future__ import annotations

from collections.abc import Container

import attrs

from .plugins import Engine
from .spi import Action, Contents, Database, DatabaseRef, DatabaseSpec, Login, Plan, Transient

_ROUNDS = 4
"""A plan that is not empty after so many rounds is no plan that ends."""


def plan(
    engine: Engine,
    desired: DatabaseSpec | None,
    observed: Database | None,
    contents: Contents | None,
    held: Container[Action] = (),
) -> Plan:
    """What is to be done.

    Args:
        contents: what a login saw inside, None while nobody has looked.
        held: steps to leave alone.
    """
    steps = engine.plan(desired, attrs.evolve(observed, contents=contents) if observed else None)
    return tuple(step for step in steps if step not in held)


def converge(
    engine: Engine,
    session: object,
    ref: DatabaseRef,
    desired: DatabaseSpec | None,
    contents: Contents | None = None,
    held: Container[Action] = (),
) -> Database | None:
    """Apply plans until there is nothing left to do but what is held; return what was observed last.

    `session` is the one that `Engine.lock` gave. `contents` counts for the first round only: afterwards nobody has
    looked. Raises `SPIError`.
    """
    for _ in range(_ROUNDS):
        observed = engine.observe(session, ref)
        actions = plan(engine, desired, observed, contents, held)
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
