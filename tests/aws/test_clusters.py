"""The provider on Aurora clusters: what it makes, changes and ends. Nothing stands behind the endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from dbclaims.conformance.doubles.control import Fault, Strike
from dbclaims.core.spi import InvalidSpec, NotOwned, Unsupported

from .driver import REF, Driver, wish

NewDriver = Callable[..., Driver]


@pytest.fixture
def aurora(new_driver: NewDriver) -> Driver:
    """A session for a cluster of instances of a class."""
    return new_driver({"aurora": {}})


def classes(driver: Driver) -> list[str]:
    return [each["DBInstanceClass"] for _, each in sorted(driver.double.account.tables["instances"].items())]


def test_a_cluster_is_ready_with_its_writer(aurora: Driver) -> None:
    server = aurora.made(wish(size="medium"))
    assert (server.engine, server.version, server.size) == ("postgres", "17.5", "db.t4g.medium")
    assert aurora.taken == ["create"]
    assert aurora.verbs(wish(size="medium")) == []


def test_serverless_limits_are_ordered_and_changed_without_an_interruption(new_driver: NewDriver) -> None:
    driver = new_driver({"aurora": {"serverless": {"minCapacity": "0.5", "maxCapacity": "4"}}})
    driver.made(wish(size=None))
    assert classes(driver) == ["db.serverless"]
    driver.reopen({"aurora": {"serverless": {"minCapacity": "1", "maxCapacity": "16"}}})
    assert driver.verbs(wish(size=None)) == ["modify"]
    driver.converge(wish(size=None))
    assert driver.record()["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 1.0, "MaxCapacity": 16.0}
    assert driver.double.account.outages == []


def test_high_availability_is_a_second_instance_and_its_end_waits(aurora: Driver) -> None:
    both = wish(size="medium", high_availability=True)
    aurora.made(both)
    assert classes(aurora) == ["db.t4g.medium"] * 2
    alone = wish(size="medium", high_availability=False)
    assert aurora.verbs(alone) == ["remove-instance!"]
    aurora.converge(alone, approved=True)
    assert [each["IsClusterWriter"] for each in aurora.record()["DBClusterMembers"]] == [True]


@pytest.mark.parametrize(
    ("spec", "verbs"),
    [
        (wish(size="large"), ["resize!"]),
        (wish(size="medium", tags={"team": "shop"}), ["tag"]),
        (wish(size="medium", parameters={"work_mem": "8192"}), ["set-parameters"]),
        (wish(size="medium", maintenance_window="Mon:03:00-Mon:04:00"), ["modify"]),
    ],
)
def test_a_difference_is_planned_and_made_and_then_there_is_none(aurora: Driver, spec: Any, verbs: list[str]) -> None:
    aurora.made(wish(size="medium"))
    assert aurora.verbs(spec) == verbs
    aurora.converge(spec, approved=True)
    assert aurora.verbs(spec) == []


def test_a_version_step_is_made_on_the_cluster(aurora: Driver) -> None:
    old = wish(size="medium", version="16.8")
    aurora.made(old)
    assert aurora.verbs(wish(size="medium", version="17")) == ["upgrade!"]
    aurora.converge(wish(size="medium", version="17"), approved=True)
    assert aurora.record()["EngineVersion"] == "17.5"


@pytest.mark.parametrize("operation", ["CreateDBCluster", "CreateDBInstance"])
def test_a_lost_reply_leaves_one_cluster_with_one_writer(aurora: Driver, operation: str) -> None:
    aurora.double.control.inject(Fault(Strike.DROP_AFTER, operation, times=1))
    aurora.made(wish(size="medium"))
    tables = aurora.double.account.tables
    assert (len(tables["clusters"]), len(tables["instances"])) == (1, 1)


def test_the_end_goes_from_the_instances_to_the_cluster_to_the_group(new_driver: NewDriver) -> None:
    driver = new_driver({"aurora": {}}, attrs.evolve(REF, final_snapshot=True))
    driver.made(wish(size="medium", high_availability=True, parameters={"work_mem": "8192"}))
    assert driver.converge(None) is None
    tables = driver.double.account.tables
    assert (tables["clusters"], tables["instances"], tables["cluster_parameter_groups"]) == ({}, {}, {})
    assert [name.startswith(f"{driver.identifier}-final-") for name in tables["cluster_snapshots"]] == [True]


def test_a_cluster_begins_with_a_snapshot(aurora: Driver, new_driver: NewDriver) -> None:
    aurora.made(wish(size="medium"))
    client = aurora.client
    client.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="before", DBClusterIdentifier=aurora.identifier)
    aurora.double.tick(60)
    other = new_driver({"aurora": {}, "restoreFrom": "before"}, attrs.evolve(REF, name="again"))
    other.made(wish(size="medium"))
    assert "set-admin-password" in other.taken


def test_a_foreign_cluster_is_neither_changed_nor_deleted(aurora: Driver, new_driver: NewDriver) -> None:
    aurora.made(wish(size="medium"))
    stranger = new_driver({"aurora": {}}, attrs.evolve(REF, owner="somebody-else"))
    position = aurora.double.control.position()
    for spec in (wish(size="large"), None):
        with pytest.raises(NotOwned):
            stranger.step(spec)
    assert [each for each in aurora.double.control.log()[position:] if not each.is_read] == []


def test_storage_of_a_cluster_cannot_be_wished(aurora: Driver) -> None:
    with pytest.raises(Unsupported, match="grows by itself"):
        aurora.step(wish(size="medium", storage_gib=100))
    assert aurora.double.account.tables["clusters"] == {}


def test_a_group_of_its_instances_is_used(new_driver: NewDriver) -> None:
    driver = new_driver({"aurora": {}})
    driver.client.create_db_parameter_group(
        DBParameterGroupName="mine", DBParameterGroupFamily="aurora-postgresql17", Description="mine"
    )
    driver.reopen({"aurora": {}, "parameterGroup": "mine", "logExports": ["postgresql"]})
    driver.made(wish(size="medium"))
    (record,) = driver.double.account.tables["instances"].values()
    assert [group["DBParameterGroupName"] for group in record["DBParameterGroups"]] == ["mine"]
    driver.reopen({"aurora": {}, "parameterGroup": "mine", "logExports": ["instance"]})
    driver.converge(wish(size="medium"))
    assert driver.record()["EnabledCloudwatchLogsExports"] == ["instance"]


def test_a_group_of_ones_own_excludes_parameters(new_driver: NewDriver) -> None:
    driver = new_driver({"aurora": {"parameterGroup": "default.aurora-postgresql17"}})
    driver.made(wish(size="medium"))
    with pytest.raises(InvalidSpec, match="exclude each other"):
        driver.plan(wish(size="medium", parameters={"work_mem": "1"}))
