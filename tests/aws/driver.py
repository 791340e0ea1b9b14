"""The provider as the core calls it, on the double: look, plan, take the first step that is allowed, let time pass."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import attrs

from dbclaims.conformance.doubles.rds import RdsDouble
from dbclaims.core.config import structure_config
from dbclaims.core.plugins import Provider, load
from dbclaims.core.spi import Action, Credentials, NotReady, Plan, Server, ServerRef, ServerSpec, Transient
from dbclaims.providers.aws import names
from dbclaims.providers.aws.session import Session

REF = ServerRef("platform", "orders", "uid-of-platform", "inst")
ADMIN = Credentials("dbclaims", "first-password-of-the-admin")
SPEC = ServerSpec(REF, "postgres", version="17", size="micro", admin=ADMIN)
AURORA: Mapping[str, Any] = {"aurora": {"serverless": {"minCapacity": "0.5", "maxCapacity": "4"}}}

ROUNDS = 200


class Driver:
    """One server's session with the provider.

    Attributes:
        taken: the verbs of the steps so far.
    """

    def __init__(self, double: RdsDouble, config: Mapping[str, Any] | None = None, ref: ServerRef = REF) -> None:
        self.double, self.ref = double, ref
        self.provider = _provider()
        self.taken: list[str] = []
        self._open(config)

    @property
    def identifier(self) -> str:
        """The server's name at AWS."""
        return names.identifier(self.ref)

    @property
    def client(self) -> Any:
        """boto3's own client, for what a stranger does in the account."""
        assert isinstance(self.session, Session)
        return self.session.fleet.client

    def reopen(self, config: Mapping[str, Any] | None = None) -> None:
        """A new session, as after an edit of `spec.config`."""
        self.close()
        self._open(config)

    def close(self) -> None:
        """End the session."""
        self.provider.close(self.session)

    def observe(self) -> Server | None:
        """Look."""
        return self.provider.observe(self.session, self.ref)

    def seen(self) -> Server:
        """Look at a server that is there."""
        server = self.observe()
        assert server is not None
        return server

    def plan(self, spec: ServerSpec | None = SPEC) -> Plan:
        """Look and decide."""
        return self.provider.plan(spec, self.observe())

    def verbs(self, spec: ServerSpec | None = SPEC) -> list[str]:
        """What would be done; `!` is behind what interrupts clients."""
        return [action.verb + ("!" if action.disruptive else "") for action in self.plan(spec)]

    def apply(self, action: Action) -> None:
        """Take one step."""
        self.taken.append(action.verb)
        self.provider.apply(self.session, self.ref, action)

    def step(self, spec: ServerSpec | None = SPEC, *, approved: bool = False) -> bool:
        """Take the first step that is allowed, if there is one; what goes wrong by the way is left for later."""
        for action in self.plan(spec):
            if approved or not action.disruptive or spec is None:
                try:
                    self.apply(action)
                except (NotReady, Transient):
                    return False
                return True
        return False

    def converge(self, spec: ServerSpec | None = SPEC, *, approved: bool = False) -> Server | None:
        """Go on until nothing is left to do and the server rests, or is gone; its last look."""
        for _ in range(ROUNDS):
            if self.step(spec, approved=approved):
                continue
            server = self.observe()
            if server is None or (spec is not None and self._rests(spec, server, approved=approved)):
                return server
            self.double.tick(30)
        raise AssertionError(f"not settled after {ROUNDS} rounds: {self.verbs(spec)}")

    def _rests(self, spec: ServerSpec, server: Server, *, approved: bool) -> bool:
        """Whether a server is as it is to be, but for steps that wait for leave."""
        waiting = [action for action in self.provider.plan(spec, server) if approved or not action.disruptive]
        return server.ready and server.poll_after is None and not waiting

    def made(self, spec: ServerSpec = SPEC) -> Server:
        """A server that rests as wished."""
        server = self.converge(spec)
        assert server is not None
        assert server.ready
        return server

    def record(self) -> dict[str, Any]:
        """AWS's record of the instance or cluster."""
        tables = self.double.account.tables
        return (tables["instances"] | tables["clusters"])[self.identifier]

    def _open(self, config: Mapping[str, Any] | None) -> None:
        assert self.provider.info.config is not None
        block = {"region": "eu-central-1", **(config or {})}
        self.session = self.provider.open(structure_config(self.provider.info.config, block), _no_secret)


@lru_cache
def _provider() -> Provider:
    """The provider, loaded once: what it knows of a server is in the session."""
    return load().providers["aws"]


def wish(**changes: Any) -> ServerSpec:
    """The usual wish with changes."""
    return attrs.evolve(SPEC, **changes)


def _no_secret(name: str) -> Mapping[str, str]:
    raise NotReady(f"there is no Secret {name}")
