"""A class with a template: each claim gets a server of its own, from a stranger's provider and its little cloud."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dbclaims.core.kinds import CLAIM, SECRET, SERVER
from dbclaims.engines.postgres.verifier import verifier
from tests.conftest import StartPostgres
from tests.core.test_manager import until
from tests.plugins.acme_cloud import TOKEN, AcmeCloud, acme_cloud
from tests.plugins.conftest import Stranger

from .conftest import MakeWorld
from .world import World

pytestmark = pytest.mark.scopes("cluster", "namespaces")

SOURCE = Path(__file__).parents[1] / "plugins" / "acme" / "acme_provider.py"


@pytest.fixture
def cloud() -> Iterator[AcmeCloud]:
    """The stranger's cloud."""
    with acme_cloud() as made:
        yield made


@pytest.fixture
def offering(
    new_world: MakeWorld,
    new_postgres: StartPostgres,
    stranger: Stranger,
    cloud: AcmeCloud,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    """A world whose class makes a server for each claim; the cloud's servers have a well-known authority."""
    stranger("acme-dist", "acme", SOURCE.read_text())
    postgres = new_postgres()
    monkeypatch.setenv("SSL_CERT_FILE", str(postgres.ca_file))
    world = new_world(postgres, allow=("acme-dist",))
    world.put_secret("acme", token=TOKEN)
    template = {
        "namespace": world.named("platform"),
        "provider": "acme",
        "engine": "postgres",
        "size": "small",
        "deletionPolicy": "Delete",
        "config": {"url": cloud.url, "tokenSecretName": "acme"},
    }
    world.offer_class(serverRef=None, template=template)
    return world


def _settle(world: World, cloud: AcmeCloud) -> dict[str, Any]:
    """Let the cloud finish the one server that it makes; return it."""
    ((name, made),) = cloud.servers.items()
    cloud.settle()
    cloud.servers[name] |= {"host": world.postgres.host, "port": world.postgres.port}
    admin = made["admin"]
    # As a verifier: the password itself would stand in the server's log, which is ours to keep clean.
    password = verifier(admin["password"])
    world.postgres.execute(f"CREATE ROLE {admin['username']} LOGIN CREATEROLE CREATEDB PASSWORD '{password}'")
    return made


def test_a_claim_gets_a_server_of_its_own_and_a_login_that_works(offering: World, cloud: AcmeCloud) -> None:
    offering.claim(schemas=["app"])
    offering.settle()
    offering.expect("Synced", "ServerNotReady", offering.named("platform"))
    name = f"{offering.named('shop')}.orders"
    server = offering.get(SERVER, name, "platform")
    assert server["spec"]["size"] == "small"
    assert "ownerReferences" not in server["metadata"]
    assert server["metadata"]["labels"]["dbclaims.io/owner-uid"] == offering.get(CLAIM, "orders")["metadata"]["uid"]
    _settle(offering, cloud)
    offering.pass_time(120, steps=12)
    assert offering.is_current(name, SERVER, "platform")
    assert offering.is_current(), offering.get(CLAIM, "orders")
    assert offering.logs_in()
    assert offering.get(CLAIM, "orders")["status"]["serverRef"]["name"] == name


def test_under_delete_the_server_goes_with_its_claim_by_its_own_policy(offering: World, cloud: AcmeCloud) -> None:
    offering.claim(deletionPolicy="Delete")
    offering.settle()
    _settle(offering, cloud)
    offering.pass_time(120, steps=12)
    offering.delete(CLAIM, "orders")
    offering.pass_time(60, steps=6)
    assert offering.find(CLAIM, "orders") is None
    assert [each["state"] for each in cloud.servers.values()] == ["deleting"]
    cloud.settle()
    offering.pass_time(60, steps=6)
    assert offering.find(SERVER, f"{offering.named('shop')}.orders", "platform") is None


def test_under_retain_the_server_stays_with_its_data(offering: World, cloud: AcmeCloud) -> None:
    offering.claim()
    offering.settle()
    _settle(offering, cloud)
    offering.pass_time(120, steps=12)
    secret = offering.secret()
    offering.delete(CLAIM, "orders")
    offering.pass_time(60, steps=6)
    assert offering.find(CLAIM, "orders") is None
    assert [each["state"] for each in cloud.servers.values()] == ["running"]
    assert offering.find(SERVER, f"{offering.named('shop')}.orders", "platform") is not None
    assert not offering.logs_in(secret)
    until(lambda: offering.find(SECRET, "orders") is None, 90)
    offering.claim()
    offering.pass_time(60, steps=6)
    assert offering.is_current()
    assert offering.logs_in()


def test_on_a_host_that_no_provider_ends_the_database_itself_is_dropped(world: World) -> None:
    world.put_secret("shared-admin", username=world.admin.username, password=world.admin.password)
    world.put_secret("shared-ca", **{"ca.crt": world.postgres.ca_file.read_text()})
    template = {**world.server_spec(), "namespace": world.named("platform"), "deletionPolicy": "Delete"}
    world.offer_class(serverRef=None, template=template)
    world.claim(deletionPolicy="Delete")
    world.pass_time(120, steps=12)
    assert world.is_current()
    assert len(world.databases()) == 1
    world.delete(CLAIM, "orders")
    world.pass_time(60, steps=6)
    assert world.find(CLAIM, "orders") is None
    assert world.databases() == set()
    assert world.find(SERVER, f"{world.named('shop')}.orders", "platform") is None
