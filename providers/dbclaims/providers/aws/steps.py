"""The steps of a plan, by their verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType

import attrs

from dbclaims.core.spi import Action, NotReady, ServerRef

from . import aurora, changes, groups, ingress, names, observed, rds
from .config import Config
from .observed import ADMIN, GOING, Record, check_ours
from .session import Session, tag_list


def kind_of(config: Config) -> ModuleType:
    """The module for a cluster or for an instance of its own."""
    return aurora if config.aurora else rds


def take(session: Session, ref: ServerRef, action: Action) -> None:
    """Start one step. Raises `SPIError`; `NotOwned` before anything is changed that is not ours."""
    if action.verb == "create":
        kind_of(session.config).create(session, ref, action.args["spec"])
    elif action.verb == "delete-parameters":
        groups.delete(session, action.args["name"])
    elif action.verb == "forbid":
        ingress.forbid(session, action.args["ids"])
    else:
        _Step(session, ref, action, _live(session, ref, action)).take()


def _live(session: Session, ref: ServerRef, action: Action) -> Record:
    """What a step is about as it is now, if it is ours: between a look and a step another may have taken its name."""
    name, fleet = action.args.get("target", names.identifier(ref)), session.fleet
    is_cluster = changes.kind_of_target(session, ref, name) is changes.CLUSTER
    record = fleet.cluster(name, live=True) if is_cluster else fleet.instance(name, live=True)
    if record is None:
        raise NotReady(f"{name} is gone since it was looked at", retry_after=1.0)
    check_ours(record, ref)
    return record


@attrs.frozen
class _Step:
    """One step on a server, or on an instance of a cluster, that is there and ours."""

    session: Session
    ref: ServerRef
    action: Action
    record: Record

    def take(self) -> None:
        """Do what the verb says; a verb without a row of its own is a change of fields.

        A server that is at work most likely does this very step: it is not begun again, and the next look decides.
        """
        do, is_begun = _VERBS.get(self.action.verb, (_Step._change, observed.at_work))
        if not is_begun(observed.status_of(self.record)):
            do(self)

    def _tag(self) -> None:
        self._add_tags(self.action.args["tags"])

    def _set_parameters(self) -> None:
        groups.apply(self.session, self.ref, observed.our_tags(self.ref), self.action.args)

    def _set_password(self) -> None:
        """The password first, then the tag that says so: a crash between repeats both."""
        admin = self.action.args["admin"]
        changes.set_password(self.session, self.ref, admin)
        self._add_tags({ADMIN: observed.digest(admin)})

    def _allow(self) -> None:
        ingress.allow(self.session, self.ref, self.action.args["rules"])

    def _unprotect(self) -> None:
        changes.unprotect(self.session, self.ref)

    def _add_instance(self) -> None:
        aurora.add_instance(self.session, self.ref, self.action.args["spec"], self.action.args["number"])

    def _remove_instance(self) -> None:
        changes.remove_instance(self.session, self.action.args["target"])

    def _reboot(self) -> None:
        changes.reboot(self.session, self.action.args["target"])

    def _delete(self) -> None:
        changes.delete(self.session, self.ref, self.action.args["snapshot"])

    def _change(self) -> None:
        changes.change(self.session, self.ref, self.action)

    def _add_tags(self, tags: Mapping[str, str]) -> None:
        arn = str(self.record.get("DBInstanceArn") or self.record.get("DBClusterArn"))
        self.session.call(f"tagging {arn}", "add_tags_to_resource", ResourceName=arn, Tags=tag_list(tags))


def _never(status: str) -> bool:
    del status
    return False


def _going(status: str) -> bool:
    return status == GOING


_VERBS: Mapping[str, tuple[Callable[[_Step], None], Callable[[str], bool]]] = {
    "allow": (_Step._allow, _never),
    "add-instance": (_Step._add_instance, _never),
    "delete": (_Step._delete, _going),
    "reboot": (_Step._reboot, observed.at_work),
    "remove-instance": (_Step._remove_instance, _going),
    "set-admin-password": (_Step._set_password, observed.at_work),
    "set-parameters": (_Step._set_parameters, _never),
    "tag": (_Step._tag, _never),
    "unprotect": (_Step._unprotect, observed.at_work),
}
"""What each verb does, and in which states of the server it was begun already."""
