"""What was seen at AWS, and whose it is. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import attrs

from dbclaims.core.spi import Credentials, Finding, NotOwned, Server, ServerRef

from . import names
from .catalogue import Version
from .config import Config

Record = Mapping[str, Any]

INSTALLATION, OWNER, SERVER, ADMIN = (f"dbclaims.io/{word}" for word in ("installation", "owner", "server", "admin"))
"""Our tags: whose a resource is, and which password it was given last (its digest)."""

REACHABLE = {
    "available",
    "backing-up",
    "configuring-enhanced-monitoring",
    "configuring-iam-database-auth",
    "configuring-log-exports",
    "modifying",
    "resetting-master-credentials",
    "storage-config-upgrade",
    "storage-initialization",
    "storage-optimization",
}
"""States in which clients are served."""
CHANGEABLE = {"available", "storage-optimization"}
COMING = {"creating", "maintenance", "rebooting", "renaming", "starting", "upgrading", "restoring"}
"""States that end by themselves, in which nobody is served."""
GOING = "deleting"
STOPPED = {"stopped", "stopping"}
BROKEN = {
    "failed",
    "inaccessible-encryption-credentials",
    "inaccessible-encryption-credentials-recoverable",
    "incompatible-create",
    "incompatible-network",
    "incompatible-option-group",
    "incompatible-parameters",
    "incompatible-restore",
    "insufficient-capacity",
    "restore-error",
    "storage-full",
}
"""States that people must end."""

_SOON, _LATER = 30.0, 300.0


@attrs.frozen(kw_only=True)
class Group:
    """Our parameter group of a server.

    Attributes:
        values: what was set in it.
        dynamic: the family's parameters, and whether each takes effect without a restart.
    """

    name: str
    family: str
    arn: str = ""
    values: Mapping[str, str] | None = None
    dynamic: Mapping[str, bool] = attrs.field(factory=dict, repr=False)


@attrs.frozen(order=True)
class Rule:
    """Whoever comes from `source`, a range of addresses or a security group, reaches `port` by TCP."""

    source: str
    port: int


@attrs.frozen
class Rules:
    """What lets clients into a group.

    Attributes:
        ours: our rules' ids.
        others: rules that somebody else made; one that we wish for is as good as ours, and never removed.
    """

    ours: Mapping[Rule, str] = attrs.field(factory=dict)
    others: frozenset[Rule] = frozenset()


@attrs.frozen(kw_only=True)
class AWSServer(Server):
    """A server with AWS's own records of it.

    Attributes:
        record: of the instance, or of the cluster; None where only what we made beside it is left.
        members: a cluster's instances, by number.
        version_record: what AWS says about the version that it runs.
        group: our parameter group for that version; `values` is None where there is none.
        leftovers: names of our parameter groups that outlived the server.
        rules: who is let in, where `spec.config` speaks of it.
    """

    config: Config
    record: Record | None = attrs.field(repr=False)
    members: Mapping[int, Record] = attrs.field(factory=dict, repr=False)
    version_record: Version | None = None
    group: Group | None = None
    leftovers: tuple[str, ...] = ()
    rules: Rules | None = None

    @property
    def status(self) -> str:
        """AWS's word for its state; empty where there is no server."""
        return status_of(self.record or {})

    @property
    def tags(self) -> Mapping[str, str]:
        """The server's tags."""
        return tags_of(self.record or {})


def status_of(record: Record) -> str:
    """AWS's word for the state of an instance or a cluster."""
    return str(record.get("DBInstanceStatus") or record.get("Status") or "")


def tags_of(record: Record) -> dict[str, str]:
    """A record's tags by key."""
    return {tag["Key"]: tag["Value"] for tag in record.get("TagList", ())}


def our_tags(ref: ServerRef) -> dict[str, str]:
    """The tags that say whose a resource is (PROTOCOL.md §2)."""
    return {INSTALLATION: ref.installation, OWNER: ref.owner, SERVER: f"{ref.namespace}/{ref.name}"[:256]}


def check_ours(record: Record, ref: ServerRef) -> None:
    """Raise `NotOwned` for a resource that carries another's tags, or none of ours."""
    tags, ours = tags_of(record), our_tags(ref)
    if any(tags.get(key) != value for key, value in ours.items()):
        way_out = " ".join(f"{key}={value}" for key, value in ours.items())
        raise NotOwned(
            f"AWS holds {names.identifier(ref)}, which does not carry the tags of DatabaseServer "
            f"{ref.namespace}/{ref.name}; nothing was changed. If it is yours, tag it with {way_out}",
            retry_after=_LATER,
        )


def poll_after(status: str) -> float | None:
    """Seconds until a look at a server in this state is worth while; None where it rests."""
    if status == "available":
        return None
    return _SOON if status in REACHABLE | COMING | {GOING} else _LATER


def at_work(status: str) -> bool:
    """Whether AWS is changing, restarting or ending it, and takes no order before that is done."""
    return status in (REACHABLE | COMING | {GOING}) - CHANGEABLE


def has_login(record: Record) -> bool:
    """Whether the server was ever given our admin's password; a restored one has its snapshot's until then."""
    return ADMIN in tags_of(record)


def sentence(name: str, status: str) -> str:
    """What people are told about a server that does not serve yet."""
    if status in STOPPED:
        return f"{name} is {status}; start it"
    if status in BROKEN:
        return f"{name} is in the state {status}; AWS's console says what to do"
    return f"{name} is {status}" if status else f"{name} does not exist yet"


def pending_changes(record: Record) -> dict[str, Any]:
    """What somebody left for AWS's own maintenance window."""
    return {key: value for key, value in (record.get("PendingModifiedValues") or {}).items() if value not in ({}, [])}


def findings(record: Record) -> tuple[Finding, ...]:
    """What people should know of a server that serves."""
    pending = sorted(pending_changes(record).keys() - {"MasterUserPassword"})
    if not pending:
        return ()
    words = f"AWS will change {', '.join(pending)} in its maintenance window, as somebody asked it to"
    return (Finding("ChangesPending", words),)


def traits(engine: str, record: Record) -> dict[str, str]:
    """Facts that the engine's SQL needs."""
    found = {"admin_role": "rds_superuser"} if "postgres" in engine else {}
    if engine in ("mysql", "aurora-mysql"):
        found = {"admin_role": "rds_superuser_role"}
    return {**found, "iam": "rds_iam"} if record.get("IAMDatabaseAuthenticationEnabled") else found


def digest(admin: Credentials) -> str:
    """What tells passwords apart without showing one: they are long and random."""
    return hashlib.sha256(f"dbclaims\n{admin.username}\n{admin.password}".encode()).hexdigest()[:16]
