"""Worlds: each test has its own namespaces, server, class and controller, on one API server and one PostgreSQL.

The controller acts with the rights that the chart renders for the scope of `--scope`, and at a world's end the audit
log must not hold one request that these rights did not allow.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dbclaims.core.api import crds
from dbclaims.core.diagnosis import Scope
from tests.controlplane.cluster import ControlPlane
from tests.core.test_manager import until
from tests.plugins.conftest import stranger as stranger
from tests.servers.postgres import PostgresServer

from .account import Account
from .world import World

MakeWorld = Callable[..., World]

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that names its scopes in each of them, whatever `--scope` says."""
    named = metafunc.definition.get_closest_marker("scopes")
    if named:
        metafunc.parametrize("scope", named.args, indirect=True)


@pytest.fixture(scope="session")
def api_server(cluster: ControlPlane) -> ControlPlane:
    """The API server with our CRDs."""
    for crd in crds():
        assert cluster.request("POST", _CRDS, crd)[0] in (201, 409)
    until(lambda: all(_established(cluster, crd["metadata"]["name"]) for crd in crds()))
    return cluster


@pytest.fixture(scope="session")
def everywhere(api_server: ControlPlane) -> Account:
    """The account that every world's controller has in the scope `cluster`."""
    own = f"integration-{secrets.token_hex(3)}"  # tests/kubectl borrows this fixture, and so has one of its own
    assert api_server.request("POST", "/api/v1/namespaces", {"metadata": {"name": own}})[0] == 201
    return Account(api_server, Scope(own))


@pytest.fixture
def scope(request: pytest.FixtureRequest) -> str:
    """The chart's `rbac.scope`; in `namespaces` each world's controller may act in that world's alone."""
    named: str = getattr(request, "param", request.config.getoption("--scope"))
    return named


@pytest.fixture
def new_world(api_server: ControlPlane, everywhere: Account, pg: PostgresServer, scope: str) -> Iterator[MakeWorld]:
    """Return a function that makes a world, by default on the shared PostgreSQL; what its objects said is judged."""
    account = everywhere if scope == "cluster" else None
    made: list[World] = []

    def make(postgres: PostgresServer | None = None, **options: Any) -> World:
        made.append(World(api_server, postgres or pg, shared=postgres is None, account=account, **options))
        return made[-1]

    yield make
    refused = [each for world in made for each in world.refusals()]
    for world in made:
        world.close()
    assert [each for world in made for each in world.chronicle.wrong] == []
    assert refused == []


@pytest.fixture
def world(new_world: MakeWorld) -> World:
    """A world with nothing in it."""
    return new_world()


@pytest.fixture
def live(world: World) -> World:
    """A world with a claim `orders` that is Ready."""
    world.offer()
    world.claim(schemas=["app"])
    world.settle()
    assert world.is_current()
    assert world.logs_in()
    return world


def _established(cluster: ControlPlane, name: str) -> bool:
    conditions = cluster.request("GET", f"{_CRDS}/{name}")[1].get("status", {}).get("conditions", [])
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
