"""A claim of a template class of provider `aws`, on the real API server and the RDS double with a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbclaims.conformance.doubles.rds import RdsDouble
from dbclaims.core.kinds import CLAIM, CLASS, SERVER
from dbclaims.providers.aws import fleet
from tests.aws.world import server_spec
from tests.servers.farm import PostgresFarm

from .conftest import MakeWorld
from .world import ROTATION, World


class Cloud:
    """A world of the API server with AWS beside it; their clocks move together."""

    def __init__(self, world: World, double: RdsDouble, farm: PostgresFarm, folder: Path) -> None:
        self.world, self.double = world, double
        self.ca_file = folder / "ca.crt"
        self.ca_file.write_text(farm.bundle)
        world.put_secret("rds-ca", **{"ca.crt": farm.bundle})
        template = {
            "namespace": world.named("platform"),
            **server_spec(),
            "size": "micro",
            "deletionPolicy": "Snapshot",
        }
        world.create(CLASS, world.named("own"), {"template": template, "rotation": ROTATION})

    @property
    def server(self) -> str:
        """The name of the claim's DatabaseServer."""
        return f"{self.world.named('shop')}.orders"

    def pass_time(self, seconds: float, steps: int) -> None:
        """Let time pass for both."""
        for _ in range(steps):
            self.double.tick(seconds / steps)
            self.world.pass_time(seconds / steps)

    def psql(self, statement: str) -> str:
        """What psql answers with the claim's Secret."""
        uri, environment = self.world.secret()["uri"], {**os.environ, "PGSSLROOTCERT": str(self.ca_file)}
        done = subprocess.run(["psql", uri, "-Atc", statement], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def states(self) -> list[str]:
        """The states of all instances."""
        return [str(each["DBInstanceStatus"]) for each in self.double.account.tables["instances"].values()]


@pytest.fixture
def cloud(new_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """A world with the RDS double."""
    for name, value in {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "never-to-be-seen"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with PostgresFarm() as farm, RdsDouble(farm) as double:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", double.url)
        world = new_world()
        monkeypatch.setattr(fleet, "monotonic", world.clock.monotonic)
        yield Cloud(world, double, farm, tmp_path)
        assert double.control.log(lambda request: request.outcome == "NotImplemented") == []


def test_a_claims_life_on_a_server_of_its_own(cloud: Cloud) -> None:
    world = cloud.world
    world.create(CLAIM, "orders", {"className": world.named("own"), "deletionPolicy": "Delete"})
    world.settle()
    assert cloud.states() == ["creating"]
    world.restart()
    cloud.pass_time(320, 8)
    assert cloud.states() == ["backing-up"]
    world.restart()
    cloud.pass_time(120, 4)
    assert world.is_current()
    assert cloud.psql("SELECT current_user") == f"{world.get(CLAIM, 'orders')['status']['databaseName']}_owner"

    world.edit(SERVER, cloud.server, "platform", storageGiB=100, size="large")
    world.settle()
    assert cloud.states() == ["modifying"]
    world.restart()
    cloud.pass_time(120, 4)
    (waiting,) = world.get(SERVER, cloud.server, "platform")["status"]["pending"]
    assert (waiting["action"], waiting["waitsFor"]) == ("resize", "approval")
    world.annotate(
        SERVER, cloud.server, "platform", approve=world.get(SERVER, cloud.server, "platform")["status"]["pendingHash"]
    )
    world.settle()
    cloud.pass_time(180, 6)
    (record,) = cloud.double.account.tables["instances"].values()
    assert (record["DBInstanceClass"], record["AllocatedStorage"]) == ("db.m7g.large", 100)
    assert cloud.psql("SELECT 1") == "1"

    world.delete(CLAIM, "orders")
    cloud.pass_time(60, 6)
    assert cloud.states() == ["deleting"]
    world.restart()
    cloud.pass_time(240, 8)
    assert world.find(CLAIM, "orders") is None
    assert world.find(SERVER, cloud.server, "platform") is None
    assert cloud.states() == []
    assert len(cloud.double.account.tables["snapshots"]) == 1
