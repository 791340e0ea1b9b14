"""Claims of template classes of `aws`, on the real API server and the RDS double with real servers behind it."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest

from dbclaims.conformance.doubles.control import Fault, Strike
from dbclaims.conformance.doubles.rds import RdsDouble
from dbclaims.core.kinds import CLAIM, CLASS, SERVER
from dbclaims.core.objectstore import Object
from dbclaims.core.spi import ServerRef
from dbclaims.providers.aws import fleet, names
from tests.aws.world import server_spec
from tests.servers.farm import ServerFarm

from .conftest import MakeWorld
from .world import ROTATION, World


class Cloud:
    """A world of the API server with AWS beside it; their clocks move together."""

    def __init__(self, world: World, double: RdsDouble, farm: ServerFarm, folder: Path) -> None:
        self.world, self.double = world, double
        self.ca_file = folder / "ca.crt"
        self.ca_file.write_text(farm.bundle)
        world.put_secret("rds-ca", **{"ca.crt": farm.bundle})

    def offer(self, config: Mapping[str, Any] | None = None, **template: Any) -> None:
        """A class whose claims get a server each, and a last snapshot of it."""
        usual = {"namespace": self.world.named("platform"), "size": "micro", "deletionPolicy": "Snapshot"}
        spec = {"template": {**server_spec(config), **usual, **template}, "rotation": ROTATION}
        self.world.create(CLASS, self.world.named("own"), spec)

    def claim(self) -> None:
        """A claim of the class, which goes with its database."""
        self.world.create(CLAIM, "orders", {"className": self.world.named("own"), "deletionPolicy": "Delete"})
        self.world.settle()

    @property
    def name(self) -> str:
        """The name of the claim's DatabaseServer."""
        return f"{self.world.named('shop')}.orders"

    @property
    def identifier(self) -> str:
        """The name that the claim's instance gets at AWS."""
        return names.identifier(ServerRef(self.world.named("platform"), self.name, "", self.world.installation.id))

    def server(self) -> Object:
        """The claim's DatabaseServer."""
        return self.world.get(SERVER, self.name, "platform")

    def pass_time(self, seconds: float, steps: int) -> None:
        """Let time pass for both."""
        for _ in range(steps):
            self.double.tick(seconds / steps)
            self.world.pass_time(seconds / steps)

    def approve(self) -> None:
        """Let what waits run now."""
        approval = self.server()["status"]["pendingHash"]
        self.world.annotate(SERVER, self.name, "platform", approve=approval)
        self.world.settle()

    def psql(self, statement: str) -> str:
        """What psql answers with the claim's Secret."""
        uri, environment = self.world.secret()["uri"], {**os.environ, "PGSSLROOTCERT": str(self.ca_file)}
        done = subprocess.run(["psql", uri, "-Atc", statement], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def mysql(self, statement: str) -> Any:
        """What a MySQL server answers to the claim's Secret: the first row."""
        secret = self.world.secret()
        opened = pymysql.connect(
            host=secret["host"],
            port=int(secret["port"]),
            user=secret["username"],
            password=secret["password"],
            database=secret["database"],
            ssl=ssl.create_default_context(cafile=str(self.ca_file)),
        )
        with closing(opened), opened.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()

    def instances(self) -> list[Object]:
        """AWS's records of all instances."""
        return list(self.double.account.tables["instances"].values())

    def states(self) -> list[str]:
        """The states of all instances."""
        return [str(each["DBInstanceStatus"]) for each in self.instances()]

    def is_gone(self) -> bool:
        """Whether neither claim nor server are left, in the cluster and at AWS."""
        objects = self.world.find(CLAIM, "orders"), self.world.find(SERVER, self.name, "platform")
        return objects == (None, None) and self.instances() == []


@pytest.fixture
def cloud(new_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """A world with the RDS double."""
    for name, value in {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "never-to-be-seen"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with ServerFarm() as farm, RdsDouble(farm) as double:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", double.url)
        world = new_world()
        monkeypatch.setattr(fleet, "monotonic", world.clock.monotonic)
        yield Cloud(world, double, farm, tmp_path)
        assert double.control.log(lambda request: request.outcome == "NotImplemented") == []


def test_a_claims_life_on_a_postgresql_of_its_own_with_a_restart_in_every_state(cloud: Cloud) -> None:
    world = cloud.world
    cloud.offer()
    cloud.claim()
    assert cloud.states() == ["creating"]
    world.restart()
    cloud.pass_time(320, 8)
    assert cloud.states() == ["backing-up"]
    world.restart()
    cloud.pass_time(120, 4)
    assert cloud.states() == ["available"]
    world.restart()
    world.settle()
    assert world.is_current()
    assert cloud.server()["status"]["size"] == "db.t4g.micro"
    assert cloud.psql("SELECT current_user") == f"{world.get(CLAIM, 'orders')['status']['databaseName']}_owner"

    world.edit(SERVER, cloud.name, "platform", storageGiB=100, size="large")
    world.settle()
    assert cloud.states() == ["modifying"]
    world.restart()
    cloud.pass_time(120, 4)
    (waiting,) = cloud.server()["status"]["pending"]
    assert (waiting["action"], waiting["waitsFor"]) == ("resize", "approval")
    assert cloud.double.account.outages == []
    cloud.approve()
    cloud.pass_time(180, 6)
    (record,) = cloud.instances()
    assert (record["DBInstanceClass"], record["AllocatedStorage"]) == ("db.m7g.large", 100)
    assert cloud.psql("SELECT 1") == "1"

    world.delete(CLAIM, "orders")
    cloud.pass_time(60, 6)
    assert cloud.states() == ["deleting"]
    world.restart()
    cloud.pass_time(240, 8)
    assert cloud.is_gone()
    assert len(cloud.double.account.tables["snapshots"]) == 1


@pytest.mark.parametrize(
    ("engine", "version", "config"),
    # AWS offers no MySQL that the tests have, so none is asked for by its version.
    [("mysql", None, {}), ("mariadb", "11.8", {"mariadb": True})],
    ids=["mysql", "mariadb"],
)
def test_a_claims_life_on_a_mysql_of_its_own(
    cloud: Cloud, engine: str, version: str | None, config: Mapping[str, Any]
) -> None:
    world = cloud.world
    cloud.offer(config, engine="mysql", version=version)
    cloud.claim()
    cloud.pass_time(440, 11)
    assert world.is_current()
    (record,) = cloud.instances()
    assert record["Engine"] == engine
    name = world.get(CLAIM, "orders")["status"]["databaseName"]
    assert cloud.mysql("SELECT database()") == (name,)
    cloud.mysql("CREATE TABLE kept (answer int)")

    world.edit(SERVER, cloud.name, "platform", size="large")
    world.settle()
    cloud.approve()
    cloud.pass_time(180, 6)
    assert cloud.instances()[0]["DBInstanceClass"] == "db.m7g.large"
    assert cloud.mysql("SELECT count(*) FROM kept") == (0,)

    world.delete(CLAIM, "orders")
    cloud.pass_time(300, 14)
    assert cloud.is_gone()
    assert len(cloud.double.account.tables["snapshots"]) == 1


def test_an_instance_of_somebody_else_is_untouched_by_the_claim_and_by_its_end(cloud: Cloud) -> None:
    order = {
        "DBInstanceIdentifier": cloud.identifier,
        "Engine": "postgres",
        "DBInstanceClass": "db.t4g.micro",
        "AllocatedStorage": 20,
        "MasterUsername": "somebody",
        "MasterUserPassword": "somebodys-own-password",
    }
    cloud.double.call("CreateDBInstance", order, stale=False)
    cloud.double.tick(400)
    before = cloud.double.account.state()
    cloud.offer(deletionPolicy="Delete")
    cloud.claim()
    cloud.pass_time(120, 4)
    cloud.world.expect("Synced", "NameTaken", "does not carry the tags", name=cloud.name, kind=SERVER, ns="platform")
    cloud.world.delete(CLAIM, "orders")
    cloud.pass_time(600, 4)
    assert cloud.double.account.state() == before
    assert cloud.double.control.log(lambda request: not request.is_read) == []


def test_a_lost_reply_to_create_leaves_one_server_that_is_adopted_by_its_tags(cloud: Cloud) -> None:
    lost = cloud.double.control.inject(Fault(Strike.DROP_AFTER, "CreateDBInstance"))
    cloud.offer()
    cloud.claim()
    assert lost.times == 0
    cloud.world.restart()
    cloud.pass_time(440, 11)
    assert cloud.world.is_current()
    assert [each["DBInstanceIdentifier"] for each in cloud.instances()] == [cloud.identifier]
    assert cloud.psql("SELECT 1") == "1"
