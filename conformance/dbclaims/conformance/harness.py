"""What a plugin's author gives the suite: an empty backend, whenever a test asks for one, and a few facts about it.

A harness stands behind an entry point of the group `dbclaims.conformance` under the plugin's name, apart from the
plugin, so that no one who runs the plugin imports what only tests need.

```
HarnessError    there is no usable harness; the message is one sentence with the way out
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib.metadata import entry_points
from typing import Any, Protocol

import attrs

from dbclaims.core.spi import Credentials, Endpoint, Feature

GROUP = "dbclaims.conformance"
"""The entry points' group."""


PUBLIC = frozenset({"username", "ca.crt"})
"""Keys of a Secret whose values are no secrets."""


class HarnessError(Exception):
    """There is no usable harness for a plugin."""


class ProviderBackend(Protocol):
    """An empty, disposable place in which a provider makes servers, or one that holds the server that it reaches."""

    @property
    def config(self) -> Mapping[str, Any]:
        """`spec.config`, as somebody writes it into YAML."""

    @property
    def secrets(self) -> Mapping[str, Mapping[str, str]]:
        """The Secrets of the server's namespace, by name. Values must not show anywhere, but for those of `PUBLIC`."""

    def state(self) -> object:
        """Everything that the backend holds, as a value of its own: two are equal when nothing has changed."""

    def tick(self) -> None:
        """Let the backend's time go on by one step: what was begun comes nearer to its end."""

    def outage(self) -> AbstractContextManager[object]:
        """Make the backend fail for as long as the block runs."""


@attrs.frozen
class ProviderHarness:
    """How a provider is proved.

    Attributes:
        backend: makes a new, empty backend and removes it at the end of the block.
        engine: of the servers to ask for.
        values: what to ask for, by field of `ServerSpec`: the first is wished at creation, the second afterwards.
        deadline: ticks after which a server must be as wished.
        lacks: features that the provider declares and this kind of server has not; a wish for one is refused.
        further: other kinds of server that the provider makes, by a short name; each is proved alike.
    """

    backend: Callable[[], AbstractContextManager[ProviderBackend]]
    engine: str
    values: Mapping[str, Sequence[Any]] = attrs.field(factory=dict)
    deadline: int = 10
    lacks: frozenset[Feature] = frozenset()
    further: Mapping[str, ProviderHarness] = attrs.field(factory=dict)

    @property
    def kinds(self) -> Mapping[str, ProviderHarness]:
        """Every kind of server by its name, the first under its engine's; none where there is only one."""
        return {self.engine: self, **self.further} if self.further else {}


Run = Callable[[str], Sequence[tuple[Any, ...]]]
"""Runs one statement over an open connection and returns its rows."""


class EngineBackend(Protocol):
    """A real, disposable server. It is shared by the tests of a run, each with names of its own."""

    @property
    def endpoint(self) -> Endpoint:
        """Where the server listens, and the CA that signed for it."""

    @property
    def admin(self) -> Credentials:
        """The admin, with the least rights that the engine asks for."""

    @property
    def traits(self) -> Mapping[str, str]:
        """What a provider would say of the server."""

    @property
    def refusal(self) -> type[Exception]:
        """What the driver raises where the server refuses a login or a statement."""

    def state(self) -> object:
        """The server's databases, roles, rights, settings and marks: two are equal when nothing has changed."""

    def execute(self, statement: str) -> None:
        """Run one statement as superuser: what somebody does behind our back."""

    def login(self, secret: Mapping[str, str]) -> AbstractContextManager[Run]:
        """Log in as an application does, with nothing but a published Secret."""

    def sever(self) -> None:
        """End every session of the admin, from the server's side."""

    def outage(self) -> AbstractContextManager[object]:
        """Stop the server for as long as the block runs."""


@attrs.frozen
class EngineHarness:
    """How an engine is proved.

    Statements may hold `{database}`, `{owner}`, `{account}` (the login in use) and `{other}` (its twin).

    Attributes:
        servers: by a short name, such as the version; each starts a server and removes it at the end of the block.
        attacks: statements by which an application's login may try to get at more than its own.
        damages: by what is broken, statements that a superuser runs behind our back; the next pass heals each.
        extension: one that the server has, where the engine declares extensions.
    """

    servers: Mapping[str, Callable[[], AbstractContextManager[EngineBackend]]]
    attacks: Sequence[str]
    damages: Mapping[str, Sequence[str]]
    extension: str = ""


Harness = ProviderHarness | EngineHarness


def find(plugin: str) -> Harness:
    """The harness of a plugin. Raises `HarnessError`."""
    points = entry_points(group=GROUP, name=plugin)
    if not points:
        raise HarnessError(f"plugin {plugin!r} has no harness; name one in the entry-point group {GROUP!r}")
    point = next(iter(points))
    try:
        harness = point.load()
    except (ImportError, AttributeError) as error:
        raise HarnessError(f"the harness of {plugin!r} ({point.value}) does not load: {error}") from error
    if not isinstance(harness, ProviderHarness | EngineHarness):
        raise HarnessError(f"{point.value} is no ProviderHarness and no EngineHarness; name one of these")
    return harness
