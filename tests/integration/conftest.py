"""Worlds: each test has its own namespaces, server, class and controller, on one API server and one PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dbclaims.core.api import crds
from dbclaims.core.rights import rules
from tests.controlplane.cluster import ControlPlane
from tests.core.test_manager import until
from tests.plugins.conftest import stranger as stranger
from tests.servers.postgres import PostgresServer

from .world import World

MakeWorld = Callable[..., World]

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_ROLE = "integration-controller"


@pytest.fixture(scope="session")
def api_server(cluster: ControlPlane) -> ControlPlane:
    """The API server with our CRDs and a controller that has the rights it needs, and no more."""
    for crd in crds():
        assert cluster.request("POST", _CRDS, crd)[0] in (201, 409)
    until(lambda: all(_established(cluster, crd["metadata"]["name"]) for crd in crds()))
    cluster.request("POST", f"{_RBAC}/clusterroles", _role())
    cluster.request("POST", f"{_RBAC}/clusterrolebindings", _binding())
    return cluster


@pytest.fixture
def new_world(api_server: ControlPlane, pg: PostgresServer) -> Iterator[MakeWorld]:
    """Return a function that makes a world, by default on the shared PostgreSQL; what its objects said is judged."""
    made: list[World] = []

    def make(postgres: PostgresServer | None = None, **options: Any) -> World:
        made.append(World(api_server, postgres or pg, shared=postgres is None, **options))
        return made[-1]

    yield make
    for world in made:
        world.close()
    assert [each for world in made for each in world.chronicle.wrong] == []


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


def _role() -> dict[str, object]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": _ROLE},
        "rules": [rule.document() for rule in rules()],
    }


def _binding() -> dict[str, object]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": _ROLE},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": _ROLE},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "controller"}],
    }
