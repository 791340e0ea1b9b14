"""What changes, restarts or ends a server: one request for each, of an instance and of a cluster alike."""

from __future__ import annotations

from typing import Any

import attrs

from dbclaims.core.spi import Action, Credentials, ServerRef, ServerSpec

from . import catalogue, names, rds
from .session import Session


@attrs.frozen
class Kind:
    """AWS's words for an instance or a cluster.

    Attributes:
        key: the argument that names one.
        noun: the end of its operations' names.
        taken: the code that says that a snapshot of the name exists.
    """

    key: str
    noun: str
    taken: str


INSTANCE = Kind("DBInstanceIdentifier", "db_instance", "DBSnapshotAlreadyExists")
CLUSTER = Kind("DBClusterIdentifier", "db_cluster", "DBClusterSnapshotAlreadyExistsFault")


def kind_of_target(session: Session, ref: ServerRef, target: str) -> Kind:
    """Whether a step is about a cluster, or about an instance: of its own, or of a cluster."""
    return CLUSTER if session.config.aurora and target == names.identifier(ref) else INSTANCE


def modify(session: Session, ref: ServerRef, target: str, what: str, **change: Any) -> None:
    """Change something now: the core let it happen."""
    kind = kind_of_target(session, ref, target)
    order = {kind.key: target, "ApplyImmediately": True, **change}
    session.call(f"{what} {target}", f"modify_{kind.noun}", **order)


def change(session: Session, ref: ServerRef, action: Action) -> None:
    """Change the fields that an action names."""
    group = group_for(session, ref, action)
    modify(session, ref, action.args["target"], "changing", **action.args["change"], **group)


def group_for(session: Session, ref: ServerRef, action: Action) -> dict[str, str]:
    """A major step needs a group of the new family, where ours is in use."""
    spec: ServerSpec | None = action.args.get("spec")
    if spec is None or not action.args["change"].get("AllowMajorVersionUpgrade"):
        return {}
    config = session.config
    engine = catalogue.aws_engine(spec.engine, aurora=config.aurora is not None, mariadb=config.mariadb)
    version = catalogue.versions(session.fleet, engine)[action.args["change"]["EngineVersion"]]
    return rds.order_group(session, ref, spec, version.family)


def set_password(session: Session, ref: ServerRef, admin: Credentials) -> None:
    """Give the server its admin's password."""
    what = "setting the admin password of"
    modify(session, ref, names.identifier(ref), what, MasterUserPassword=admin.password)


def unprotect(session: Session, ref: ServerRef) -> None:
    """Lift AWS's own lock."""
    modify(session, ref, names.identifier(ref), "unprotecting", DeletionProtection=False)


def reboot(session: Session, target: str) -> None:
    """Restart an instance."""
    session.call(f"rebooting {target}", "reboot_db_instance", DBInstanceIdentifier=target)


def remove_instance(session: Session, target: str) -> None:
    """End an instance of a cluster."""
    known = "DBInstanceNotFound"
    session.call(f"deleting {target}", "delete_db_instance", known=known, DBInstanceIdentifier=target)


def delete(session: Session, ref: ServerRef, snapshot: str | None) -> None:
    """End the server, with a last snapshot where one is named."""
    name = names.identifier(ref)
    kind = kind_of_target(session, ref, name)
    order: dict[str, Any] = {kind.key: name, "DeleteAutomatedBackups": not session.config.keep_backups}
    last: dict[str, Any] = {"FinalDBSnapshotIdentifier": snapshot} if snapshot else {"SkipFinalSnapshot": True}
    if session.call(f"deleting {name}", f"delete_{kind.noun}", known=kind.taken, **order, **last) is None:
        # Only a deletion of this very incarnation takes a snapshot of this name.
        session.call(f"deleting {name}", f"delete_{kind.noun}", **order, SkipFinalSnapshot=True)
