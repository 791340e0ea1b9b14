"""From what is wished and what was seen to the next steps. Pure.

Steps that interrupt clients are marked so and wait in the core for the window or an approval; only what does not is
done at once. RDS applies everything that is pending as soon as anything is applied immediately, so that a change of
ours could bring a stranger's deferred restart: beside one, every change of ours counts as disruptive.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dbclaims.core.spi import Action, InvalidSpec, Plan, ServerSpec, Terminal

from . import fields, groups, ingress, names, observed
from .catalogue import fits
from .observed import ADMIN, BROKEN, CHANGEABLE, GOING, AWSServer, Record

MOST_TAGS = 46
"""AWS takes fifty; four are ours."""


def making(desired: ServerSpec) -> Plan:
    """The plan for a server that does not exist."""
    _check_tags(desired)
    return (Action("create", "it does not exist", {"spec": desired}),)


def keeping(desired: ServerSpec, server: AWSServer) -> Plan:
    """The plan for a server that exists; nothing while it is busy. Raises `SPIError`."""
    assert server.record is not None
    if server.status in BROKEN:
        raise Terminal(server.message, reason="ServerFailed", retry_after=60.0)
    if server.status not in CHANGEABLE:
        return ()
    fields.check_fixed(desired, server.config, server.record)
    return (
        *_tags(desired, server),
        *groups.plan(desired.parameters, server.group),
        *ingress.plan(desired.engine, server.config, server.rules),
        *_admin(desired, server),
    )


def modifications(wished: Mapping[str, Any], record: Record, target: str) -> Plan:
    """One step for all that may be changed at once, then one for each verb that interrupts; `target` is whose."""
    quiet: dict[str, Any] = {}
    loud: dict[str, dict[str, Any]] = {}
    why: dict[str, list[str]] = {}
    stranger = sorted(observed.pending_changes(record).keys() - {"MasterUserPassword"})
    for field, has in fields.differences(wished, record):
        disruptive = field.disruptive or _switches_backups(field.argument, has, wished)
        verb = field.verb if disruptive else "modify"
        order = field.order(has, wished[field.argument])
        (loud.setdefault(verb, {}) if disruptive else quiet)[field.argument] = order
        why.setdefault(f"{verb}{disruptive}", []).append(
            f"{field.words} {_shown(has)} -> {_shown(wished[field.argument])}"
        )
    steps = [_step("modify", why["modifyFalse"], quiet, target, stranger)] if quiet else []
    steps += [_step(verb, why[f"{verb}True"], args, target, stranger, disruptive=True) for verb, args in loud.items()]
    return tuple(steps)


def upgrade(desired: ServerSpec, server: AWSServer, target: str) -> Plan:
    """A step to another version, where one is wished; raises `InvalidSpec` for one that cannot be reached."""
    record = server.record or {}
    has = str(observed.pending_changes(record).get("EngineVersion") or record["EngineVersion"])
    if desired.version is None or fits(has, desired.version) or server.version_record is None:
        return ()
    targets = server.version_record.upgrades
    reached = [name for name in targets if fits(name, desired.version)]
    if not reached and _is_behind(desired.version, has, server):
        return ()
    if not reached:
        ways = ", ".join(targets) or "nothing"
        raise InvalidSpec(
            f"spec.version: AWS cannot bring {has} to {desired.version}; from there it goes to {ways}",
            reason="VersionUnavailable",
        )
    args: dict[str, Any] = {"EngineVersion": reached[-1]}
    if targets[reached[-1]]:
        args["AllowMajorVersionUpgrade"] = True
    why = f"version {has} -> {reached[-1]}"
    return (Action("upgrade", why, {"target": target, "change": args, "spec": desired}, disruptive=True),)


def _is_behind(wanted: str, has: str, server: AWSServer) -> bool:
    """Whether AWS has gone on to a newer minor version by itself, as it may; nothing leads back."""
    series = re.search(r"[\d.]+$", server.version_record.family if server.version_record else "")
    of_series = series is not None and fits(wanted, series[0])
    return server.config.auto_minor_version_upgrade and of_series and _numbers(has) > _numbers(wanted)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def ending(server: AWSServer) -> Plan:
    """The plan towards nothing, but for the deletion of the server itself. Raises `Terminal` (`DeletionProtected`)."""
    if server.record is None:
        left = (Action("delete-parameters", f"{name} is left", {"name": name}) for name in server.leftovers)
        return (*left, *ingress.ending(server.rules))
    if server.status == GOING:
        return ()
    if not server.record.get("DeletionProtection"):
        return ()
    if not server.config.deletion_protection:
        raise Terminal(
            f"{names.identifier(server.ref)} has a deletion protection that spec.config does not wish for, so somebody "
            "else set it; lift it at AWS, or set spec.config.deletionProtection",
            reason="DeletionProtected",
            retry_after=60.0,
        )
    return (Action("unprotect", "it is to be deleted"),)


def deletion(server: AWSServer) -> Plan:
    """The deletion itself."""
    return (Action("delete", "it is to be deleted", {"snapshot": final_snapshot(server)}),)


def final_snapshot(server: AWSServer) -> str | None:
    """The name of the last snapshot, where one is wished and can be taken."""
    if not server.ref.final_snapshot or server.status == "creating":
        return None
    record = server.record or {}
    resource = record.get("DbiResourceId") or record.get("DbClusterResourceId") or ""
    return names.final_snapshot(names.identifier(server.ref), str(resource))


def _tags(desired: ServerSpec, server: AWSServer) -> Plan:
    """Tags of people's that differ; keys that nobody wished stay as they are."""
    _check_tags(desired)
    changed = {key: value for key, value in (desired.tags or {}).items() if server.tags.get(key) != value}
    if not changed:
        return ()
    return (Action("tag", f"tags {', '.join(sorted(changed))} differ", {"tags": changed}),)


def _check_tags(desired: ServerSpec) -> None:
    if len(desired.tags or ()) > MOST_TAGS:
        raise InvalidSpec(f"spec.tags: AWS takes {MOST_TAGS} beside ours")


def _admin(desired: ServerSpec, server: AWSServer) -> Plan:
    """The password that the core keeps, where it is not the one that the server was given last."""
    if desired.admin is None or server.tags.get(ADMIN) == observed.digest(desired.admin):
        return ()
    stranger = sorted(observed.pending_changes(server.record or {}).keys() - {"MasterUserPassword"})
    return (
        Action(
            "set-admin-password",
            "the server was not given the password of its Secret",
            {"admin": desired.admin},
            disruptive=bool(stranger),
        ),
    )


def _step(
    verb: str, why: list[str], change: Mapping[str, Any], target: str, stranger: list[str], *, disruptive: bool = False
) -> Action:
    words = ", ".join(why)
    if stranger:
        words += f"; this would also bring what is pending at AWS: {', '.join(stranger)}"
    return Action(verb, words, {"target": target, "change": dict(change)}, disruptive=disruptive or bool(stranger))


def _switches_backups(argument: str, has: Any, wished: Mapping[str, Any]) -> bool:
    return argument == "BackupRetentionPeriod" and not (has and wished[argument])


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
