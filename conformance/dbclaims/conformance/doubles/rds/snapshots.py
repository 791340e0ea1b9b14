"""Snapshots of instances and clusters, and what is restored from them."""

from __future__ import annotations

from collections.abc import Callable

from ..wire import Refusal
from .account import Account, Arguments, Record, page, tags
from .clusters import Clusters, cluster_snapshot_record
from .instances import Instances, snapshot_record


class Snapshots:
    """The operations on snapshots."""

    def __init__(self, account: Account, instances: Instances, clusters: Clusters) -> None:
        self._account, self._instances, self._clusters = account, instances, clusters

    def create_db_snapshot(self, a: Arguments) -> Record:
        """Take a snapshot of an instance."""
        source = self._account.find("instances", a["DBInstanceIdentifier"], "DBInstanceNotFound")
        if source["DBInstanceStatus"] != "available":
            raise Refusal("InvalidDBInstanceState", "the instance is not available")
        return {"DBSnapshot": self._keep("snapshots", a, a["DBSnapshotIdentifier"], source, snapshot_record)}

    def create_db_cluster_snapshot(self, a: Arguments) -> Record:
        """Take a snapshot of a cluster."""
        source = self._account.find("clusters", a["DBClusterIdentifier"], "DBClusterNotFoundFault")
        name = a["DBClusterSnapshotIdentifier"]
        return {"DBClusterSnapshot": self._keep("cluster_snapshots", a, name, source, cluster_snapshot_record)}

    def _keep(
        self, table: str, a: Arguments, name: str, source: Record, make: Callable[[Account, Record, str], Record]
    ) -> Record:
        code = "DBSnapshotAlreadyExists" if table == "snapshots" else "DBClusterSnapshotAlreadyExistsFault"
        self._account.check_free(table, name, code)
        if len(self._account.tables[table]) >= self._account.quotas.snapshots:
            raise Refusal("SnapshotQuotaExceeded", "too many snapshots")
        record = make(self._account, source, name)
        record["TagList"] = tags(a.get("Tags"), record["TagList"])
        self._account.tables[table][name.lower()] = record
        return record

    def describe_db_snapshots(self, a: Arguments) -> Record:
        """One snapshot, an instance's, or all."""
        records = self._account.listed("snapshots", a.get("DBSnapshotIdentifier"), "DBSnapshotNotFound")
        source = a.get("DBInstanceIdentifier")
        return page("DBSnapshots", [r for r in records if source in (None, r["DBInstanceIdentifier"])], a)

    def describe_db_cluster_snapshots(self, a: Arguments) -> Record:
        """One snapshot, a cluster's, or all."""
        name, source = a.get("DBClusterSnapshotIdentifier"), a.get("DBClusterIdentifier")
        records = self._account.listed("cluster_snapshots", name, "DBClusterSnapshotNotFoundFault")
        return page("DBClusterSnapshots", [r for r in records if source in (None, r["DBClusterIdentifier"])], a)

    def delete_db_snapshot(self, a: Arguments) -> Record:
        """End a snapshot."""
        record = self._account.find("snapshots", a["DBSnapshotIdentifier"], "DBSnapshotNotFound")
        del self._account.tables["snapshots"][record["DBSnapshotIdentifier"]]
        return {"DBSnapshot": {**record, "Status": "deleted"}}

    def delete_db_cluster_snapshot(self, a: Arguments) -> Record:
        """End a cluster's snapshot."""
        name = a["DBClusterSnapshotIdentifier"]
        record = self._account.find("cluster_snapshots", name, "DBClusterSnapshotNotFoundFault")
        del self._account.tables["cluster_snapshots"][record["DBClusterSnapshotIdentifier"]]
        return {"DBClusterSnapshot": {**record, "Status": "deleted"}}

    def restore_db_instance_from_db_snapshot(self, a: Arguments) -> Record:
        """Order an instance that begins with a snapshot's data, login and password."""
        snapshot = self._available("snapshots", a["DBSnapshotIdentifier"], "DBSnapshotNotFound")
        order = {
            "AllocatedStorage": snapshot["AllocatedStorage"],
            "StorageType": snapshot["StorageType"],
            "StorageEncrypted": snapshot["Encrypted"],
            "DBInstanceClass": "db.t4g.micro",
            **a,
            "MasterUsername": snapshot["MasterUsername"],
        }
        name = snapshot["DBSnapshotIdentifier"]
        record = self._instances.order(order, snapshot["Engine"], snapshot["EngineVersion"], source=name)
        self._account.secrets[record["DBInstanceIdentifier"]] = self._account.secrets[f"snapshot:{name}"]
        return {"DBInstance": record}

    def restore_db_cluster_from_snapshot(self, a: Arguments) -> Record:
        """Order a cluster that begins with a snapshot's data, login and password."""
        snapshot = self._available("cluster_snapshots", a["SnapshotIdentifier"], "DBClusterSnapshotNotFoundFault")
        name, version = snapshot["DBClusterSnapshotIdentifier"], a.get("EngineVersion", snapshot["EngineVersion"])
        order = {**a, "MasterUsername": snapshot["MasterUsername"], "StorageEncrypted": snapshot["StorageEncrypted"]}
        record = self._clusters.order(order, snapshot["Engine"], version, source=name)
        self._account.secrets[record["DBClusterIdentifier"]] = self._account.secrets[f"snapshot:{name}"]
        return {"DBCluster": record}

    def _available(self, table: str, name: str, code: str) -> Record:
        snapshot = self._account.find(table, name, code)
        if snapshot["Status"] != "available":
            raise Refusal("InvalidDBSnapshotState", "the snapshot is not available")
        return snapshot
