"""What of a server can be wished and changed: one row for each field of AWS's orders. Pure.

A field for which nothing is wished is no difference: what AWS chose by itself is not drift (clouds.md §6, C16).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import attrs

from dbclaims.core.spi import InvalidSpec, ServerSpec, Unsupported

from .config import Config, PerformanceInsights, instance_class
from .observed import Record, pending_changes

_DAY = timedelta(days=1)


def _plain(name: str) -> Callable[[Record], Any]:
    return lambda record: record.get(name)


def _security_groups(record: Record) -> list[str]:
    return sorted(each["VpcSecurityGroupId"] for each in record.get("VpcSecurityGroups", ()))


def _port(record: Record) -> Any:
    # The record of an instance has one more port, which is 0 unless it is a cluster's.
    return record["Port"] if "Port" in record else record["Endpoint"]["Port"]


def _subnet_group(record: Record) -> Any:
    # A cluster's record holds the name alone.
    group = record.get("DBSubnetGroup")
    return group["DBSubnetGroupName"] if isinstance(group, Mapping) else group


def _group(record: Record) -> str | None:
    groups = record.get("DBParameterGroups")
    return groups[0]["DBParameterGroupName"] if groups else None


def _logs(record: Record) -> list[str]:
    return sorted(record.get("EnabledCloudwatchLogsExports", ()))


def _log_change(has: list[str], wanted: list[str]) -> dict[str, list[str]]:
    return {"EnableLogTypes": sorted({*wanted} - {*has}), "DisableLogTypes": sorted({*has} - {*wanted})}


def _whole(has: Any, wanted: Any) -> Any:
    del has
    return wanted


def _same(has: Any, wanted: Any) -> bool:
    """Equal, or a key's id in its ARN. AWS never answers with an alias, so that one is taken for what stands."""
    if not isinstance(wanted, str) or not has:
        return bool(has == wanted)
    return bool(has == wanted) or str(has).endswith(f":key/{wanted}") or "alias/" in wanted


def _storage_type(record: Record) -> Any:
    # AWS leaves the plain type of a cluster out of its answers.
    return pending_changes(record).get("StorageType", record.get("StorageType") or "aurora")


@attrs.frozen
class Field:
    """One field.

    Attributes:
        argument: its name in AWS's orders.
        path: where it is wished, below `spec`; empty for what we always want.
        words: its name for people.
        record: its name in AWS's records, where that differs, or how it is read.
        disruptive: whether a change interrupts clients.
        verb: the action that changes it.
        where: `instance`, `cluster`, or `both`.
        order: makes the order from what is and what is wished, where that is not simply the wish.
    """

    argument: str
    path: str
    words: str
    record: str | Callable[[Record], Any] = ""
    disruptive: bool = False
    verb: str = "modify"
    where: str = "both"
    order: Callable[[Any, Any], Any] = _whole

    def read(self, record: Record) -> Any:
        """The field's value in a record, with what is already pending there."""
        if callable(self.record):
            return self.record(record)
        name = self.record or self.argument
        return pending_changes(record).get(name, record.get(name))


FIELDS = (
    Field("DBInstanceClass", "size, config.instanceClass", "class", disruptive=True, verb="resize", where="instance"),
    Field("AllocatedStorage", "storageGiB", "storage in GiB", where="instance"),
    Field("StorageType", "config.storage.type, config.aurora.storage", "storage type", _storage_type),
    Field("Iops", "config.storage.iops", "IOPS", where="instance"),
    Field("StorageThroughput", "config.storage.throughput", "throughput", where="instance"),
    Field("MaxAllocatedStorage", "config.storage.maxGib", "growth limit", where="instance"),
    Field("MultiAZ", "highAvailability", "standby", where="instance"),
    Field("BackupRetentionPeriod", "backup.retention", "days of backup"),
    Field("PreferredBackupWindow", "backup.window", "backup window"),
    Field("PreferredMaintenanceWindow", "maintenanceWindow", "maintenance window"),
    Field("VpcSecurityGroupIds", "config.securityGroupIds", "security groups", _security_groups),
    Field(
        "CACertificateIdentifier", "config.caCertificate", "certificate authority", disruptive=True, where="instance"
    ),
    Field(
        "EnableIAMDatabaseAuthentication", "config.iamAuthentication", "IAM logins", "IAMDatabaseAuthenticationEnabled"
    ),
    Field(
        "EnablePerformanceInsights",
        "config.performanceInsights",
        "Performance Insights",
        "PerformanceInsightsEnabled",
        where="instance",
    ),
    Field(
        "PerformanceInsightsRetentionPeriod",
        "config.performanceInsights.retentionDays",
        "Performance Insights' days",
        where="instance",
    ),
    Field(
        "PerformanceInsightsKMSKeyId",
        "config.performanceInsights.kmsKeyId",
        "Performance Insights' key",
        where="instance",
    ),
    Field("CloudwatchLogsExportConfiguration", "config.logExports", "logs for CloudWatch", _logs, order=_log_change),
    Field("DeletionProtection", "config.deletionProtection", "deletion protection"),
    Field("AutoMinorVersionUpgrade", "config.autoMinorVersionUpgrade", "minor upgrades", where="instance"),
    Field("PubliclyAccessible", "config.publiclyAccessible", "public address", where="instance"),
    Field("CopyTagsToSnapshot", "", "tags on snapshots"),
    Field("DBParameterGroupName", "parameters, config.parameterGroup", "parameter group", _group, where="instance"),
    Field(
        "DBClusterParameterGroupName",
        "parameters, config.aurora.parameterGroup",
        "parameter group",
        "DBClusterParameterGroup",
        where="cluster",
    ),
    Field("ServerlessV2ScalingConfiguration", "config.aurora.serverless", "capacity", where="cluster"),
)


@attrs.frozen
class Fixed:
    """What is settled at birth.

    Attributes:
        path: where it is wished.
        wish: reads the wish; None is none.
        read: reads what AWS has.
    """

    path: str
    wish: Callable[[ServerSpec, Config], Any]
    read: Callable[[Record], Any]


FIXED = (
    Fixed("spec.config.encrypted", lambda _, config: config.encrypted, _plain("StorageEncrypted")),
    Fixed("spec.config.kmsKeyId", lambda _, config: config.kms_key_id, _plain("KmsKeyId")),
    Fixed("spec.config.port", lambda _, config: config.port, _port),
    Fixed("spec.config.subnetGroup", lambda _, config: config.subnet_group, _subnet_group),
    Fixed(
        "the username in the server's admin Secret",
        lambda spec, _: spec.admin and spec.admin.username,
        _plain("MasterUsername"),
    ),
)


def wishes(spec: ServerSpec, config: Config, where: str) -> dict[str, Any]:
    """What is wished of an `instance`, a `cluster`, or a cluster's `member`. Raises `InvalidSpec`."""
    wished = {
        **_size(spec, config),
        **_storage(spec, config),
        **_backup(spec),
        **_cluster(config),
        "MultiAZ": spec.high_availability,
        "PreferredMaintenanceWindow": spec.maintenance_window.lower() if spec.maintenance_window else None,
        "VpcSecurityGroupIds": sorted(config.security_group_ids) or None,
        "CACertificateIdentifier": config.ca_certificate,
        "EnableIAMDatabaseAuthentication": config.iam_authentication,
        "CloudwatchLogsExportConfiguration": sorted(config.log_exports) or None,
        **_insights(config.performance_insights),
        "AutoMinorVersionUpgrade": config.auto_minor_version_upgrade,
        "PubliclyAccessible": config.publicly_accessible,
        "DeletionProtection": config.deletion_protection,
        "CopyTagsToSnapshot": True,
    }
    return {argument: value for argument, value in wished.items() if value is not None and argument in _of(where)}


def _of(where: str) -> set[str]:
    """Fields of an order; of a cluster's fields its members take only those that are theirs alone."""
    if where == "member":
        return {each.argument for each in FIELDS if each.where == "instance"} - {"MultiAZ"}
    return {each.argument for each in FIELDS if each.where in ("both", where)}


def differences(wished: Mapping[str, Any], record: Record) -> list[tuple[Field, Any]]:
    """The fields in which a record is not as wished, with the value that it has."""
    by_name = {each.argument: each for each in FIELDS}
    seen = [(by_name[argument], by_name[argument].read(record)) for argument in wished]
    found = [(each, has) for each, has in seen if not _same(has, wished[each.argument])]
    return [(each, has) for each, has in found if not _is_growth(each, has, wished)]


def check_fixed(spec: ServerSpec, config: Config, record: Record) -> None:
    """Refuse an edit of what was fixed at birth; raises `InvalidSpec` (`Immutable`)."""
    for each in FIXED:
        has, want = each.read(record), each.wish(spec, config)
        if want is None or _same(has, want):
            continue
        raise InvalidSpec(
            f"{each.path}: is {has!r} at AWS and cannot be changed to {want!r}; set it back, or make another server",
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
    if config.aurora:
        if spec.storage_gib is not None:
            raise Unsupported("spec.storageGiB: the volume of an Aurora cluster grows by itself; leave it out")
        return {}
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


def _insights(insights: PerformanceInsights | None) -> dict[str, Any]:
    if insights is None:
        return {"EnablePerformanceInsights": False}
    return {
        "EnablePerformanceInsights": True,
        "PerformanceInsightsRetentionPeriod": insights.retention_days,
        "PerformanceInsightsKMSKeyId": insights.kms_key_id,
    }


def _cluster(config: Config) -> dict[str, Any]:
    if config.aurora is None:
        return {}
    # The cluster has its group by `aurora.parameterGroup`; this one is its instances'.
    wished: dict[str, Any] = {"StorageType": config.aurora.storage, "DBParameterGroupName": config.parameter_group}
    if config.aurora.serverless:
        limits = config.aurora.serverless
        capacity = {"MinCapacity": float(limits.min_capacity), "MaxCapacity": float(limits.max_capacity)}
        wished["ServerlessV2ScalingConfiguration"] = capacity
    return wished
