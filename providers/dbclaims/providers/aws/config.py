"""`spec.config` of a server of this provider; every field is optional but the region."""

from __future__ import annotations

import re
from ipaddress import ip_network

import attrs
from attrs.validators import deep_iterable, ge, in_, le, matches_re, optional


@attrs.frozen
class CASecretRef:
    """The Secret with AWS's bundle of authorities, in the server's namespace."""

    name: str
    key: str = "ca.crt"


@attrs.frozen
class Storage:
    """The volume of an instance; clusters have none of their own.

    Attributes:
        type: gp3, gp2, io1, io2.
        iops: where the type and the size take it.
        throughput: MiB/s, for gp3.
        max_gib: up to which the vendor may let it grow by itself.
    """

    type: str = attrs.field(default="gp3", validator=in_(("gp3", "gp2", "io1", "io2")))
    iops: int | None = attrs.field(default=None, validator=optional(ge(1000)))
    throughput: int | None = attrs.field(default=None, validator=optional(ge(125)))
    max_gib: int | None = attrs.field(default=None, validator=optional(ge(20)))


@attrs.frozen
class Serverless:
    """Limits of serverless v2, in halves of a capacity unit, written as a text: "0.5"."""

    min_capacity: str = attrs.field(default="0.5", validator=matches_re(r"\d{1,3}(\.[05])?"))
    max_capacity: str = attrs.field(default="4", validator=matches_re(r"\d{1,3}(\.[05])?"))


@attrs.frozen
class Aurora:
    """That the server is an Aurora cluster.

    Attributes:
        storage: aurora, or aurora-iopt1 for a flat price of I/O.
        serverless: limits of its capacity; None for instances of a class.
        parameter_group: a cluster parameter group of yours; otherwise ours is made where there are `parameters`.
    """

    storage: str = attrs.field(default="aurora", validator=in_(("aurora", "aurora-iopt1")))
    serverless: Serverless | None = None
    parameter_group: str | None = None


@attrs.frozen
class PerformanceInsights:
    """That queries are recorded. `retention_days`: 7, months of 31, or 731."""

    retention_days: int = attrs.field(default=7, validator=[ge(7), le(731)])
    kms_key_id: str | None = None


def _is_range(instance: object, attribute: object, value: str) -> None:
    del instance, attribute
    try:
        ip_network(value)
    except ValueError:
        raise ValueError(f"{value!r} is no range of addresses, such as 10.0.0.0/8") from None


@attrs.frozen
class Ingress:
    """Who is let in, by rules that are kept in the first of `security_group_ids`; other people's rules stay.

    Attributes:
        cidrs: ranges of addresses.
        security_groups: groups whose members are let in.
    """

    cidrs: tuple[str, ...] = attrs.field(default=(), validator=deep_iterable(_is_range))
    security_groups: tuple[str, ...] = attrs.field(
        default=(), validator=deep_iterable(matches_re(r"sg-[0-9a-f]{8,17}"))
    )


@attrs.frozen
class Config:
    """The block.

    Attributes:
        region: where the server stands, such as eu-central-1.
        profile: of the shared AWS configuration, for another account; omitted: the controller's own role.
        mariadb: that an engine `mysql` is MariaDB.
        instance_class: such as db.m7g.large; wins over `size`.
        subnet_group: an existing DB subnet group.
        security_group_ids: existing security groups.
        ingress: rules in the first of them; without fields, ours are taken away; omitted: EC2 is not asked.
        port: fixed at birth.
        encrypted: fixed at birth, as is `kms_key_id`.
        parameter_group: an existing group of yours, instead of `parameters`; of a cluster, its instances' group.
        ca_certificate: identifier of the authority that signs the server's certificate.
        ca_secret_ref: AWS's bundle; omitted: the system's authorities.
        availability_zone: of an instance without a standby; fixed at birth. A cluster's instances are spread by AWS.
        log_exports: logs that go to CloudWatch; none named: those that are sent stay.
        deletion_protection: the vendor's own lock; a deletionPolicy that ends the server lifts it.
        keep_backups: that automated backups outlive the server until their retention is over.
        restore_from: a snapshot that a new server begins with.
    """

    region: str = attrs.field(validator=matches_re(r"[a-z]{2}(-[a-z]+)+-\d"))
    profile: str | None = None
    mariadb: bool = False
    aurora: Aurora | None = None
    instance_class: str | None = attrs.field(default=None, validator=optional(matches_re(r"db\.[a-z0-9.-]+")))
    storage: Storage = Storage()
    subnet_group: str | None = None
    security_group_ids: tuple[str, ...] = ()
    ingress: Ingress | None = None
    publicly_accessible: bool = False
    availability_zone: str | None = None
    port: int | None = attrs.field(default=None, validator=optional([ge(1150), le(65535)]))
    encrypted: bool = True
    kms_key_id: str | None = None
    parameter_group: str | None = None
    ca_certificate: str | None = None
    ca_secret_ref: CASecretRef | None = None
    iam_authentication: bool = False
    performance_insights: PerformanceInsights | None = None
    log_exports: tuple[str, ...] = ()
    auto_minor_version_upgrade: bool = True
    deletion_protection: bool = True
    keep_backups: bool = False
    restore_from: str | None = None


SIZES = {
    "micro": "db.t4g.micro",
    "small": "db.t4g.small",
    "medium": "db.t4g.medium",
    "large": "db.m7g.large",
    "xlarge": "db.r7g.xlarge",
}
"""What `size` means where no class defines it; a name that begins with `db.` means itself."""

_CLASS = re.compile(r"db\.[a-z0-9.-]+")


def instance_class(config: Config, size: str | None) -> str | None:
    """The instance class that is wished; None where nothing is. Raises `ValueError` for a size that means nothing."""
    if config.instance_class:
        return config.instance_class
    if config.aurora and config.aurora.serverless:
        return "db.serverless"
    if size is None or _CLASS.fullmatch(size):
        return size
    if size not in SIZES:
        raise ValueError(
            f"spec.size: {size!r} means nothing here; choose one of {', '.join(SIZES)}, or a class such as db.m7g.large"
        )
    return SIZES[size]
