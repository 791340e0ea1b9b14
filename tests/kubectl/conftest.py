"""A person at the command line, in a world with a claim that is Ready."""

from __future__ import annotations

import pytest

from dbclaims.core.kubectl.cluster import ClusterHome
from tests.clock import FakeClock
from tests.integration.conftest import api_server as api_server
from tests.integration.conftest import live as live
from tests.integration.conftest import new_world as new_world
from tests.integration.conftest import world as world
from tests.integration.world import World

from .terminal import Said, on_terminal, piped


class Person:
    """Types verbs; which user of the API server it is, and in which namespace, is chosen once."""

    def __init__(self, world: World, user: str = "admin") -> None:
        self.world, self.user = world, user
        self.clock: FakeClock = world.clock

    def says(self, *arguments: str) -> Said:
        """Run a verb in a pipe; the namespace is `shop` unless the arguments name one."""
        return piped(self._whole(arguments), ClusterHome, self.clock)

    def sees(self, *arguments: str) -> Said:
        """Run a verb on a terminal."""
        return on_terminal(self._whole(arguments), ClusterHome, self.clock)

    def _whole(self, arguments: tuple[str, ...]) -> list[str]:
        place = () if {"-n", "-A"} & set(arguments) else ("-n", self.world.named("shop"))
        return ["--kubeconfig", str(self.world.cluster.kubeconfig(self.user)), *place, *arguments]


@pytest.fixture
def person(live: World, monkeypatch: pytest.MonkeyPatch) -> Person:
    """An admin of the cluster in a world with the claim `orders`; no variable of this machine plays a part."""
    for name in ("KUBECONFIG", "NO_COLOR", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "PGHOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return Person(live)
