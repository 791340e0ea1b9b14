"""What of a server can be wished and changed: one row for each field of AWS's orders. Pure.

A field for which nothing is wished is no difference: what AWS chose by itself is not drift (clouds.md §6, C16).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import attrs

from dbclaims.core.spi import InvalidSpec, ServerSpec

from .config import Config, instance_class
from .observed import Record, pending_changes

_DAY = timedelta(days=1)


def _plain(name: str) -> Callable[[Record], Any]:
    return lambda record: record.get(name)


def _security_groups(record: Record) -> list[str]:
    return sorted(each["VpcSecurityGroupId"] for each in record.get("VpcSecurityGroups", ()))


def _group(record: Record) -> str | None:
    groups = record.get("DBParameterGroups")
    return groups[0]["DBParameterGroupName"] if groups else None


def _storage_type(record: Record) -> Any:
    # AWS leaves the plain type of a cluster out of its answers.
    return pending_changes(record).get("StorageType", record.get("StorageType") or "aurora")


@attrs.frozen
class Field:
    """One field.

    Attributes:
        argument: its name in AWS's orders.
        words: its name for people.
        record: its name in AWS's records, where that differs, or how it is read.
        disruptive: whether a change interrupts clients.
        verb: the action that changes it.
        where: `instance`, `cluster`, or `both`.
    """

    argument: str
    words: str
    record: str | Callable[[Record], Any] = ""
    disruptive: bool = False
    verb: str = "modify"
    where: str = "both"

    def read(self, record: Record) -> Any:
        """The field's value in a record, with what is already pending there."""
        if callable(self.record):
            return self.record(record)
        name = self.record or self.argument
        return pending_changes(record).get(name, record.get(name))


FIELDS = (
    Field("DBInstanceClass", "class", disruptive=True, verb="resize", where="instance"),
    Field("AllocatedStorage", "storage in GiB", verb="grow", where="instance"),
    Field("StorageType", "storage type", _storage_type),
    Field("Iops", "IOPS", where="instance"),
    Field("StorageThroughput", "throughput", where="instance"),
    Field("MaxAllocatedStorage", "growth limit", where="instance"),
    Field("MultiAZ", "standby", where="instance"),
    Field("BackupRetentionPeriod", "days of backup"),
    Field("PreferredBackupWindow", "backup window"),
    Field("PreferredMaintenanceWindow", "maintenance window"),
    Field("VpcSecurityGroupIds", "security groups", _security_groups),
    Field("CACertificateIdentifier", "certificate authority", disruptive=True, where="instance"),
    Field("EnableIAMDatabaseAuthentication", "IAM logins", "IAMDatabaseAuthenticationEnabled"),
    Field("EnablePerformanceInsights", "Performance Insights", "PerformanceInsightsEnabled", where="instance"),
    Field("PerformanceInsightsRetentionPeriod", "Performance Insights' days", where="instance"),
    Field("DeletionProtection", "deletion protection"),
    Field("AutoMinorVersionUpgrade", "minor upgrades", where="instance"),
    Field("PubliclyAccessible", "public address", where="instance"),
    Field("CopyTagsToSnapshot", "tags on snapshots"),
    Field("DBParameterGroupName", "parameter group", _group, where="instance"),
    Field("DBClusterParameterGroupName", "parameter group", "DBClusterParameterGroup", where="cluster"),
    Field("ServerlessV2ScalingConfiguration", "capacity", where="cluster"),
)

_FIXED = (
    ("StorageEncrypted", "encrypted"),
    ("KmsKeyId", "kmsKeyId"),
    ("MasterUsername", "adminUsername"),
)


def wishes(spec: ServerSpec, config: Config, where: str) -> dict[str, Any]:
    """What is wished of an `instance`, a `cluster`, or a cluster's `member`. Raises `InvalidSpec`."""
    wished = {
        **_size(spec, config),
        **({} if config.aurora else _storage(spec, config)),
        **_backup(spec),
        **_cluster(config),
        "MultiAZ": spec.high_availability,
        "PreferredMaintenanceWindow": spec.maintenance_window.lower() if spec.maintenance_window else None,
        "VpcSecurityGroupIds": sorted(config.security_group_ids) or None,
        "CACertificateIdentifier": config.ca_certificate,
        "EnableIAMDatabaseAuthentication": config.iam_authentication,
        "EnablePerformanceInsights": config.performance_insights is not None,
        "AutoMinorVersionUpgrade": config.auto_minor_version_upgrade,
        "PubliclyAccessible": config.publicly_accessible,
        "DeletionProtection": config.deletion_protection,
        "CopyTagsToSnapshot": True,
    }
    if config.performance_insights:
        wished["PerformanceInsightsRetentionPeriod"] = config.performance_insights.retention_days
    return {argument: value for argument, value in wished.items() if value is not None and argument in _of(where)}


def _of(where: str) -> set[str]:
    """Fields of an order; of a cluster's fields its members take only those that are theirs alone."""
    if where == "member":
        return {each.argument for each in FIELDS if each.where == "instance"} - {"MultiAZ"}
    return {each.argument for each in FIELDS if each.where in ("both", where)}


def differences(wished: Mapping[str, Any], record: Record) -> list[tuple[Field, Any]]:
    """The fields in which a record is not as wished, with the value that it has."""
    by_name = {each.argument: each for each in FIELDS}
    found = [(by_name[argument], by_name[argument].read(record)) for argument in wished]
    return [(each, has) for each, has in found if has != wished[each.argument] and not _is_growth(each, has, wished)]


def check_fixed(spec: ServerSpec, config: Config, record: Record) -> None:
    """Refuse an edit of what was fixed at birth; raises `InvalidSpec` (`Immutable`)."""
    username = spec.admin.username if spec.admin else None
    wished = {"StorageEncrypted": config.encrypted, "KmsKeyId": config.kms_key_id, "MasterUsername": username}
    for name, path in _FIXED:
        # A key may be named by alias or by ARN, and AWS answers with the ARN.
        has, want = record.get(name), wished[name]
        if want is None or has == want or (name == "KmsKeyId" and str(has).endswith(str(want))):
            continue
        raise InvalidSpec(
            f"spec.config.{path}: is {has!r} and cannot be changed to {want!r}; set it back, or make another server",
            reason="Immutable",
        )


def _is_growth(field: Field, has: Any, wished: Mapping[str, Any]) -> bool:
    """Storage never shrinks: where AWS may grow it, more than was wished is no difference, else it is refused."""
    wanted = wished[field.argument]
    if field.argument != "AllocatedStorage" or has is None or has <= wanted:
        return False
    if "MaxAllocatedStorage" not in wished:
        raise InvalidSpec(
            f"spec.storageGiB: storage never shrinks; the server has {has} GiB, so wish for {has} or more",
            reason="StorageShrinks",
        )
    return True


def _size(spec: ServerSpec, config: Config) -> dict[str, Any]:
    try:
        return {"DBInstanceClass": instance_class(config, spec.size)}
    except ValueError as error:
        raise InvalidSpec(str(error), reason="SizeUnknown") from None


def _storage(spec: ServerSpec, config: Config) -> dict[str, Any]:
    storage = config.storage
    return {
        "AllocatedStorage": spec.storage_gib,
        "StorageType": storage.type,
        "Iops": storage.iops,
        "StorageThroughput": storage.throughput,
        "MaxAllocatedStorage": storage.max_gib,
    }


def _backup(spec: ServerSpec) -> dict[str, Any]:
    backup = spec.backup or {}
    retention: timedelta | None = backup.get("retention")
    if retention is None:
        return {"PreferredBackupWindow": backup.get("window")}
    if retention % _DAY or not timedelta(0) <= retention <= 35 * _DAY:
        raise InvalidSpec("spec.backup.retention: AWS keeps backups for 0 to 35 whole days; write such as 168h")
    return {"PreferredBackupWindow": backup.get("window"), "BackupRetentionPeriod": retention // _DAY}


def _cluster(config: Config) -> dict[str, Any]:
    if config.aurora is None:
        return {}
    wished: dict[str, Any] = {"StorageType": config.aurora.storage}
    if config.aurora.serverless:
        limits = config.aurora.serverless
        capacity = {"MinCapacity": float(limits.min_capacity), "MaxCapacity": float(limits.max_capacity)}
        wished["ServerlessV2ScalingConfiguration"] = capacity
    return wished
