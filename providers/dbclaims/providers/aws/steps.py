"""The steps of a plan, by their verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dbclaims.core.spi import Action, NotReady, ServerRef

from . import aurora, groups, names, observed, rds
from .observed import ADMIN, Record, check_ours
from .session import Session, tag_list

Step = Callable[[Session, ServerRef, Action, Record], None]


def take(session: Session, ref: ServerRef, action: Action) -> None:
    """Start one step. Raises `SPIError`; `NotOwned` before anything is changed that is not ours."""
    if action.verb == "create":
        (aurora if session.config.aurora else rds).create(session, ref, action.args["spec"])
    elif action.verb == "delete-parameters":
        groups.delete(session, action.args["name"])
    else:
        _STEPS.get(action.verb, _change)(session, ref, action, _live(session, ref))


def _live(session: Session, ref: ServerRef) -> Record:
    """The server as it is now, if it is ours: between a look and a step another may have taken its name."""
    name = names.identifier(ref)
    fleet = session.fleet
    record = fleet.cluster(name, live=True) if session.config.aurora else fleet.instance(name, live=True)
    if record is None:
        raise NotReady(f"{name} is gone since it was looked at", reason="Changed", retry_after=1.0)
    check_ours(record, ref)
    return record


def _tag(session: Session, ref: ServerRef, action: Action, record: Record) -> None:
    _add_tags(session, record, action.args["tags"])


def _set_parameters(session: Session, ref: ServerRef, action: Action, record: Record) -> None:
    groups.apply(session, ref, observed.our_tags(ref), action.args)


def _set_password(session: Session, ref: ServerRef, action: Action, record: Record) -> None:
    """The password first, then the tag that says so: a crash between repeats both."""
    admin = action.args["admin"]
    (aurora if session.config.aurora else rds).set_password(session, ref, admin)
    _add_tags(session, record, {ADMIN: observed.digest(admin)})


def _unprotect(session: Session, ref: ServerRef, action: Action, record: Record) -> None:
    target = names.identifier(ref)
    (aurora if session.config.aurora else rds).change(
        session, ref, Action("unprotect", action.why, {"target": target, "change": {"DeletionProtection": False}})
    )


def _add_instance(session: Session, ref: ServerRef, action: Action, record: Record) -> None:
    aurora.add_instance(session, ref, action.args["spec"], action.args["number"])


def _remove_instance(session: Session, ref: ServerRef, action: Action, record: Record) -> None:
    target = action.args["target"]
    session.call(
        f"deleting {target}", "delete_db_instance", known="DBInstanceNotFound", DBInstanceIdentifier=target
    )


def _reboot(session: Session, ref: ServerRef, action: Action, record: Record) -> None:
    target = action.args["target"]
    session.call(f"rebooting {target}", "reboot_db_instance", DBInstanceIdentifier=target)


def _delete(session: Session, ref: ServerRef, action: Action, record: Record) -> None:
    (aurora if session.config.aurora else rds).delete(session, ref, action)


def _change(session: Session, ref: ServerRef, action: Action, record: Record) -> None:
    (aurora if session.config.aurora else rds).change(session, ref, action)


def _add_tags(session: Session, record: Record, tags: Mapping[str, str]) -> None:
    arn = str(record.get("DBInstanceArn") or record.get("DBClusterArn"))
    session.call(f"tagging {arn}", "add_tags_to_resource", ResourceName=arn, Tags=tag_list(tags))


_STEPS: Mapping[str, Step] = {
    "add-instance": _add_instance,
    "delete": _delete,
    "reboot": _reboot,
    "remove-instance": _remove_instance,
    "set-admin-password": _set_password,
    "set-parameters": _set_parameters,
    "tag": _tag,
    "unprotect": _unprotect,
}
