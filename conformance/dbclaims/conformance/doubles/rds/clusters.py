"""Aurora clusters: an endpoint and a volume, to which instances are added; serverless v2."""

from __future__ import annotations

from ..farm import Machine
from ..wire import Refusal
from . import catalogue, instances
from .account import Account, Arguments, Record, identifier, page, tags

_CHANGES = {
    "BackupRetentionPeriod": "BackupRetentionPeriod",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "DeletionProtection": "DeletionProtection",
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
    "PreferredBackupWindow": "PreferredBackupWindow",
    "PreferredMaintenanceWindow": "PreferredMaintenanceWindow",
    "ServerlessV2ScalingConfiguration": "ServerlessV2ScalingConfiguration",
    "StorageType": "StorageType",
}


class Clusters:
    """The operations on clusters."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def create_db_cluster(self, a: Arguments) -> Record:
        """Order a cluster, which holds no instance yet."""
        engine = a["Engine"]
        if not engine.startswith("aurora"):
            raise Refusal("InvalidParameterValue", f"Invalid DB cluster engine: {engine}")
        instances.check_login(engine, a)
        record = self.order(a, engine, catalogue.version_of(engine, a.get("EngineVersion")))
        self._account.secrets[record["DBClusterIdentifier"]] = a["MasterUserPassword"]
        return {"DBCluster": record}

    def order(self, a: Arguments, engine: str, version: str, source: str = "") -> Record:
        """Make the record of a cluster, and let it come to life."""
        account = self._account
        name = identifier(a["DBClusterIdentifier"], "DBClusterIdentifier")
        account.check_free("clusters", name, "DBClusterAlreadyExistsFault")
        if len(account.tables["clusters"]) >= account.quotas.clusters:
            raise Refusal("DBClusterQuotaExceededFault", "too many clusters")
        _check_serverless(a)
        record: Record = {
            "DBClusterIdentifier": name,
            "DBClusterArn": account.arn("cluster", name),
            "DbClusterResourceId": f"cluster-{account.serial():022d}",
            "Engine": engine,
            "EngineVersion": version,
            "EngineMode": "provisioned",
            "Status": "creating",
            "ClusterCreateTime": account.date,
            "MasterUsername": a["MasterUsername"],
            "Port": a.get("Port", instances.default_port(engine)),
            "DBClusterMembers": [],
            "DBClusterParameterGroup": self._group(a, engine, version),
            "DBSubnetGroup": instances.subnet_group(account, a)["DBSubnetGroupName"],
            "VpcSecurityGroups": instances.security_groups(a),
            "StorageEncrypted": a.get("StorageEncrypted", False),
            "KmsKeyId": a.get("KmsKeyId"),
            "StorageType": "aurora",
            "BackupRetentionPeriod": 1,
            "PreferredMaintenanceWindow": "sun:05:00-sun:05:30",
            "PreferredBackupWindow": "03:00-03:30",
            "DeletionProtection": False,
            "IAMDatabaseAuthenticationEnabled": False,
            "EnabledCloudwatchLogsExports": list(a.get("EnableCloudwatchLogsExports", ())),
            **{key: a[argument] for argument, key in _CHANGES.items() if argument in a},
            "TagList": tags(a.get("Tags")),
        }
        account.tables["clusters"][name] = record
        account.after(account.pace.creating, lambda: self._created(record, source))
        return record

    def _group(self, a: Arguments, engine: str, version: str) -> str:
        family = catalogue.family(engine, version)
        name = a.get("DBClusterParameterGroupName", f"default.{family}")
        if name.startswith("default."):
            return str(name)
        group = self._account.find("cluster_parameter_groups", name, "DBClusterParameterGroupNotFound")
        if group["DBParameterGroupFamily"] != family:
            raise Refusal("InvalidParameterCombination", f"{name} is of family {group['DBParameterGroupFamily']}")
        return str(group["DBClusterParameterGroupName"])

    def _created(self, record: Record, source: str) -> None:
        if record["Status"] != "creating":
            return
        name = record["DBClusterIdentifier"]
        machine = Machine(
            name=name,
            engine=record["Engine"],
            version=record["EngineVersion"],
            port=record["Port"],
            username=record["MasterUsername"],
            password=self._account.secrets[name],
            source=source,
        )
        record["Endpoint"] = self._account.farm.make(machine)
        record["Status"] = "available"

    def describe_db_clusters(self, a: Arguments) -> Record:
        """One cluster or all."""
        records = self._account.listed("clusters", a.get("DBClusterIdentifier"), "DBClusterNotFoundFault")
        return page("DBClusters", records, a)

    def modify_db_cluster(self, a: Arguments) -> Record:
        """Change a cluster; a version waits for the window unless it is to apply immediately."""
        record = self._find(a)
        if record["Status"] != "available":
            raise Refusal("InvalidDBClusterStateFault", f"{record['DBClusterIdentifier']} is not available")
        _check_serverless(a)
        if "EngineVersion" in a:
            instances.check_upgrade(record["EngineVersion"], record["Engine"], a)
        record.update({key: a[argument] for argument, key in _CHANGES.items() if argument in a})
        instances.set_logs(record, a)
        if "VpcSecurityGroupIds" in a:
            record["VpcSecurityGroups"] = instances.security_groups(a)
        if "DBClusterParameterGroupName" in a:
            self._set_group(record, self._group(a, record["Engine"], a.get("EngineVersion", record["EngineVersion"])))
        if "MasterUserPassword" in a:
            self._set_password(record, a["MasterUserPassword"])
        elif "EngineVersion" in a and a["EngineVersion"] != record["EngineVersion"]:
            self._upgrade(record, a)
        return {"DBCluster": record}

    def _set_group(self, record: Record, name: str) -> None:
        if record["DBClusterParameterGroup"] != name:
            record["DBClusterParameterGroup"] = name
            for member in record["DBClusterMembers"]:
                member["DBClusterParameterGroupStatus"] = "pending-reboot"

    def _set_password(self, record: Record, password: str) -> None:
        instances.check_password(record["Engine"], password)
        account, name = self._account, record["DBClusterIdentifier"]
        account.secrets[name] = password
        record["Status"] = "resetting-master-credentials"

        def done() -> None:
            account.farm.set_password(name, record["MasterUsername"], password)
            record["Status"] = "available"

        account.after(account.pace.password, done)

    def _upgrade(self, record: Record, a: Arguments) -> None:
        if not a.get("ApplyImmediately"):
            record["PendingModifiedValues"] = {"EngineVersion": a["EngineVersion"]}
            return
        self._account.outages.append((record["DBClusterIdentifier"], "EngineVersion"))
        record["Status"] = "upgrading"

        def done() -> None:
            record.update(EngineVersion=a["EngineVersion"], Status="available")
            record.pop("PendingModifiedValues", None)

        self._account.after(self._account.pace.modifying, done)

    def delete_db_cluster(self, a: Arguments) -> Record:
        """End a cluster without instances, with a last snapshot or expressly without one."""
        account, record = self._account, self._find(a)
        final = a.get("FinalDBSnapshotIdentifier")
        if record["DeletionProtection"]:
            raise Refusal("InvalidParameterCombination", "Cannot delete protected Cluster.")
        if record["Status"] == "deleting" or record["DBClusterMembers"]:
            raise Refusal("InvalidDBClusterStateFault", "Cluster cannot be deleted, it still contains DB instances")
        instances._check_final(a, final)
        if final:
            if record["Status"] == "creating":
                raise Refusal("InvalidDBClusterStateFault", "cannot take a snapshot of a cluster in creation")
            account.check_free("cluster_snapshots", final, "DBClusterSnapshotAlreadyExistsFault")
            account.tables["cluster_snapshots"][final.lower()] = cluster_snapshot_record(account, record, final)
        record["Status"] = "deleting"
        account.after(account.pace.deleting, lambda: self._gone(record))
        return {"DBCluster": record}

    def _gone(self, record: Record) -> None:
        name = record["DBClusterIdentifier"]
        del self._account.tables["clusters"][name]
        self._account.secrets.pop(name, None)
        self._account.farm.end(name)

    def _find(self, a: Arguments) -> Record:
        return self._account.find("clusters", a["DBClusterIdentifier"], "DBClusterNotFoundFault")


def cluster_snapshot_record(account: Account, record: Record, name: str) -> Record:
    """A snapshot of a cluster, taken now and available later."""
    stored = identifier(name, "DBClusterSnapshotIdentifier", 255)
    account.farm.snapshot(record["DBClusterIdentifier"], stored)
    made: Record = {
        "DBClusterSnapshotIdentifier": stored,
        "DBClusterSnapshotArn": account.arn("cluster-snapshot", stored),
        "DBClusterIdentifier": record["DBClusterIdentifier"],
        "SnapshotType": "manual",
        "SnapshotCreateTime": account.date,
        "Status": "creating",
        "TagList": list(record["TagList"]) if record.get("CopyTagsToSnapshot") else [],
        **{
            key: record.get(key)
            for key in ("Engine", "EngineVersion", "MasterUsername", "KmsKeyId", "StorageEncrypted")
        },
    }
    account.secrets[f"snapshot:{stored}"] = account.secrets.get(record["DBClusterIdentifier"], "")
    account.after(account.pace.snapshot, lambda: made.update(Status="available"))
    return made


def _check_serverless(a: Arguments) -> None:
    scaling = a.get("ServerlessV2ScalingConfiguration")
    if scaling and not 0 <= scaling.get("MinCapacity", -1) <= scaling.get("MaxCapacity", -1) <= 256:
        raise Refusal("InvalidParameterValue", "ServerlessV2ScalingConfiguration is out of bounds")
