"""A database on a real server, as a claim wishes it, and the core's loop over it."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

from dbclaims.core.converge import armed, converge
from dbclaims.core.naming import accounts, owner_role, role_names
from dbclaims.core.plugins import Engine
from dbclaims.core.spi import (
    HELD,
    Access,
    Account,
    Credentials,
    Database,
    DatabaseRef,
    DatabaseSpec,
    Feature,
    Installation,
    Login,
    Mark,
    Plan,
    Probe,
    Verdict,
)

from .harness import EngineBackend, EngineHarness, Run
from .recorder import Recorder

_ROUNDS = 4
"""More rounds than any plan needs (`dbclaims.core.converge`)."""

_numbers = itertools.count(1)


def installation() -> Installation:
    """A new installation."""
    return Installation(f"c{secrets.token_hex(4)}", secrets.token_bytes(32))


@attrs.define(kw_only=True)
class DatabaseDriver:
    """One claim: its database, its owner's login and the logins of its RoleClaims.

    Attributes:
        name: the database's; new in every test.
        armed: whether each of the owner's accounts may log in; None leaves it.
        further: logins of RoleClaims.
        nsuid: uid of the claim's namespace.
    """

    engine: Engine
    harness: EngineHarness
    backend: EngineBackend
    recorder: Recorder
    installation: Installation = attrs.field(factory=installation)
    session: Any = None
    identity: str | None = None
    name: str = attrs.field(factory=lambda: f"conf{next(_numbers)}{secrets.token_hex(3)}")
    claim: str = "orders"
    nsuid: str = "uid-of-shop"
    uid: str = "uid-1"
    state: str = HELD
    armed: tuple[bool | None, bool | None] = (True, None)
    schemas: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    further: tuple[Login, ...] = ()
    limit: int | None = None
    adopt: bool = False
    password: str = attrs.field(factory=lambda: secrets.token_urlsafe(24), repr=False)

    def __attrs_post_init__(self) -> None:
        """Open a session, and hold the server."""
        self.recorder.guard(self.backend.admin.password, self.password)
        if Feature.SCHEMAS in self.engine.info.features and not self.schemas:
            self.schemas = ("app",)
        if self.session is None:
            self.reopen()
        if self.identity is None:
            self.identity = self.engine.hold(self.session, secrets.token_hex(8))

    def reopen(self, **changes: Any) -> None:
        """Make a new session, as a process that was started again does; `changes` are arguments of `engine_open`."""
        self.close()
        given = {"endpoint": self.backend.endpoint, "admin": self.backend.admin, "traits": self.backend.traits}
        self.session = self.engine.open(**{**given, "installation": self.installation, "slots": 3, **changes})

    def close(self) -> None:
        """Close the session."""
        if self.session is not None and self.engine.has("engine_close"):
            self.engine.close(self.session)
        self.session = None

    # --- what is wished -----------------------------------------------------------------------------------------

    @property
    def owner(self) -> str:
        """The role that owns what is inside."""
        return owner_role(self.name, self.engine.info)

    @property
    def accounts(self) -> tuple[str, str]:
        """The owner's two accounts."""
        return accounts(self.name, self.engine.info)

    @property
    def ref(self) -> DatabaseRef:
        """What the core asks about."""
        names = [*self.accounts]
        for login in self.further:
            names += [login.role, *(account.name for account in login.accounts)]
        return DatabaseRef(self.name, self.owner, tuple(dict.fromkeys(names)), self.identity)

    @property
    def mark(self) -> Mark:
        """Whose it is to be."""
        return Mark(self.installation.id, "DatabaseClaim", self.nsuid, "shop", self.claim, self.uid, self.state)

    def wish(self, **verifiers: str) -> DatabaseSpec:
        """The claim as it stands; `a` and `b` are verifiers to set on the owner's accounts."""
        first, second = self.accounts
        pair = (
            Account(first, self.armed[0], verifiers.get("a")),
            Account(second, self.armed[1], verifiers.get("b")),
        )
        own = Login(self.owner, pair, connection_limit=self.limit)
        further = tuple(attrs.evolve(each, mark=each.mark and self._stated(each.mark)) for each in self.further)
        return DatabaseSpec(self.ref, self.mark, (own, *further), self.schemas, self.extensions, self.adopt)

    def _stated(self, mark: Mark) -> Mark:
        return attrs.evolve(mark, state=self.state)

    def verifier(self, account: str, password: str | None = None) -> str:
        """What the server is to store for a password, the claim's own if none is given."""
        made = self.engine.verifier(Credentials(account, password or self.password))
        self.recorder.guard(made, password or self.password)
        return made

    def role_claim(self, access: Access, *, name: str = "bi") -> tuple[str, str]:
        """Add a RoleClaim with this access and return its accounts; the first has the claim's password."""
        role, pair = role_names(self.name, self.nsuid, name, self.engine.info)
        mark = Mark(self.installation.id, "RoleClaim", self.nsuid, "shop", name, "uid-2")
        login = Login(
            role,
            (Account(pair[0], True, self.verifier(pair[0])), Account(pair[1])),
            dict.fromkeys(self.schemas or ("public",), access),
            mark=mark,
        )
        self.further = (*(each for each in self.further if each.role != role), login)
        return pair

    # --- the loop -----------------------------------------------------------------------------------------------

    def observe(self) -> Database | None:
        """Look, outside of the lock."""
        return self.engine.observe(self.session, self.ref)

    def look(self) -> Database:
        """Look, and expect something."""
        observed = self.observe()
        assert observed is not None, "engine_observe answers None although something is there"
        return observed

    def converge(self, desired: DatabaseSpec | None, *, deep: bool = False) -> None:
        """The core's own loop under the lock; with `deep` a login has looked inside before."""
        contents = self.probe().contents if deep else None
        with self.engine.lock(self.session, self.ref) as session:
            converge(self.engine, session, self.ref, desired, contents)

    def create(self) -> None:
        """Make the claim real, with its password on the first account."""
        self.converge(self.wish(a=self.verifier(self.accounts[0])))
        self.further = armed(self.wish()).logins[1:]

    def drop(self) -> None:
        """End the database."""
        self.converge(None)

    def plan(self) -> Plan:
        """What is left to do, after a login has looked inside."""
        contents = self.probe().contents
        return self.engine.plan(armed(self.wish()), attrs.evolve(self.look(), contents=contents))

    def steps(self, desired: DatabaseSpec | None, *, repeat: bool = False) -> Iterator[str]:
        """The loop one action at a time, each in a lock of its own; verbs are yielded when they are applied.

        With `repeat` each action is applied twice. Raises `AssertionError` when the plan never becomes empty.
        """
        plan: Plan = ()
        for _ in range(_ROUNDS):
            plan = self.engine.plan(desired, self.observe())
            if not plan:
                return
            for action in plan:
                with self.engine.lock(self.session, self.ref) as session:
                    for _ in range(1 + repeat):
                        self.engine.apply(session, self.ref, action)
                yield action.verb
            desired = armed(desired) if desired else None
        raise AssertionError(f"the plan is not empty after {_ROUNDS} rounds: {[action.verb for action in plan]}")

    # --- as an application --------------------------------------------------------------------------------------

    def secret(
        self, account: str | None = None, *, password: str | None = None, database: str | None = None
    ) -> Mapping[str, str]:
        """What is published for an account."""
        login = Credentials(account or self.accounts[0], password or self.password)
        return self.engine.connection(self.backend.endpoint, database or self.name, login, None)

    @contextmanager
    def login(self, account: str | None = None, **changes: str) -> Iterator[Run]:
        """Log in with a published Secret."""
        with self.backend.login(self.secret(account, **changes)) as run:
            yield run

    def probe(self, account: str | None = None, password: str | None = None) -> Probe:
        """Log in as the core does before it publishes."""
        login = Credentials(account or self.accounts[0], password or self.password)
        return self.engine.probe(self.session, self.ref, login)

    def require_working(self, account: str | None = None) -> None:
        """The Secret logs in, acts as the owner (or as itself, where the engine knows no roles), and all is in sync."""
        probe = self.probe(account)
        assert probe.verdict is Verdict.ACCEPTED, f"the published login is not accepted: {probe.message}"
        assert probe.acts_as in (None, self.owner), f"the login acts as {probe.acts_as!r} and not as the owner"
        with self.login(account) as run:
            run("SELECT 1")
        left = [f"{action.verb}: {action.why}" for action in self.plan()]
        assert not left, f"the database is not in sync: {left}"

    def refused(self, run: Run, statement: str) -> bool:
        """Whether the server refuses a statement."""
        try:
            run(statement)
        except self.backend.refusal:
            return True
        return False

    @contextmanager
    def outage(self) -> Iterator[None]:
        """The server is away."""
        with self.recorder.unread(), self.backend.outage():
            yield


Make = Callable[..., DatabaseDriver]
"""Makes a claim; `like` gives it the installation of another."""
