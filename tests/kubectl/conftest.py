"""Somebody at the command line, in a world with a claim that is Ready."""

from __future__ import annotations

import os

import pytest

from dbclaims.core.clock import Clock
from dbclaims.core.kubectl.cluster import ClusterHome
from dbclaims.core.kubectl.leaks import of_environment
from tests.commands.conftest import empty as empty
from tests.commands.conftest import examples as examples
from tests.commands.conftest import served as served
from tests.integration.conftest import api_server as api_server
from tests.integration.conftest import everywhere as everywhere
from tests.integration.conftest import live as live
from tests.integration.conftest import new_world as new_world
from tests.integration.conftest import scope as scope
from tests.integration.conftest import world as world
from tests.integration.world import World

from .terminal import Said, on_terminal, piped

FOREIGN = ("KUBECONFIG", "NO_COLOR", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "KUBERNETES_SERVICE_HOST")
"""Variables of this machine that would play a part."""


class Person:
    """Types verbs; which user of the API server it is, is chosen once."""

    def __init__(self, world: World, user: str = "admin") -> None:
        self.world, self.user = world, user
        self.clock: Clock = world.clock

    def says(self, *arguments: str) -> Said:
        """Run a verb in a pipe; the namespace is `shop` unless the arguments name one."""
        return piped(self._whole(arguments), ClusterHome, self.clock)

    def sees(self, *arguments: str) -> Said:
        """Run a verb on a terminal."""
        return on_terminal(self._whole(arguments), ClusterHome, self.clock)

    def _whole(self, arguments: tuple[str, ...]) -> list[str]:
        place = () if {"-n", "-A"} & set(arguments) else ("-n", self.world.named("shop"))
        return ["--kubeconfig", str(self.world.cluster.kubeconfig(self.user)), *place, *arguments]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*FOREIGN, *(name for name in os.environ if of_environment({name: "value"}))):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def person(live: World) -> Person:
    """An admin of the cluster, in a world with the claim `orders`."""
    return Person(live)
