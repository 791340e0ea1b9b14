"""The RDS double by a client that others wrote from the real API: the AWS CLI, and boto3 without a provider.

What the double has no word for it refuses, and every operation that the provider calls is one of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dbclaims.conformance.doubles.control import Control, Fault, Strike
from dbclaims.conformance.doubles.rds import RdsDouble

from .driver import SPEC, Driver, wish

ORDER: dict[str, Any] = {
    "DBInstanceIdentifier": "db-1",
    "Engine": "postgres",
    "DBInstanceClass": "db.t4g.micro",
    "AllocatedStorage": 20,
    "MasterUsername": "chief",
    "MasterUserPassword": "chiefs-own-password",
}


@pytest.fixture
def client(double: RdsDouble) -> Iterator[Any]:
    made = boto3.client("rds")
    yield made
    made.close()


def cli(*words: str) -> Any:
    """One command of the AWS CLI; its answer, or its words of refusal as a text."""
    program = Path(sys.executable).with_name("aws")
    done = subprocess.run(
        [sys.executable, program, "--output", "json", "rds", *words], capture_output=True, text=True, env=os.environ
    )
    if done.returncode:
        return done.stderr
    return json.loads(done.stdout) if done.stdout else {}


def refusal(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


# --- the CLI -----------------------------------------------------------------------------------------------------


def test_the_cli_makes_changes_keeps_and_ends_an_instance(double: RdsDouble) -> None:
    words = ["--db-instance-identifier", "db-1"]
    order = ["--engine", "postgres", "--db-instance-class", "db.t4g.micro", "--allocated-storage", "20"]
    login = ["--master-username", "chief", "--master-user-password", "chiefs-own-password"]
    made = cli("create-db-instance", *words, *order, *login, "--tags", "Key=team,Value=shop")["DBInstance"]
    assert (made["DBInstanceStatus"], "Endpoint" in made) == ("creating", False)
    assert "InvalidDBInstanceState" in cli("modify-db-instance", *words, "--allocated-storage", "40")
    double.tick(400)
    (seen,) = cli("describe-db-instances", *words)["DBInstances"]
    assert (seen["DBInstanceStatus"], seen["Endpoint"]["Port"]) == ("available", 5432)
    assert seen["TagList"] == [{"Key": "team", "Value": "shop"}]
    cli("modify-db-instance", *words, "--allocated-storage", "40", "--apply-immediately")
    double.tick(60)
    assert cli("describe-db-instances", *words)["DBInstances"][0]["AllocatedStorage"] == 40
    cli("create-db-snapshot", *words, "--db-snapshot-identifier", "kept")
    double.tick(60)
    assert cli("describe-db-snapshots", *words)["DBSnapshots"][0]["Status"] == "available"
    assert "FinalDBSnapshotIdentifier is required" in cli("delete-db-instance", *words)
    gone = cli("delete-db-instance", *words, "--final-db-snapshot-identifier", "last")
    assert gone["DBInstance"]["DBInstanceStatus"] == "deleting"
    double.tick(200)
    assert "DBInstanceNotFound" in cli("describe-db-instances", *words)
    assert len(cli("describe-db-snapshots")["DBSnapshots"]) == 2


def test_the_cli_sees_what_the_provider_made_and_the_other_way_round(rds: Driver) -> None:
    rds.made(wish(storage_gib=50))
    words = ["--db-instance-identifier", rds.identifier]
    (seen,) = cli("describe-db-instances", *words)["DBInstances"]
    server = rds.seen()
    assert server.endpoint is not None
    assert (seen["Endpoint"]["Address"], seen["EngineVersion"]) == (server.endpoint.host, server.version)
    assert (seen["AllocatedStorage"], seen["DBInstanceClass"]) == (50, server.size)
    cli("modify-db-instance", *words, "--db-instance-class", "db.m7g.large", "--apply-immediately")
    rds.double.tick(60)
    assert rds.seen().size == "db.m7g.large"
    assert rds.verbs(SPEC) == ["resize!"]


# --- what it refuses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"DBInstanceIdentifier": "1abc"}, "InvalidParameterValue"),
        ({"DBInstanceIdentifier": "a--b"}, "InvalidParameterValue"),
        ({"DBInstanceIdentifier": "a" * 64}, "InvalidParameterValue"),
        ({"AllocatedStorage": 5}, "InvalidParameterValue"),
        ({"DBInstanceClass": "db.nope.huge"}, "InvalidParameterCombination"),
        ({"Engine": "oracle"}, "InvalidParameterValue"),
        ({"EngineVersion": "99.99"}, "InvalidParameterCombination"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue"),
        ({"MasterUserPassword": "with/a-slash-in-it"}, "InvalidParameterValue"),
        ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue"),
        ({"StorageType": "gp3", "Iops": 12000}, "InvalidParameterCombination"),
        ({"StorageType": "io1"}, "InvalidParameterCombination"),
        ({"KmsKeyId": "key"}, "InvalidParameterCombination"),
        ({"MaxAllocatedStorage": 10}, "InvalidParameterCombination"),
        ({"BackupRetentionPeriod": 36}, "InvalidParameterValue"),
        ({"DBSubnetGroupName": "none"}, "DBSubnetGroupNotFoundFault"),
        ({"DBParameterGroupName": "none"}, "DBParameterGroupNotFound"),
        ({"CACertificateIdentifier": "none"}, "CertificateNotFound"),
        ({"Tags": [{"Key": "aws:mine", "Value": ""}]}, "InvalidParameterValue"),
        ({"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]}, "InvalidParameterValue"),
    ],
)
def test_an_order_that_aws_refuses_is_refused(client: Any, changes: Any, code: str) -> None:
    assert refusal(client.create_db_instance, **{**ORDER, **changes}) == code


def test_a_name_is_taken_once(client: Any) -> None:
    client.create_db_instance(**ORDER)
    assert refusal(client.create_db_instance, **{**ORDER, "DBInstanceIdentifier": "DB-1"}) == "DBInstanceAlreadyExists"


def test_a_deferred_change_waits_for_the_window(client: Any, double: RdsDouble) -> None:
    client.create_db_instance(**ORDER)
    double.tick(400)
    client.modify_db_instance(DBInstanceIdentifier="db-1", DBInstanceClass="db.m7g.large")
    double.tick(3600)
    record = double.instance("db-1")
    assert (record["DBInstanceClass"], record["PendingModifiedValues"]) == (
        "db.t4g.micro",
        {"DBInstanceClass": "db.m7g.large"},
    )
    double.maintain()
    double.tick(60)
    assert double.instance("db-1")["DBInstanceClass"] == "db.m7g.large"


def test_a_protected_instance_and_a_group_in_use_stay(client: Any, double: RdsDouble) -> None:
    client.create_db_parameter_group(DBParameterGroupName="g", DBParameterGroupFamily="postgres17", Description="g")
    client.create_db_instance(**ORDER, DBParameterGroupName="g", DeletionProtection=True)
    double.tick(400)
    gone = {"DBInstanceIdentifier": "db-1", "SkipFinalSnapshot": True}
    assert refusal(client.delete_db_instance, **gone) == "InvalidParameterCombination"
    assert refusal(client.delete_db_parameter_group, DBParameterGroupName="g") == "InvalidDBParameterGroupState"


def test_a_major_step_needs_its_flag(client: Any, double: RdsDouble) -> None:
    client.create_db_instance(**ORDER, EngineVersion="16")
    double.tick(400)
    step = {"DBInstanceIdentifier": "db-1", "EngineVersion": "17.10", "ApplyImmediately": True}
    assert refusal(client.modify_db_instance, **step) == "InvalidParameterCombination"
    client.modify_db_instance(**step, AllowMajorVersionUpgrade=True)
    double.tick(60)
    assert double.instance("db-1")["EngineVersion"] == "17.10"


def test_a_cluster_with_instances_stays(client: Any, double: RdsDouble) -> None:
    login = {key: ORDER[key] for key in ("MasterUsername", "MasterUserPassword")}
    client.create_db_cluster(DBClusterIdentifier="c", Engine="aurora-postgresql", **login)
    taken = {"DBClusterIdentifier": "c", "Engine": "aurora-postgresql", **login}
    assert refusal(client.create_db_cluster, **taken) == "DBClusterAlreadyExistsFault"
    client.create_db_instance(
        DBInstanceIdentifier="c-1", DBClusterIdentifier="c", Engine="aurora-postgresql", DBInstanceClass="db.r7g.large"
    )
    double.tick(400)
    gone = {"DBClusterIdentifier": "c", "SkipFinalSnapshot": True}
    assert refusal(client.delete_db_cluster, **gone) == "InvalidDBClusterStateFault"


def test_a_subnet_group_needs_two_zones(client: Any) -> None:
    order = {"DBSubnetGroupName": "s", "DBSubnetGroupDescription": "s", "SubnetIds": ["subnet-1"]}
    assert refusal(client.create_db_subnet_group, **order) == "DBSubnetGroupDoesNotCoverEnoughAZs"


def test_what_the_double_lacks_it_says_loudly(client: Any, double: RdsDouble) -> None:
    assert refusal(client.describe_blue_green_deployments) == "NotImplemented"
    assert double.control.log()[-1].outcome == "NotImplemented"


# --- the control -------------------------------------------------------------------------------------------------


def test_pages_hold_a_hundred(client: Any, double: RdsDouble) -> None:
    for number in range(120):
        client.create_db_instance(**{**ORDER, "DBInstanceIdentifier": f"db-{number}"})
    first = client.describe_db_instances()
    assert (len(first["DBInstances"]), first["Marker"]) == (100, "100")
    assert len(client.describe_db_instances(Marker="100")["DBInstances"]) == 20


def test_faults_do_what_they_say(client: Any, double: RdsDouble) -> None:
    double.control.inject(Fault(Strike.DROP_BEFORE, "CreateDBInstance", times=2))
    with pytest.raises(BotoCoreError):
        boto3.client("rds", config=_once()).create_db_instance(**ORDER)
    assert double.account.tables["instances"] == {}
    double.control.calm()
    double.control.inject(Fault(Strike.DROP_AFTER, "CreateDBInstance"))
    with pytest.raises(BotoCoreError):
        boto3.client("rds", config=_once()).create_db_instance(**ORDER)
    assert list(double.account.tables["instances"]) == ["db-1"]
    double.control.inject(Fault(Strike.STALE, "DescribeDBInstances"))
    assert client.describe_db_instances()["DBInstances"] == []
    double.control.inject(Fault(Strike.DELAY, "Describe*", seconds=400))
    assert client.describe_db_instances()["DBInstances"][0]["DBInstanceStatus"] == "available"


def test_the_log_masks_secrets(client: Any, double: RdsDouble) -> None:
    client.create_db_instance(**ORDER)
    assert ORDER["MasterUserPassword"] not in str(double.control.log())


def test_the_same_seed_makes_the_same_faults() -> None:
    def strikes(seed: int) -> list[object]:
        control = Control(seed)
        control.rate = 0.25
        return [fault and fault.strike for fault in (control.choose("DescribeDBInstances", {}) for _ in range(200))]

    assert strikes(1) == strikes(1)
    assert strikes(1) != strikes(2)


def _once() -> Config:
    return Config(retries={"total_max_attempts": 1})
