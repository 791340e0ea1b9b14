"""DatabaseServer: one server, made or reached by a provider."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from attrs import field, frozen

from .bounds import PARAMETER_KEYS, PLUGIN_NAME, SIZE, TAG_KEYS, TEXT, VERSION, Bounds, about, mapped
from .meta import ObjectMeta
from .status import DatabaseServerStatus

_ELSEWHERE = "make another DatabaseServer and move the databases to it"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"
_DAY = "(Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_WEEKLY = Bounds(
    says="a weekly window in UTC such as Sun:03:00-Sun:04:00", pattern=f"^{_DAY}:{_TIME}-{_DAY}:{_TIME}$", max_length=19
)
_DAILY = Bounds(says="a daily window in UTC such as 03:00-04:00", pattern=f"^{_TIME}-{_TIME}$", max_length=11)


class ServerDeletionPolicy(enum.StrEnum):
    """What happens to a server when its object goes."""

    RETAIN = "Retain"
    DELETE = "Delete"
    SNAPSHOT = "Snapshot"


@frozen(kw_only=True)
class Backup:
    """The backups that the provider takes."""

    retention: timedelta | None = field(default=None, metadata=about("How long a backup is kept."))
    window: str | None = field(default=None, metadata=about("When it is taken, in UTC: 03:00-04:00.", _DAILY))


@frozen(kw_only=True)
class DatabaseServerSpec:
    """What is wished of a server. The provider's declared features say which of the common fields it takes."""

    provider: str = field(
        metadata=about("The plugin that makes or reaches the server.", PLUGIN_NAME, immutable=_ELSEWHERE)
    )
    engine: str = field(metadata=about("The plugin that speaks the server's SQL.", PLUGIN_NAME, immutable=_ELSEWHERE))
    version: str | None = field(
        default=None, metadata=about("The major version wanted; omitted: the one observed.", VERSION)
    )
    deletion_policy: ServerDeletionPolicy = field(
        default=ServerDeletionPolicy.RETAIN, metadata=about("What happens to the server when this object goes.")
    )
    size: str | None = field(default=None, metadata=about("A size that the class or the provider defines.", SIZE))
    storage_gib: int | None = field(
        default=None, metadata=about("Storage in GiB.", Bounds(minimum=1, maximum=262144), key="storageGiB")
    )
    high_availability: bool | None = field(default=None, metadata=about("Whether a standby takes over."))
    parameters: Mapping[str, str] = field(
        factory=dict, metadata=about("The engine's settings, as strings.", mapped(TEXT, 128, PARAMETER_KEYS))
    )
    maintenance_window: str | None = field(
        default=None, metadata=about("When disruptive steps may run, in UTC: Sun:03:00-Sun:04:00.", _WEEKLY)
    )
    backup: Backup | None = field(default=None, metadata=about("The backups that the provider takes."))
    tags: Mapping[str, str] = field(
        factory=dict, metadata=about("Tags or labels at the cloud.", mapped(Bounds(max_length=256), 48, TAG_KEYS))
    )
    config: Mapping[str, Any] = field(
        factory=dict,
        metadata=about("The provider's own block, checked against what it declares.", Bounds(max_properties=64)),
    )


@frozen(kw_only=True)
class DatabaseServer:
    """One server, made or reached by a provider. It is served only while a DatabaseClass names it."""

    metadata: ObjectMeta
    spec: DatabaseServerSpec
    status: DatabaseServerStatus = field(factory=DatabaseServerStatus)
