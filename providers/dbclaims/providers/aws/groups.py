"""Our own parameter groups: made from a server's `parameters`, kept equal to them, and removed with the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from dbclaims.core.spi import Action, InvalidSpec, Plan, ServerRef

from . import catalogue, names
from .errors import mapped
from .observed import Group, check_ours
from .session import Session, chunks, tag_list

LOOK_EVERY = 600.0
"""Seconds between looks into a group that we did not change: somebody's edit shows within one resync."""
_AT_ONCE = 20


@attrs.frozen
class Words:
    """AWS's words for one kind of group."""

    name: str
    operation: str
    many: str
    default: str


INSTANCE = Words("DBParameterGroupName", "db_parameter_group", "DBParameterGroups", "db_parameters")
CLUSTER = Words(
    "DBClusterParameterGroupName", "db_cluster_parameter_group", "DBClusterParameterGroups", "db_cluster_parameters"
)


def words(session: Session) -> Words:
    """The kind of group that holds a server's parameters."""
    return CLUSTER if session.config.aurora else INSTANCE


# --- looking -----------------------------------------------------------------------------------------------------


def look(session: Session, ref: ServerRef, family: str) -> Group:
    """Our group for a family; its values are None where it does not exist. Raises `SPIError`."""
    group = Group(name=names.parameter_group(names.identifier(ref), family), family=family)
    dynamic = catalogue.parameters(session.fleet, family, cluster=session.config.aurora is not None)
    values: Mapping[str, str] | None = session.fleet.known(
        _key(group.name), lambda: _values(session, group.name), LOOK_EVERY
    )
    return attrs.evolve(group, values=values, dynamic=dynamic)


def left_behind(session: Session, ref: ServerRef) -> tuple[str, ...]:
    """Names of our groups of a server that is gone, listed now. Raises `SPIError`."""
    prefix = names.identifier(ref) + "-"
    return tuple(sorted(name for name in _names(session, words(session)) if name.startswith(prefix)))


def _values(session: Session, name: str) -> dict[str, str] | None:
    kind = words(session)
    if name not in session.fleet.known(_all(kind), lambda: _names(session, kind), LOOK_EVERY):
        return None
    with mapped(f"reading {name}"):
        pages = session.fleet.client.get_paginator(f"describe_{kind.default}").paginate(
            **{kind.name: name}, Source="user"
        )
        return {each["ParameterName"]: each.get("ParameterValue", "") for page in pages for each in page["Parameters"]}


def _names(session: Session, kind: Words) -> frozenset[str]:
    """The names of all groups: one list for all servers of the account."""
    with mapped("listing parameter groups"):
        pages = session.fleet.client.get_paginator(f"describe_{kind.operation}s").paginate()
        return frozenset(each[kind.name] for page in pages for each in page[kind.many])


def _forget(session: Session, name: str) -> None:
    session.fleet.forget(_key(name))
    session.fleet.forget(_all(words(session)))


def _all(kind: Words) -> str:
    return f"all {kind.many}"


def _key(name: str) -> str:
    return f"parameter group {name}"


# --- deciding ----------------------------------------------------------------------------------------------------


def plan(wished: Mapping[str, str], group: Group | None) -> Plan:
    """What makes our group what is wished; no parameter at all is no wish.

    Raises `InvalidSpec` for a parameter that the family does not have.
    """
    if group is None or not wished:
        return ()
    unknown = sorted(wished.keys() - group.dynamic.keys())
    if unknown:
        raise InvalidSpec(
            f"spec.parameters: {', '.join(unknown)} cannot be set for {group.family}", reason="ParameterUnknown"
        )
    has = group.values or {}
    changed = {name: value for name, value in wished.items() if has.get(name) != value}
    dropped = sorted(has.keys() - wished.keys())
    if not changed and not dropped and group.values is not None:
        return ()
    why = f"parameters {', '.join(sorted([*changed, *dropped]))} differ" if group.values is not None else "no group yet"
    return (Action("set-parameters", why, {"group": group, "set": changed, "reset": dropped}),)


# --- doing -------------------------------------------------------------------------------------------------------


def apply(session: Session, ref: ServerRef, tags: Mapping[str, str], args: Mapping[str, Any]) -> None:
    """Make the group if need be, and set what differs. May be repeated."""
    group, kind = args["group"], words(session)
    _ensure(session, ref, group, tags)
    _forget(session, group.name)
    for change, values in (("modify", dict(args["set"])), ("reset", dict.fromkeys(args["reset"]))):
        entries = [
            _entry(name, value, dynamic=group.dynamic.get(name, False)) for name, value in sorted(values.items())
        ]
        for some in chunks(entries, _AT_ONCE):
            session.call(
                f"setting parameters of {group.name}",
                f"{change}_{kind.operation}",
                **{kind.name: group.name, "Parameters": some},
            )


def _ensure(session: Session, ref: ServerRef, group: Group, tags: Mapping[str, str]) -> None:
    kind = words(session)
    made = session.call(
        f"making parameter group {group.name}",
        f"create_{kind.operation}",
        known="DBParameterGroupAlreadyExists",
        DBParameterGroupFamily=group.family,
        Description=f"dbclaims: DatabaseServer {ref.namespace}/{ref.name}"[:255],
        Tags=tag_list(tags),
        **{kind.name: group.name},
    )
    if made is None:
        answer = session.call(f"reading {group.name}", f"describe_{kind.operation}s", **{kind.name: group.name})
        _check_ours(session, ref, answer or {}, kind)


def _check_ours(session: Session, ref: ServerRef, answer: Mapping[str, Any], kind: Words) -> None:
    """The name holds a hash of ours; the tags prove it."""
    arn_key = next(key for key in answer[kind.many][0] if key.endswith("Arn"))
    arn = answer[kind.many][0][arn_key]
    tags = session.call(f"reading tags of {arn}", "list_tags_for_resource", ResourceName=arn)
    check_ours(tags or {}, ref)


def delete(session: Session, name: str) -> None:
    """Remove one of our groups; one that is gone is no error."""
    kind = words(session)
    _forget(session, name)
    session.call(
        f"deleting parameter group {name}",
        f"delete_{kind.operation}",
        known="DBParameterGroupNotFound",
        **{kind.name: name},
    )


def _entry(name: str, value: str | None, *, dynamic: bool) -> dict[str, str]:
    entry = {"ParameterName": name, "ApplyMethod": "immediate" if dynamic else "pending-reboot"}
    return entry if value is None else {**entry, "ParameterValue": value}
