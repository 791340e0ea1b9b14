"""Aurora clusters: a cluster with its writer, and a reader that takes over where high availability is wished."""

from __future__ import annotations

from dbclaims.core.spi import Action, InvalidSpec, Plan, ServerRef, ServerSpec

from . import catalogue, fields, names, observed, rds
from . import plan as planning
from .observed import CHANGEABLE, GOING, REACHABLE, AWSServer, Record
from .session import Session, checked, order_tags

_NUMBERS = (1, 2)

# --- looking -----------------------------------------------------------------------------------------------------


def observe(session: Session, ref: ServerRef) -> AWSServer | None:
    """The cluster, its instances, and what we made beside it; None when all of it is certainly absent."""
    name = names.identifier(ref)
    record = checked(session.fleet.cluster(name), ref)
    if record is None:
        return rds.left_over(session, ref)
    members = _members(session, ref, name)
    serves = any(each["DBInstanceStatus"] in REACHABLE for each in members.values())
    host, status = record.get("Endpoint"), observed.status_of(record)
    classes = sorted({str(each["DBInstanceClass"]) for each in members.values()})
    return AWSServer(
        ref,
        size=", ".join(classes) or None,
        ready=status in REACHABLE and serves and host is not None and observed.has_login(record),
        endpoint=session.endpoint(ref, str(host), int(record["Port"])) if host else None,
        poll_after=_poll_after(record, members),
        message=observed.sentence(name, status) if status != "available" else f"{name} has no instance that serves yet",
        members=members,
        **rds.facts(session, ref, record),
    )


def _members(session: Session, ref: ServerRef, name: str) -> dict[int, Record]:
    found = {number: checked(session.fleet.instance(names.member(name, number)), ref) for number in _NUMBERS}
    return {number: record for number, record in found.items() if record is not None}


def _poll_after(record: Record, members: dict[int, Record]) -> float | None:
    states = [str(record["Status"]), *(str(each["DBInstanceStatus"]) for each in members.values())]
    return min((seconds for state in states if (seconds := observed.poll_after(state)) is not None), default=None)


# --- deciding ----------------------------------------------------------------------------------------------------


def plan(desired: ServerSpec | None, server: AWSServer) -> Plan:
    """The next steps. Raises `SPIError`."""
    if desired is None:
        return _end(server)
    if server.record is None:
        return planning.making(desired)
    missing = _missing(desired, server)
    if server.status == "creating":
        # A cluster takes its instances while it is being made, and nothing else.
        return missing
    return (*missing, *_keep(desired, server))


def _keep(desired: ServerSpec, server: AWSServer) -> Plan:
    assert server.record is not None
    name = names.identifier(server.ref)
    first = planning.keeping(desired, server)
    if server.status not in CHANGEABLE:
        return first
    wished = {**fields.wishes(desired, server.config, "cluster"), **_group_wish(desired, server)}
    steps = [*first, *planning.modifications(wished, server.record, name), *planning.upgrade(desired, server, name)]
    for number, member in server.members.items():
        if member["DBInstanceStatus"] in CHANGEABLE:
            target = names.member(name, number)
            steps += planning.modifications(fields.wishes(desired, server.config, "member"), member, target)
    return (*steps, *_reboots(server.record), *_surplus(desired, server))


def _missing(desired: ServerSpec, server: AWSServer) -> Plan:
    absent = [number for number in _wanted(desired) if number not in server.members]
    why = "the cluster has no writer" if not server.members else "no reader stands by"
    return tuple(Action("add-instance", why, {"number": number, "spec": desired}) for number in absent)


def _wanted(desired: ServerSpec) -> tuple[int, ...]:
    return _NUMBERS if desired.high_availability else _NUMBERS[:1]


def _surplus(desired: ServerSpec, server: AWSServer) -> Plan:
    """A reader that is expressly not wished any more; the writer never goes, whatever its number is."""
    if desired.high_availability is not False or len(server.members) < len(_NUMBERS):
        return ()
    roles = (server.record or {}).get("DBClusterMembers", ())
    readers = [each["DBInstanceIdentifier"] for each in roles if not each["IsClusterWriter"]]
    return tuple(
        Action("remove-instance", "no standby is wished", {"target": name}, disruptive=True) for name in readers
    )


def _reboots(record: Record) -> Plan:
    waiting = [
        each["DBInstanceIdentifier"]
        for each in record.get("DBClusterMembers", ())
        if each.get("DBClusterParameterGroupStatus") == "pending-reboot"
    ]
    why = "parameters take effect with a restart"
    return tuple(Action("reboot", why, {"target": name}, disruptive=True) for name in waiting)


def _group_wish(desired: ServerSpec, server: AWSServer) -> dict[str, str]:
    own = server.config.aurora.parameter_group if server.config.aurora else None
    if own and desired.parameters:
        message = "spec.parameters and spec.config.aurora.parameterGroup exclude each other; remove one of them"
        raise InvalidSpec(message)
    group = server.group
    name = own or (group.name if group and group.values is not None else None)
    return {"DBClusterParameterGroupName": name} if name else {}


def _end(server: AWSServer) -> Plan:
    first = planning.ending(server)
    if first or server.record is None or server.status == GOING:
        return first
    staying = [each for each in server.members.values() if each["DBInstanceStatus"] != GOING]
    if staying:
        return tuple(
            Action("remove-instance", "its cluster is to be deleted", {"target": each["DBInstanceIdentifier"]})
            for each in staying
        )
    if server.members:
        return ()
    return planning.deletion(server)


# --- doing -------------------------------------------------------------------------------------------------------


def create(session: Session, ref: ServerRef, spec: ServerSpec) -> None:
    """Order the cluster with its instances; what exists by now is left to the next look, which knows whose it is."""
    config, name = session.config, names.identifier(ref)
    engine = catalogue.aws_engine(spec.engine, aurora=True, mariadb=False)
    order = fields.wishes(spec, config, "cluster")
    version = catalogue.choose_version(session.fleet, engine, spec.version)
    size = fields.wishes(spec, config, "member").get("DBInstanceClass")
    if size is None:
        raise InvalidSpec("spec.size: a new server needs one, or spec.config.instanceClass", reason="SizeUnknown")
    catalogue.check_class(session.fleet, engine, version.name, size)
    order |= rds.order_group(session, ref, spec, version.family) | rds.at_birth(session, ref, spec)
    order |= {"Engine": engine, "EngineVersion": version.name, "DBClusterIdentifier": name}
    operation = "create_db_cluster"
    if config.restore_from:
        operation = "restore_db_cluster_from_snapshot"
        order["SnapshotIdentifier"] = config.restore_from
    else:
        order |= rds.login(spec)
    order = rds.taken(session, operation, order)
    if session.call(f"making {name}", operation, known="DBClusterAlreadyExistsFault", **order) is not None:
        for number in _wanted(spec):
            add_instance(session, ref, spec, number)


def add_instance(session: Session, ref: ServerRef, spec: ServerSpec, number: int) -> None:
    """Order one of the cluster's instances."""
    cluster = names.identifier(ref)
    order = rds.taken(session, "create_db_instance", fields.wishes(spec, session.config, "member"))
    session.call(
        f"making {names.member(cluster, number)}",
        "create_db_instance",
        known="DBInstanceAlreadyExists",
        DBInstanceIdentifier=names.member(cluster, number),
        DBClusterIdentifier=cluster,
        Engine=catalogue.aws_engine(spec.engine, aurora=True, mariadb=False),
        Tags=order_tags(ref, spec.tags),
        **order,
    )
