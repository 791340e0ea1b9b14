"""One claim on one server, and the little of the core that the engine's tests need: observe, plan, apply, probe."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import attrs
import psycopg

from dbclaims.core.spi import (
    HELD,
    TLS,
    Access,
    Account,
    Action,
    Credentials,
    DatabaseRef,
    DatabaseSpec,
    Endpoint,
    Installation,
    Login,
    Mark,
    Probe,
)
from dbclaims.engines import postgres as engine
from dbclaims.engines.postgres.observe import PostgresDatabase
from dbclaims.engines.postgres.session import Session
from tests.servers.postgres import PostgresServer

PASSES = 4
"""More than any plan needs; one that is not empty by then never will be."""


def installation() -> Installation:
    """A new installation."""
    return Installation(f"t{secrets.token_hex(4)}", secrets.token_bytes(32))


def open_session(
    server: PostgresServer | Endpoint,
    admin: Credentials,
    ours: Installation | None = None,
    *,
    slots: int = 3,
    traits: Mapping[str, str] = MappingProxyType({}),
) -> Session:
    """A session of the engine, with verify-full where a server is given; of a new installation where none is."""
    if isinstance(server, PostgresServer):
        server = Endpoint(server.host, server.port, TLS(ca=server.ca_file.read_text()))
    ours = ours or installation()
    return engine.engine_open(endpoint=server, admin=admin, traits=traits, installation=ours, slots=slots)


@attrs.define
class World:
    """A claim `name` on a server; `a` and `b` are its owner's accounts."""

    server: PostgresServer
    session: Session
    name: str
    schemas: tuple[str, ...] = ("app",)
    extensions: tuple[str, ...] = ()
    further: tuple[Login, ...] = ()
    limit: int | None = 5
    adopt: bool = False
    state: str = HELD
    nsuid: str = "ns-1"
    uid: str = "uid-1"
    identity: str | None = None
    password: str = attrs.field(factory=lambda: secrets.token_urlsafe(24))
    armed: tuple[bool | None, bool | None] = (True, None)

    @property
    def a(self) -> str:
        """The first account."""
        return f"{self.name}_a"

    @property
    def b(self) -> str:
        """The second account."""
        return f"{self.name}_b"

    @property
    def owner(self) -> str:
        """The owner role that we would make."""
        return f"{self.name}_owner"

    @property
    def ref(self) -> DatabaseRef:
        """What the core asks about."""
        names = [self.a, self.b]
        for login in self.further:
            names += [login.role, *(account.name for account in login.accounts)]
        return DatabaseRef(self.name, self.owner, tuple(dict.fromkeys(names)), self.identity)

    @property
    def mark(self) -> Mark:
        """Whose the database is to be."""
        ours = self.session.installation.id
        return Mark(ours, "DatabaseClaim", self.nsuid, "shop", self.name.encode().hex(), self.uid, self.state)

    def spec(self, verifier: str | None = None) -> DatabaseSpec:
        """What is wished; `verifier` goes to account a."""
        first = Account(self.a, self.armed[0], verifier)
        login = Login(self.owner, (first, Account(self.b, self.armed[1])), connection_limit=self.limit)
        further = tuple(attrs.evolve(login, mark=login.mark and self._state(login.mark)) for login in self.further)
        return DatabaseSpec(self.ref, self.mark, (login, *further), self.schemas, self.extensions, self.adopt)

    def _state(self, mark: Mark) -> Mark:
        return attrs.evolve(mark, state=self.state)

    def create(self) -> None:
        """Make it real, with the password on account a."""
        self.converge(self.spec(self.verifier(self.a)))

    def verifier(self, account: str) -> str:
        """The verifier of the claim's password."""
        return engine.engine_verifier(login=Credentials(account, self.password))

    def observe(self) -> PostgresDatabase | None:
        """Look, outside of the lock."""
        return engine.engine_observe(session=self.session, ref=self.ref)

    def look(self) -> PostgresDatabase:
        """Look, and expect something."""
        found = self.observe()
        assert found is not None
        return found

    def deep(self) -> PostgresDatabase:
        """Look, inside too, as the core does after a probe."""
        return attrs.evolve(self.look(), contents=self.probe().contents)

    def lasting(self) -> PostgresDatabase:
        """What stands, inside too, without the open sessions: that of a closed connection ends a moment later."""
        found = self.deep()
        roles = {name: attrs.evolve(role, sessions=0) for name, role in found.roles.items()}
        return attrs.evolve(found, roles=roles)

    def plan(self, spec: DatabaseSpec | None, observed: PostgresDatabase | None) -> tuple[Action, ...]:
        """Decide."""
        return engine.engine_plan(desired=spec, observed=observed)

    def converge(self, spec: DatabaseSpec | None, *, deep: bool = False) -> list[str]:
        """Repeat the loop under the lock until the plan is empty; return the verbs."""
        verbs: list[str] = []
        with engine.engine_lock(session=self.session, ref=self.ref) as session:
            for _ in range(PASSES):
                observed = engine.engine_observe(session=session, ref=self.ref)
                if deep and observed is not None:
                    observed = attrs.evolve(observed, contents=self.probe().contents)
                actions = engine.engine_plan(desired=spec, observed=observed)
                if not actions:
                    return verbs
                for action in actions:
                    engine.engine_apply(session=session, ref=self.ref, action=action)
                    verbs.append(action.verb)
                spec = spec and without_verifiers(spec)
        raise AssertionError(f"never in sync: {verbs}")

    def probe(self, password: str | None = None, account: str | None = None) -> Probe:
        """Log in with the published credentials."""
        login = Credentials(account or self.a, password or self.password)
        return engine.engine_probe(session=self.session, ref=self.ref, login=login)

    @contextmanager
    def login(self, account: str | None = None, password: str | None = None) -> Iterator[psycopg.Connection[Any]]:
        """A connection as an application makes it."""
        login = Credentials(account or self.a, password or self.password)
        endpoint = self.session.endpoint
        keys = engine.engine_connection(endpoint=endpoint, database=self.name, login=login, ca_path=None)
        with psycopg.connect(keys["dsn"], sslrootcert=str(self.server.ca_file), autocommit=True) as connection:
            yield connection

    def role_claim(self, name: str, grants: dict[str, Access], *, armed: bool | None = True) -> Login:
        """Add a RoleClaim's login, with the claim's password on both of its accounts."""
        role = f"{self.name}_{name}"
        mark = Mark(self.session.installation.id, "RoleClaim", self.nsuid, "bi", name, "uid-2")
        accounts = (
            Account(f"{role}_a", armed, self.verifier(f"{role}_a")),
            Account(f"{role}_b"),
        )
        login = Login(role, accounts, grants, connection_limit=self.limit, mark=mark)
        self.further = (*(other for other in self.further if other.role != role), login)
        return login


def without_verifiers(spec: DatabaseSpec) -> DatabaseSpec:
    """The same wish with no password to set: the core asks for one until it was applied."""
    return attrs.evolve(spec, logins=tuple(_silent(login) for login in spec.logins))


def _silent(login: Login) -> Login:
    first, second = (attrs.evolve(account, verifier=None) for account in login.accounts)
    return attrs.evolve(login, accounts=(first, second))
