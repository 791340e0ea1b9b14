"""DB instances: creating -> backing-up -> available, modifying, rebooting, stopping, deleting; pending values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..farm import Machine
from ..wire import Refusal
from . import catalogue
from .account import Account, Arguments, Record, identifier, page, tags

_RESERVED = {"admin", "rdsadmin", "postgres_admin", "rds_superuser", "root", "mysql.sys"}
_BUSY_IS_FINE = ("available", "storage-optimization", "incompatible-parameters", "storage-full")
_DEFERRED = (
    "DBInstanceClass",
    "AllocatedStorage",
    "BackupRetentionPeriod",
    "MultiAZ",
    "EngineVersion",
    "Iops",
    "StorageType",
    "StorageThroughput",
    "CACertificateIdentifier",
)
"""What waits for the maintenance window unless it is to apply immediately."""
_OUTAGE = ("DBInstanceClass", "EngineVersion", "CACertificateIdentifier")
_AT_ONCE: Mapping[str, str] = {
    "AutoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "DeletionProtection": "DeletionProtection",
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "MaxAllocatedStorage": "MaxAllocatedStorage",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "PreferredBackupWindow": "PreferredBackupWindow",
    "PreferredMaintenanceWindow": "PreferredMaintenanceWindow",
    "PromotionTier": "PromotionTier",
    "PubliclyAccessible": "PubliclyAccessible",
}
"""Argument to the record's key: what changes without a wait."""


class Instances:
    """The operations on instances."""

    def __init__(self, account: Account) -> None:
        self._account = account

    # --- making ------------------------------------------------------------------------------------------------

    def create_db_instance(self, a: Arguments) -> Record:
        """Order an instance, of its own or of a cluster."""
        engine = a["Engine"]
        if "DBClusterIdentifier" in a:
            return {"DBInstance": self._join(a)}
        if engine.startswith("aurora"):
            raise Refusal("InvalidParameterCombination", "an Aurora instance belongs to a cluster")
        version = catalogue.version_of(engine, a.get("EngineVersion"))
        check_login(engine, a)
        _check_storage(a)
        record = self.order(a, engine, version)
        self._account.secrets[record["DBInstanceIdentifier"]] = a["MasterUserPassword"]
        return {"DBInstance": record}

    def order(self, a: Arguments, engine: str, version: str, source: str = "") -> Record:
        """Make the record of an instance of its own, and let it come to life."""
        record = self._record(a, engine, version)
        record |= {
            "AllocatedStorage": a["AllocatedStorage"],
            "StorageType": a.get("StorageType", "gp2"),
            "Iops": a.get("Iops", 3000 if a.get("StorageType") == "gp3" else None),
            "StorageThroughput": a.get("StorageThroughput", 125 if a.get("StorageType") == "gp3" else None),
            "MasterUsername": a["MasterUsername"],
            "BackupRetentionPeriod": a.get("BackupRetentionPeriod", 1),
            "MultiAZ": a.get("MultiAZ", False),
            "StorageEncrypted": a.get("StorageEncrypted", False),
            "KmsKeyId": a.get("KmsKeyId"),
        }
        self._account.tables["instances"][record["DBInstanceIdentifier"]] = record
        self._account.after(self._account.pace.creating, lambda: self._created(record, source))
        return record

    def _join(self, a: Arguments) -> Record:
        cluster = self._account.find("clusters", a["DBClusterIdentifier"], "DBClusterNotFoundFault")
        if a["Engine"] != cluster["Engine"] or "MasterUsername" in a or "AllocatedStorage" in a:
            raise Refusal("InvalidParameterCombination", "the cluster decides engine, storage and login")
        if cluster["Status"] == "deleting":
            raise Refusal("InvalidDBClusterStateFault", "the cluster is being deleted")
        record = self._record(a, cluster["Engine"], cluster["EngineVersion"])
        record |= {
            "DBClusterIdentifier": cluster["DBClusterIdentifier"],
            "AllocatedStorage": 1,
            "MasterUsername": cluster["MasterUsername"],
            "StorageType": cluster["StorageType"],
        }
        member = {
            "DBInstanceIdentifier": record["DBInstanceIdentifier"],
            "IsClusterWriter": not cluster["DBClusterMembers"],
            "DBClusterParameterGroupStatus": "in-sync",
            "PromotionTier": 1,
        }
        self._account.tables["instances"][record["DBInstanceIdentifier"]] = record
        cluster["DBClusterMembers"].append(member)
        self._account.after(self._account.pace.creating, lambda: _set_available(record))
        return record

    def _record(self, a: Arguments, engine: str, version: str) -> Record:
        account = self._account
        name = identifier(a["DBInstanceIdentifier"], "DBInstanceIdentifier")
        account.check_free("instances", name, "DBInstanceAlreadyExists")
        catalogue.check_class(engine, a["DBInstanceClass"])
        if len(account.tables["instances"]) >= account.quotas.instances:
            raise Refusal("InstanceQuotaExceeded", "Request would cause the number of instances to exceed the quota.")
        if a.get("MultiAZ") and a.get("AvailabilityZone"):
            raise Refusal("InvalidParameterCombination", "a specific availability zone is not valid for Multi-AZ")
        if a.get("CACertificateIdentifier", catalogue.CERTIFICATES[0]) not in catalogue.CERTIFICATES:
            raise Refusal("CertificateNotFound", f"{a['CACertificateIdentifier']} is not a certificate")
        serial = account.serial()
        return {
            "DBInstanceIdentifier": name,
            "DBInstanceArn": account.arn("db", name),
            "DbiResourceId": f"db-{serial:026d}",
            "DBInstanceClass": a["DBInstanceClass"],
            "Engine": engine,
            "EngineVersion": version,
            "DBInstanceStatus": "creating",
            "InstanceCreateTime": account.date,
            "DbInstancePort": a.get("Port", default_port(engine)),
            "DBParameterGroups": [{"DBParameterGroupName": self._group(a, engine, version), **_IN_SYNC}],
            "VpcSecurityGroups": security_groups(a),
            "DBSubnetGroup": subnet_group(account, a),
            "PendingModifiedValues": {},
            "AvailabilityZone": a.get("AvailabilityZone", "eu-central-1a"),
            "CACertificateIdentifier": a.get("CACertificateIdentifier", catalogue.CERTIFICATES[0]),
            "PreferredMaintenanceWindow": "sun:05:00-sun:05:30",
            "PreferredBackupWindow": "03:00-03:30",
            "AutoMinorVersionUpgrade": True,
            "DeletionProtection": False,
            "IAMDatabaseAuthenticationEnabled": False,
            "PerformanceInsightsEnabled": False,
            "PubliclyAccessible": False,
            "EnabledCloudwatchLogsExports": list(a.get("EnableCloudwatchLogsExports", ())),
            **{key: a[argument] for argument, key in _AT_ONCE.items() if argument in a},
            "TagList": tags(a.get("Tags")),
        }

    def _group(self, a: Arguments, engine: str, version: str) -> str:
        family = catalogue.family(engine, version)
        name = a.get("DBParameterGroupName")
        if name is None:
            return f"default.{family}"
        if name.startswith("default."):
            return str(name)
        group = self._account.find("parameter_groups", name, "DBParameterGroupNotFound")
        if group["DBParameterGroupFamily"] != family:
            raise Refusal("InvalidParameterCombination", f"{name} is of family {group['DBParameterGroupFamily']}")
        return str(group["DBParameterGroupName"])

    def _created(self, record: Record, source: str) -> None:
        account, name = self._account, record["DBInstanceIdentifier"]
        if record["DBInstanceStatus"] != "creating":
            return
        host = account.farm.make(_machine(account, record, source))
        record["Endpoint"] = {"Address": host, "Port": record["DbInstancePort"], "HostedZoneId": "Z1"}
        record["DBInstanceStatus"] = "backing-up" if record["BackupRetentionPeriod"] else "available"
        account.secrets.setdefault(name, "")
        account.after(account.pace.backing_up, lambda: _set_available(record))

    # --- reading -----------------------------------------------------------------------------------------------

    def describe_db_instances(self, a: Arguments) -> Record:
        """One instance, those that a filter selects, or all."""
        records = self._account.listed("instances", a.get("DBInstanceIdentifier"), "DBInstanceNotFound")
        for each in a.get("Filters", ()):
            if each["Name"] != "db-cluster-id":
                raise Refusal("InvalidParameterValue", f"Unrecognized filter name: {each['Name']}")
            records = [r for r in records if r.get("DBClusterIdentifier") in each["Values"]]
        return page("DBInstances", records, a)

    # --- changing ----------------------------------------------------------------------------------------------

    def modify_db_instance(self, a: Arguments) -> Record:
        """Change an instance; what may interrupt it waits for the window unless it is to apply immediately."""
        record = self._find(a)
        if record["DBInstanceStatus"] not in _BUSY_IS_FINE:
            raise Refusal("InvalidDBInstanceState", f"Instance {record['DBInstanceIdentifier']} is not available.")
        self._check_change(record, a)
        for argument, key in _AT_ONCE.items():
            if argument in a:
                record[key] = a[argument]
        _set_groups(record, a)
        set_logs(record, a)
        pending = record["PendingModifiedValues"]
        pending |= {key: a[key] for key in _DEFERRED if key in a and a[key] != record.get(key)}
        if "MasterUserPassword" in a:
            self._set_password(record, a["MasterUserPassword"])
        elif a.get("ApplyImmediately") and pending:
            self._apply_pending(record)
        return {"DBInstance": record}

    def _check_change(self, record: Record, a: Arguments) -> None:
        engine = record["Engine"]
        if "DBInstanceClass" in a:
            catalogue.check_class(engine, a["DBInstanceClass"])
        if "MasterUserPassword" in a:
            check_password(engine, a["MasterUserPassword"])
        if "EngineVersion" in a:
            check_upgrade(record["EngineVersion"], engine, a)
        if "DBParameterGroupName" in a:
            self._group(a, engine, a.get("EngineVersion", record["EngineVersion"]))
        _check_growth(record, a)
        _check_limits({**record, **a})

    def _set_password(self, record: Record, password: str) -> None:
        account, name = self._account, record["DBInstanceIdentifier"]
        record["PendingModifiedValues"]["MasterUserPassword"] = "****"
        record["DBInstanceStatus"] = "resetting-master-credentials"
        account.secrets[name] = password

        def done() -> None:
            account.farm.set_password(name, record["MasterUsername"], password)
            record["PendingModifiedValues"].pop("MasterUserPassword", None)
            _set_available(record)

        account.after(account.pace.password, done)

    def _apply_pending(self, record: Record) -> None:
        """Everything that is pending happens, whoever asked for it."""
        account, pending = self._account, record["PendingModifiedValues"]
        record["DBInstanceStatus"] = "upgrading" if "EngineVersion" in pending else "modifying"
        if retention_outage(record, pending) or any(key in pending for key in _OUTAGE):
            account.outages.append((record["DBInstanceIdentifier"], ", ".join(sorted(pending))))
            account.farm.restart(record["DBInstanceIdentifier"])

        def done() -> None:
            record.update(pending)
            pending.clear()
            _set_available(record)

        account.after(account.pace.modifying, done)

    def maintain(self) -> None:
        """The maintenance window opens: everything pending is applied."""
        for record in self._account.tables["instances"].values():
            if record["PendingModifiedValues"] and record["DBInstanceStatus"] == "available":
                self._apply_pending(record)

    def reboot_db_instance(self, a: Arguments) -> Record:
        """Restart an instance, which brings static parameters in."""
        record = self._find(a)
        self._check_available(record)
        record["DBInstanceStatus"] = "rebooting"
        self._account.outages.append((record["DBInstanceIdentifier"], "reboot"))
        self._account.farm.restart(record["DBInstanceIdentifier"])
        for group in record["DBParameterGroups"]:
            group["ParameterApplyStatus"] = "in-sync"
        for cluster in self._account.tables["clusters"].values():
            for member in cluster["DBClusterMembers"]:
                if member["DBInstanceIdentifier"] == record["DBInstanceIdentifier"]:
                    member["DBClusterParameterGroupStatus"] = "in-sync"
        self._account.after(self._account.pace.rebooting, lambda: _set_available(record))
        return {"DBInstance": record}

    def stop_db_instance(self, a: Arguments) -> Record:
        """Stop an instance; it stays stopped in the double."""
        record = self._find(a)
        self._check_available(record)
        record["DBInstanceStatus"] = "stopping"
        self._account.after(self._account.pace.rebooting, lambda: record.__setitem__("DBInstanceStatus", "stopped"))
        return {"DBInstance": record}

    def start_db_instance(self, a: Arguments) -> Record:
        """Start a stopped instance."""
        record = self._find(a)
        if record["DBInstanceStatus"] != "stopped":
            raise Refusal("InvalidDBInstanceState", "the instance is not stopped")
        record["DBInstanceStatus"] = "starting"
        self._account.after(self._account.pace.rebooting, lambda: _set_available(record))
        return {"DBInstance": record}

    # --- the end -----------------------------------------------------------------------------------------------

    def delete_db_instance(self, a: Arguments) -> Record:
        """End an instance, with a last snapshot or expressly without one."""
        account, record = self._account, self._find(a)
        name, final = record["DBInstanceIdentifier"], a.get("FinalDBSnapshotIdentifier")
        if record["DeletionProtection"]:
            raise Refusal("InvalidParameterCombination", "Cannot delete protected DB Instance.")
        if record["DBInstanceStatus"] == "deleting":
            raise Refusal("InvalidDBInstanceState", f"Instance {name} is already being deleted.")
        if "DBClusterIdentifier" in record:
            self._leave(record)
        else:
            _check_final(a, final)
            if final:
                self._keep(record, final)
        record["DBInstanceStatus"] = "deleting"
        account.after(account.pace.deleting, lambda: self._gone(record))
        return {"DBInstance": record}

    def _keep(self, record: Record, final: str) -> None:
        if record["DBInstanceStatus"] in ("creating", "failed"):
            raise Refusal("InvalidDBInstanceState", "cannot take a snapshot of it; skip the final snapshot")
        self._account.check_free("snapshots", final, "DBSnapshotAlreadyExists")
        self._account.tables["snapshots"][final.lower()] = snapshot_record(self._account, record, final)

    def _leave(self, record: Record) -> None:
        cluster = self._account.find("clusters", record["DBClusterIdentifier"], "DBClusterNotFoundFault")
        kept = [m for m in cluster["DBClusterMembers"] if m["DBInstanceIdentifier"] != record["DBInstanceIdentifier"]]
        for first in kept[:1]:
            first["IsClusterWriter"] = True
        cluster["DBClusterMembers"] = kept

    def _gone(self, record: Record) -> None:
        name = record["DBInstanceIdentifier"]
        if self._account.tables["instances"].get(name) is record:
            del self._account.tables["instances"][name]
            self._account.secrets.pop(name, None)
            self._account.farm.end(name)

    def _find(self, a: Arguments) -> Record:
        return self._account.find("instances", a["DBInstanceIdentifier"], "DBInstanceNotFound")

    def _check_available(self, record: Record) -> None:
        if record["DBInstanceStatus"] != "available":
            raise Refusal("InvalidDBInstanceState", f"Instance {record['DBInstanceIdentifier']} is not available.")


# --- rules that clusters share -----------------------------------------------------------------------------------

_IN_SYNC = {"ParameterApplyStatus": "in-sync"}


def default_port(engine: str) -> int:
    """The engine's usual port."""
    return 5432 if "postgres" in engine else 3306


def check_login(engine: str, a: Arguments) -> None:
    """Refuse a master login that is missing, reserved, or breaks the rules (clouds.md, table 6.1)."""
    username = a.get("MasterUsername", "")
    if not username or "MasterUserPassword" not in a:
        raise Refusal("InvalidParameterCombination", "MasterUsername and MasterUserPassword are needed")
    if username.lower() in _RESERVED or not re.fullmatch(r"[A-Za-z]\w{0,62}", username):
        raise Refusal("InvalidParameterValue", f"MasterUsername {username} cannot be used")
    check_password(engine, a["MasterUserPassword"])


def check_password(engine: str, password: str) -> None:
    """Refuse a password of a wrong length or alphabet."""
    longest = 128 if "postgres" in engine else 41
    if not 8 <= len(password) <= longest or re.search(r'[/"@ ]', password):
        raise Refusal("InvalidParameterValue", "The parameter MasterUserPassword is not a valid password.")


def check_upgrade(version: str, engine: str, a: Arguments) -> None:
    """Refuse a version that cannot be reached, and a major step that is not expressly allowed."""
    if a["EngineVersion"] == version:
        return
    targets = {each["EngineVersion"]: each for each in catalogue.upgrades(engine, version)}
    target = targets.get(a["EngineVersion"])
    if target is None:
        raise Refusal("InvalidParameterCombination", f"Cannot upgrade {engine} from {version} to {a['EngineVersion']}")
    if target["IsMajorVersionUpgrade"] and not a.get("AllowMajorVersionUpgrade"):
        raise Refusal("InvalidParameterCombination", "The AllowMajorVersionUpgrade flag must be present")


def set_logs(record: Record, a: Arguments) -> None:
    """Begin and end sending logs."""
    change = a.get("CloudwatchLogsExportConfiguration", {})
    kept = set(record["EnabledCloudwatchLogsExports"]) - set(change.get("DisableLogTypes", ()))
    record["EnabledCloudwatchLogsExports"] = sorted(kept | set(change.get("EnableLogTypes", ())))


def retention_outage(record: Record, pending: Mapping[str, Any]) -> bool:
    """Whether backups are switched on or off, which interrupts."""
    return "BackupRetentionPeriod" in pending and not (
        pending["BackupRetentionPeriod"] and record["BackupRetentionPeriod"]
    )


def security_groups(a: Arguments) -> list[Record]:
    """Membership in security groups."""
    return [{"VpcSecurityGroupId": each, "Status": "active"} for each in a.get("VpcSecurityGroupIds", ["sg-default"])]


def subnet_group(account: Account, a: Arguments) -> Record:
    """The subnet group that an order names, or the default one."""
    if "DBSubnetGroupName" not in a:
        return {"DBSubnetGroupName": "default"}
    return account.find("subnet_groups", a["DBSubnetGroupName"], "DBSubnetGroupNotFoundFault")


def snapshot_record(account: Account, record: Record, name: str, **kind: str) -> Record:
    """A snapshot of an instance, taken now and available later."""
    stored = identifier(name, "DBSnapshotIdentifier", 255)
    account.farm.snapshot(record["DBInstanceIdentifier"], stored)
    copied = ("Engine", "EngineVersion", "AllocatedStorage", "MasterUsername", "StorageType", "KmsKeyId")
    made: Record = {
        "DBSnapshotIdentifier": stored,
        "DBSnapshotArn": account.arn("snapshot", stored),
        "DBInstanceIdentifier": record["DBInstanceIdentifier"],
        "DbiResourceId": record["DbiResourceId"],
        "Encrypted": record["StorageEncrypted"],
        "SnapshotType": "manual",
        "SnapshotCreateTime": account.date,
        "Status": "creating",
        "PercentProgress": 0,
        "TagList": list(record["TagList"]) if record.get("CopyTagsToSnapshot") else [],
        **{key: record.get(key) for key in copied},
        **kind,
    }
    account.secrets[f"snapshot:{stored}"] = account.secrets.get(record["DBInstanceIdentifier"], "")
    account.after(account.pace.snapshot, lambda: made.update(Status="available", PercentProgress=100))
    return made


def _check_final(a: Arguments, final: str | None) -> None:
    if bool(a.get("SkipFinalSnapshot")) == bool(final):
        message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified, and never beside it."
        raise Refusal("InvalidParameterCombination", message)


def _check_storage(a: Arguments) -> None:
    if not 20 <= a.get("AllocatedStorage", 0) <= 65536:
        raise Refusal("InvalidParameterValue", "Invalid storage size: 20 to 65536 GiB")
    if a.get("KmsKeyId") and not a.get("StorageEncrypted"):
        raise Refusal("InvalidParameterCombination", "KmsKeyId needs StorageEncrypted")
    _check_limits(a)


def _check_limits(a: Arguments) -> None:
    kind, size = a.get("StorageType", "gp2"), a["AllocatedStorage"]
    if (a.get("Iops") or 3000) != 3000 and kind == "gp3" and size < 400:
        raise Refusal("InvalidParameterCombination", "You can't specify IOPS or storage throughput for gp3 below 400")
    if kind == "io1" and not a.get("Iops"):
        raise Refusal("InvalidParameterCombination", "io1 needs Iops")
    if a.get("MaxAllocatedStorage") and a["MaxAllocatedStorage"] < size:
        raise Refusal("InvalidParameterCombination", "Max storage size must be greater than storage size")
    if not 0 <= a.get("BackupRetentionPeriod", 1) <= 35:
        raise Refusal("InvalidParameterValue", "Invalid backup retention period: 0 to 35 days")


def _check_growth(record: Record, a: Arguments) -> None:
    old, new = record["AllocatedStorage"], a.get("AllocatedStorage")
    if new is not None and new != old and new < old * 1.1:
        raise Refusal("InvalidParameterCombination", "Invalid storage size for modification: grow by at least 10 %")


def _set_groups(record: Record, a: Arguments) -> None:
    if "VpcSecurityGroupIds" in a:
        record["VpcSecurityGroups"] = security_groups(a)
    name = a.get("DBParameterGroupName")
    if name and name != record["DBParameterGroups"][0]["DBParameterGroupName"]:
        record["DBParameterGroups"] = [{"DBParameterGroupName": name, "ParameterApplyStatus": "pending-reboot"}]


def _set_available(record: Record) -> None:
    if record["DBInstanceStatus"] != "deleting":
        record["DBInstanceStatus"] = "available"


def _machine(account: Account, record: Record, source: str) -> Machine:
    return Machine(
        name=record["DBInstanceIdentifier"],
        engine=record["Engine"],
        version=record["EngineVersion"],
        port=record["DbInstancePort"],
        username=record["MasterUsername"],
        password=account.secrets[record["DBInstanceIdentifier"]],
        source=source,
    )
