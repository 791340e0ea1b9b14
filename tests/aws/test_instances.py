"""The provider on RDS instances: what it makes, changes, leaves alone, and ends. The endpoints lead nowhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
import pytest

from dbclaims.conformance.doubles.control import Fault, Strike
from dbclaims.conformance.doubles.rds import RdsDouble
from dbclaims.core.spi import Credentials, InvalidSpec, NotOwned, Refused, Terminal, Transient, Unreachable

from .driver import ADMIN, REF, SPEC, Driver, wish

NewDriver = Callable[..., Driver]


def writes(driver: Driver, since: int = 0) -> list[str]:
    return [each.operation for each in driver.double.control.log()[since:] if not each.is_read]


# --- making ------------------------------------------------------------------------------------------------------


def test_a_server_is_made_once_and_rests(rds: Driver) -> None:
    server = rds.made()
    assert (server.version, server.size, server.endpoint is not None) == ("17.10", "db.t4g.micro", True)
    assert server.traits == {"admin_role": "rds_superuser"}
    position = rds.double.control.position()
    assert rds.plan() == ()
    assert writes(rds, position) == []


def test_a_new_server_is_encrypted_protected_private_and_tagged(rds: Driver) -> None:
    rds.made()
    record = rds.record()
    assert record["StorageEncrypted"]
    assert record["DeletionProtection"]
    assert not record["PubliclyAccessible"]
    tags = {tag["Key"]: tag["Value"] for tag in record["TagList"]}
    assert tags["dbclaims.io/installation"] == "inst"
    assert tags["dbclaims.io/server"] == "platform/orders"


def test_while_it_is_made_there_is_no_endpoint_and_nothing_to_do(rds: Driver) -> None:
    assert rds.step()
    server = rds.seen()
    assert (server.ready, server.endpoint, server.poll_after) == (False, None, 30.0)
    assert rds.plan() == ()


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("strike", [Strike.DROP_AFTER, Strike.DROP_BEFORE, Strike.GARBAGE, Strike.UNAVAILABLE])
def test_a_lost_reply_to_create_leaves_one_server(rds: Driver, strike: Strike, times: int) -> None:
    fault = rds.double.control.inject(Fault(strike, "CreateDBInstance", times=times))
    for _ in range(times):
        rds.step()
    rds.made()
    assert list(rds.double.account.tables["instances"]) == [rds.identifier]
    # A server that stands after the first lost reply is not ordered again.
    assert fault.times == 0 or strike is Strike.DROP_AFTER


def test_a_description_from_before_the_creation_makes_no_second_server(rds: Driver) -> None:
    assert rds.step()
    rds.double.control.inject(Fault(Strike.STALE, "DescribeDBInstances", times=1))
    assert rds.verbs() == ["create"]
    rds.double.control.inject(Fault(Strike.STALE, "DescribeDBInstances", times=1))
    rds.step()
    rds.made()
    assert len(rds.double.account.tables["instances"]) == 1


def test_a_foreign_server_of_the_name_is_neither_changed_nor_deleted(rds: Driver, new_driver: NewDriver) -> None:
    rds.made()
    for other in (
        attrs.evolve(REF, owner="uid-of-another-platform"),
        attrs.evolve(REF, final_snapshot=True, owner="x"),
    ):
        stranger = new_driver(ref=other)
        position = rds.double.control.position()
        with pytest.raises(NotOwned, match="dbclaims.io/owner=" + other.owner):
            stranger.step()
        with pytest.raises(NotOwned):
            stranger.step(None)
        assert writes(rds, position) == []


def test_a_server_that_lost_its_owner_between_look_and_step_is_not_touched(rds: Driver) -> None:
    rds.made()
    (action,) = rds.plan(wish(high_availability=True))
    rds.record()["TagList"] = []
    position = rds.double.control.position()
    with pytest.raises(NotOwned):
        rds.apply(action)
    assert writes(rds, position) == []


def test_an_object_that_is_applied_again_finds_its_server(rds: Driver, new_driver: NewDriver) -> None:
    rds.made()
    again = new_driver()
    assert again.plan() == ()


@pytest.mark.parametrize(
    ("spec", "config", "reason"),
    [
        (wish(size="vast"), {}, "SizeUnknown"),
        (wish(size=None), {}, "SizeUnknown"),
        (wish(size="db.nope.large"), {}, "SizeUnknown"),
        (wish(version="99"), {}, "VersionUnavailable"),
        (wish(parameters={"no_such_thing": "1"}), {}, "ParameterUnknown"),
        (wish(parameters={"data_directory": "/"}), {}, "ParameterUnknown"),
        (wish(tags={f"k{n}": "" for n in range(47)}), {}, "InvalidSpec"),
        (wish(backup={"retention": timedelta(hours=30)}), {}, "InvalidSpec"),
        (wish(backup={"retention": timedelta(days=36)}), {}, "InvalidSpec"),
        (wish(admin=None), {}, "InvalidSpec"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_before_anything_is_made(
    new_driver: NewDriver, spec: Any, config: Any, reason: str
) -> None:
    driver = new_driver(config)
    with pytest.raises(InvalidSpec) as refused:
        driver.step(spec)
    assert refused.value.reason == reason
    assert driver.double.account.tables["instances"] == {}


def test_a_snapshot_is_where_a_server_begins(rds: Driver, new_driver: NewDriver) -> None:
    rds.made()
    rds.client.create_db_snapshot(DBSnapshotIdentifier="before", DBInstanceIdentifier=rds.identifier)
    rds.double.tick(60)
    other = new_driver({"restoreFrom": "before", "deletionProtection": True}, attrs.evolve(REF, name="again"))
    server = other.made(attrs.evolve(SPEC, storage_gib=40))
    assert "set-admin-password" in other.taken
    assert (other.record()["AllocatedStorage"], server.size) == (40, "db.t4g.micro")


# --- changing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "verbs"),
    [
        (wish(size="large"), ["resize!"]),
        (wish(size="db.r7g.large"), ["resize!"]),
        (wish(storage_gib=100), ["modify"]),
        (wish(high_availability=True), ["modify"]),
        (wish(backup={"retention": timedelta(days=7), "window": "01:00-01:30"}), ["modify"]),
        (wish(backup={"retention": timedelta(0)}), ["modify!"]),
        (wish(maintenance_window="Mon:03:00-Mon:04:00"), ["modify"]),
        (wish(tags={"team": "shop"}), ["tag"]),
        (wish(parameters={"work_mem": "8192"}), ["set-parameters"]),
        (wish(version="18"), ["upgrade!"]),
        (wish(size="large", tags={"team": "shop"}, storage_gib=100), ["tag", "modify", "resize!"]),
        (wish(admin=Credentials("dbclaims", "second-password")), ["set-admin-password"]),
        (wish(version="17.10"), []),
    ],
)
def test_a_difference_is_planned_and_made_and_then_there_is_none(rds: Driver, spec: Any, verbs: list[str]) -> None:
    rds.made()
    assert rds.verbs(spec) == verbs
    rds.converge(spec, approved=True)
    assert rds.verbs(spec) == []


@pytest.mark.parametrize(
    "config",
    [
        {"storage": {"type": "gp3", "maxGib": 200}},
        {"storage": {"type": "gp2"}},
        {"iamAuthentication": True},
        {"performanceInsights": {"retentionDays": 31}},
        {"autoMinorVersionUpgrade": False},
        {"publiclyAccessible": True},
        {"securityGroupIds": ["sg-2", "sg-1"]},
        {"deletionProtection": False},
        {"logExports": ["postgresql", "upgrade"]},
    ],
)
def test_a_field_of_the_block_is_changed_without_an_interruption(rds: Driver, config: Any) -> None:
    rds.made()
    rds.reopen(config)
    assert rds.verbs() == ["modify"]
    rds.converge()
    assert rds.verbs() == []
    assert rds.double.account.outages == []


def test_another_authority_waits_for_the_window(rds: Driver) -> None:
    rds.made()
    rds.reopen({"caCertificate": "rds-ca-rsa4096-g1"})
    assert rds.verbs() == ["modify!"]


def test_iops_and_throughput_are_ordered_where_the_volume_takes_them(new_driver: NewDriver) -> None:
    storage = {"type": "gp3", "iops": 12000, "throughput": 500}
    driver = new_driver({"storage": storage})
    driver.made(wish(storage_gib=400))
    assert (driver.record()["Iops"], driver.record()["StorageThroughput"]) == (12000, 500)


def test_nothing_that_interrupts_happens_without_leave(rds: Driver) -> None:
    rds.made()
    rds.converge(wish(size="large", storage_gib=100, version="18"))
    assert rds.double.account.outages == []
    assert rds.record()["AllocatedStorage"] == 100
    assert rds.record()["PendingModifiedValues"] == {}


def test_a_strangers_deferred_restart_is_not_brought_on_by_a_change_of_ours(rds: Driver) -> None:
    rds.made()
    client = rds.client
    client.modify_db_instance(DBInstanceIdentifier=rds.identifier, DBInstanceClass="db.m7g.large")
    assert [finding.reason for finding in rds.seen().findings] == ["ChangesPending"]
    wanted = wish(storage_gib=100, size=None)
    assert rds.verbs(wanted) == ["modify!"]
    rds.converge(wanted)
    assert rds.double.account.outages == []


def test_while_it_is_busy_nothing_is_planned(rds: Driver) -> None:
    rds.made()
    rds.apply(rds.plan(wish(storage_gib=100))[0])
    assert (rds.seen().ready, rds.seen().poll_after) == (True, 30.0)
    assert rds.plan(wish(storage_gib=200)) == ()


def test_what_aws_chose_by_itself_is_no_drift(rds: Driver) -> None:
    rds.made()
    rds.record().update(AvailabilityZone="eu-central-1b", EngineVersion="17.10", PreferredBackupWindow="09:00-09:30")
    assert rds.plan() == ()


def test_storage_never_shrinks(rds: Driver, new_driver: NewDriver) -> None:
    rds.made(wish(storage_gib=100))
    with pytest.raises(InvalidSpec, match="never shrinks; the server has 100 GiB"):
        rds.plan(wish(storage_gib=50))
    rds.reopen({"storage": {"maxGib": 500}})
    assert rds.verbs(wish(storage_gib=50)) == ["modify"]
    rds.converge(wish(storage_gib=50))
    assert rds.record()["AllocatedStorage"] == 100


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"encrypted": False}, "encrypted"),
        ({"kmsKeyId": "0815"}, "kmsKeyId"),
        ({"port": 6432}, "port"),
        ({"subnetGroup": "other"}, "subnetGroup"),
    ],
)
def test_what_was_fixed_at_birth_is_refused_by_its_name(rds: Driver, config: Any, path: str) -> None:
    rds.made()
    rds.reopen(config)
    with pytest.raises(InvalidSpec, match=f"spec.config.{path}"):
        rds.plan()


def test_a_version_that_cannot_be_reached_is_refused_with_those_that_can(rds: Driver) -> None:
    rds.made()
    with pytest.raises(InvalidSpec, match=r"it goes to 18\.4"):
        rds.plan(wish(version="16"))


def test_a_minor_version_that_aws_brought_by_itself_is_no_drift(rds: Driver) -> None:
    rds.made(wish(version="17.9"))
    rds.record()["EngineVersion"] = "17.10"
    assert rds.verbs(wish(version="17.9")) == []
    rds.reopen({"autoMinorVersionUpgrade": False})
    with pytest.raises(InvalidSpec, match=r"cannot bring 17\.10 to 17\.9"):
        rds.plan(wish(version="17.9"))


def test_logs_are_sent_and_no_longer_sent_as_wished(new_driver: NewDriver) -> None:
    driver = new_driver({"logExports": ["postgresql"]})
    driver.made()
    assert driver.record()["EnabledCloudwatchLogsExports"] == ["postgresql"]
    driver.reopen({"logExports": ["upgrade"]})
    driver.converge()
    assert driver.record()["EnabledCloudwatchLogsExports"] == ["upgrade"]
    assert driver.verbs() == []


def test_a_key_for_performance_insights_reaches_aws(rds: Driver) -> None:
    rds.made()
    rds.reopen({"performanceInsights": {"kmsKeyId": "alias/insights"}})
    rds.converge()
    assert rds.record()["PerformanceInsightsKMSKeyId"] == "alias/insights"
    assert rds.verbs() == []


@pytest.mark.parametrize("named", ["4711", "alias/ours", "arn:aws:kms:eu-central-1:123456789012:key/4711"])
def test_a_key_is_known_again_by_the_arn_that_aws_answers_with(new_driver: NewDriver, named: str) -> None:
    config = {"kmsKeyId": named, "performanceInsights": {"kmsKeyId": named}}
    driver = new_driver(config)
    driver.made()
    arn = "arn:aws:kms:eu-central-1:123456789012:key/4711"
    driver.record().update(KmsKeyId=arn, PerformanceInsightsKMSKeyId=arn)
    assert driver.verbs() == []
    driver.reopen({**config, "kmsKeyId": "0815"})
    with pytest.raises(InvalidSpec, match="kmsKeyId"):
        driver.plan()


def test_a_zone_is_chosen_at_birth(new_driver: NewDriver) -> None:
    driver = new_driver({"availabilityZone": "eu-central-1b"})
    driver.made()
    assert driver.record()["AvailabilityZone"] == "eu-central-1b"


def test_foreign_tags_stay(rds: Driver) -> None:
    rds.made()
    arn = rds.record()["DBInstanceArn"]
    rds.client.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "cost", "Value": "42"}])
    rds.converge(wish(tags={"team": "shop"}))
    tags = {tag["Key"]: tag["Value"] for tag in rds.record()["TagList"]}
    assert (tags["cost"], tags["team"]) == ("42", "shop")


# --- parameters --------------------------------------------------------------------------------------------------


def test_a_static_parameter_waits_for_a_restart_that_is_allowed(rds: Driver) -> None:
    spec = wish(parameters={"work_mem": "8192"})
    rds.made(spec)
    static = wish(parameters={"work_mem": "8192", "max_connections": "300"})
    rds.converge(static)
    assert rds.verbs(static) == ["reboot!"]
    assert rds.double.account.outages == []
    rds.converge(static, approved=True)
    assert rds.double.account.outages == [(rds.identifier, "reboot")]
    assert rds.verbs(static) == []


def test_a_dynamic_parameter_is_changed_and_dropped_without_a_restart(rds: Driver) -> None:
    rds.made(wish(parameters={"work_mem": "8192", "rds.force_ssl": "1"}))
    rds.converge(wish(parameters={"work_mem": "4096"}))
    (values,) = rds.double.account.parameters.values()
    assert {name: value["ParameterValue"] for name, value in values.items()} == {"work_mem": "4096"}
    assert rds.double.account.outages == []


def test_a_parameter_that_somebody_changed_is_set_back(rds: Driver, aws: Any) -> None:
    spec = wish(parameters={"work_mem": "8192"})
    rds.made(spec)
    (values,) = rds.double.account.parameters.values()
    values["work_mem"]["ParameterValue"] = "1"
    aws.advance(601)
    assert rds.verbs(spec) == ["set-parameters"]


def test_a_major_step_brings_a_group_of_the_new_family(rds: Driver) -> None:
    rds.made(wish(parameters={"work_mem": "8192"}))
    rds.converge(wish(parameters={"work_mem": "8192"}, version="18"), approved=True)
    assert rds.record()["DBParameterGroups"][0]["DBParameterGroupName"].endswith("-postgres18")
    assert rds.record()["EngineVersion"] == "18.4"


def test_a_group_of_ones_own_is_used_and_excludes_parameters(rds: Driver) -> None:
    client = rds.client
    client.create_db_parameter_group(
        DBParameterGroupName="mine", DBParameterGroupFamily="postgres17", Description="mine"
    )
    rds.reopen({"parameterGroup": "mine"})
    rds.made()
    assert rds.record()["DBParameterGroups"][0]["DBParameterGroupName"] == "mine"
    with pytest.raises(InvalidSpec, match="exclude each other"):
        rds.plan(wish(parameters={"work_mem": "1"}))


# --- the end -----------------------------------------------------------------------------------------------------


def test_an_end_lifts_our_protection_and_removes_all_that_we_made(rds: Driver) -> None:
    rds.made(wish(parameters={"work_mem": "8192"}))
    assert rds.converge(None) is None
    tables = rds.double.account.tables
    assert (tables["instances"], tables["parameter_groups"], tables["snapshots"]) == ({}, {}, {})
    assert rds.taken[-3:] == ["unprotect", "delete", "delete-parameters"]
    assert rds.plan(None) == ()


def test_an_end_keeps_a_last_snapshot_whose_name_is_the_same_on_every_try(new_driver: NewDriver) -> None:
    driver = new_driver(ref=attrs.evolve(REF, final_snapshot=True))
    driver.made()
    # The reply to the deletion is lost: the snapshot is there, and the next try finds it.
    driver.double.control.inject(Fault(Strike.DROP_AFTER, "DeleteDBInstance", times=1))
    assert driver.converge(None) is None
    (snapshot,) = driver.double.account.tables["snapshots"]
    assert snapshot.startswith(f"{driver.identifier}-final-")


@pytest.mark.parametrize("keep", [False, True])
def test_automated_backups_outlive_a_server_only_if_wished(new_driver: NewDriver, keep: bool) -> None:
    driver = new_driver({"keepBackups": keep})
    driver.made()
    driver.converge(None)
    (ended,) = driver.double.control.log(lambda request: request.operation == "DeleteDBInstance")
    assert ended.arguments["DeleteAutomatedBackups"] is not keep


def test_a_protection_that_somebody_else_set_is_not_lifted(new_driver: NewDriver) -> None:
    driver = new_driver({"deletionProtection": False})
    driver.made()
    driver.record()["DeletionProtection"] = True
    with pytest.raises(Terminal, match="somebody else set it"):
        driver.step(None)


def test_a_server_is_absent_only_by_aws_own_word(rds: Driver) -> None:
    rds.made()
    for fault, error in (
        (Fault(Strike.ERROR, "DescribeDBInstances", code="AccessDenied"), Refused),
        (Fault(Strike.ERROR, "DescribeDBInstances", code="DBClusterNotFoundFault"), Terminal),
        (Fault(Strike.GARBAGE, "DescribeDBInstances"), Transient),
        (Fault(Strike.DROP_BEFORE, "DescribeDBInstances"), Unreachable),
    ):
        rds.double.control.inject(fault)
        with pytest.raises(error):
            rds.observe()


@pytest.mark.parametrize("status", ["failed", "incompatible-network", "storage-full", "restore-error"])
def test_a_broken_server_says_so_and_can_be_ended(rds: Driver, status: str) -> None:
    rds.made()
    rds.record()["DBInstanceStatus"] = status
    assert not rds.seen().ready
    with pytest.raises(Terminal, match=f"in the state {status}"):
        rds.plan()
    assert rds.verbs(None) == ["unprotect"]


@pytest.mark.parametrize("status", ["stopped", "a-state-that-nobody-knows", "upgrading"])
def test_a_state_in_which_nobody_is_served_is_left_alone(rds: Driver, status: str) -> None:
    rds.made()
    rds.record()["DBInstanceStatus"] = status
    assert not rds.seen().ready
    assert rds.plan(wish(size="large")) == ()


def test_no_password_shows_in_a_plan_or_in_the_log(rds: Driver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "dbclaims")
    secret = "second-password-never-seen"
    rds.made()
    plan = rds.plan(wish(admin=Credentials("dbclaims", secret)))
    rds.apply(plan[0])
    seen = f"{plan} {rds.seen()} {rds.double.control.log()} {caplog.text}"
    assert secret not in seen
    assert ADMIN.password not in seen
    assert rds.double.account.secrets[rds.identifier] == secret


def test_a_quota_is_waited_out_slowly(new_driver: NewDriver, double: RdsDouble) -> None:
    double.account.quotas.instances = 0
    driver = new_driver()
    with pytest.raises(Transient) as refused:
        driver.apply(driver.plan()[0])
    assert (refused.value.reason, refused.value.retry_after) == ("QuotaExceeded", 300.0)
    double.account.quotas.instances = 1
    assert new_driver().made().ready
