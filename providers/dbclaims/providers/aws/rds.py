"""RDS instances: a server of its own for PostgreSQL, MySQL or MariaDB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbclaims.core.spi import Action, InvalidSpec, Plan, ServerRef, ServerSpec

from . import catalogue, fields, groups, ingress, names, observed
from . import plan as planning
from .observed import ADMIN, CHANGEABLE, GOING, REACHABLE, AWSServer, Record
from .session import Session, checked, order_tags

SMALLEST = 20
"""GiB of a new instance for which no storage is wished."""

# --- looking -----------------------------------------------------------------------------------------------------


def observe(session: Session, ref: ServerRef) -> AWSServer | None:
    """The instance and what we made beside it; None when all of it is certainly absent."""
    name = names.identifier(ref)
    record = checked(session.fleet.instance(name), ref)
    if record is None:
        return left_over(session, ref)
    status, endpoint = observed.status_of(record), record.get("Endpoint")
    return AWSServer(
        ref,
        size=str(record["DBInstanceClass"]),
        ready=status in REACHABLE and endpoint is not None and observed.has_login(record),
        endpoint=session.endpoint(ref, endpoint["Address"], endpoint["Port"]) if endpoint else None,
        poll_after=observed.poll_after(status),
        message=observed.sentence(name, status),
        **facts(session, ref, record),
    )


def facts(session: Session, ref: ServerRef, record: Record) -> dict[str, Any]:
    """What the records of an instance and of a cluster tell alike. Raises `SPIError`."""
    engine, name = str(record["Engine"]), str(record["EngineVersion"])
    version = catalogue.versions(session.fleet, engine).get(name)
    return {
        "engine": catalogue.our_engine(engine),
        "version": name,
        "traits": observed.traits(engine, record),
        "findings": observed.findings(record),
        "config": session.config,
        "record": record,
        "version_record": version,
        "group": groups.look(session, ref, version.family) if version else None,
        "rules": ingress.look(session, ref),
    }


def left_over(session: Session, ref: ServerRef) -> AWSServer | None:
    """What is left of a server that is gone, parameter groups and rules, or None for nothing at all."""
    left, rules, name = groups.left_behind(session, ref), ingress.look(session, ref), names.identifier(ref)
    if not left and not (rules and rules.ours):
        return None
    return AWSServer(
        ref,
        engine="",
        ready=False,
        message=observed.sentence(name, ""),
        poll_after=1.0,
        config=session.config,
        record=None,
        leftovers=left,
        rules=rules,
    )


# --- deciding ----------------------------------------------------------------------------------------------------


def plan(desired: ServerSpec | None, server: AWSServer) -> Plan:
    """The next steps. Raises `SPIError`."""
    name = names.identifier(server.ref)
    if desired is None:
        return planning.ending(server) or _end(server)
    if server.record is None:
        return planning.making(desired)
    first = planning.keeping(desired, server)
    if server.status not in CHANGEABLE:
        return first
    wished = {**fields.wishes(desired, server.config, "instance"), **_group_wish(desired, server)}
    return (
        *first,
        *planning.modifications(wished, server.record, name),
        *planning.upgrade(desired, server, name),
        *_reboot(server.record, name),
    )


def _end(server: AWSServer) -> Plan:
    if server.record is None or server.status == GOING:
        return ()
    return planning.deletion(server)


def _group_wish(desired: ServerSpec, server: AWSServer) -> dict[str, str]:
    """The parameter group that is to be used, once it exists."""
    if server.config.parameter_group:
        if desired.parameters:
            raise InvalidSpec("spec.parameters and spec.config.parameterGroup exclude each other; remove one of them")
        return {"DBParameterGroupName": server.config.parameter_group}
    group = server.group
    return {"DBParameterGroupName": group.name} if group and group.values is not None else {}


def _reboot(record: Record, name: str) -> Plan:
    waiting = [g for g in record.get("DBParameterGroups", ()) if g["ParameterApplyStatus"] == "pending-reboot"]
    if not waiting:
        return ()
    return (Action("reboot", "parameters take effect with a restart", {"target": name}, disruptive=True),)


# --- doing -------------------------------------------------------------------------------------------------------


def create(session: Session, ref: ServerRef, spec: ServerSpec) -> None:
    """Order the instance; one that exists by now is left to the next look, which knows whose it is."""
    config, name = session.config, names.identifier(ref)
    engine = catalogue.aws_engine(spec.engine, aurora=False, mariadb=config.mariadb)
    order = fields.wishes(spec, config, "instance")
    if "DBInstanceClass" not in order:
        raise InvalidSpec("spec.size: a new server needs one, or spec.config.instanceClass", reason="SizeUnknown")
    version = catalogue.choose_version(session.fleet, engine, spec.version)
    catalogue.check_class(session.fleet, engine, version.name, order["DBInstanceClass"])
    order |= order_group(session, ref, spec, version.family) | at_birth(session, ref, spec)
    operation = "create_db_instance"
    order["AvailabilityZone"] = config.availability_zone
    if config.restore_from:
        operation = "restore_db_instance_from_db_snapshot"
        order["DBSnapshotIdentifier"] = config.restore_from
    else:
        order = {"AllocatedStorage": SMALLEST, **order, "Engine": engine, "EngineVersion": version.name, **login(spec)}
    order = {**taken(session, operation, order), "DBInstanceIdentifier": name}
    session.call(f"making {name}", operation, known="DBInstanceAlreadyExists", **order)


def order_group(session: Session, ref: ServerRef, spec: ServerSpec, family: str) -> dict[str, str]:
    """The parameter group of a new server: yours, or ours with its parameters set."""
    aurora, kind = session.config.aurora, groups.words(session)
    own = aurora.parameter_group if aurora else session.config.parameter_group
    if own or not spec.parameters:
        return {kind.name: own} if own else {}
    group = groups.look(session, ref, family)
    for action in groups.plan(spec.parameters, group):
        groups.apply(session, ref, {**spec.tags, **observed.our_tags(ref)}, action.args)
    return {kind.name: group.name}


def at_birth(session: Session, ref: ServerRef, spec: ServerSpec) -> dict[str, Any]:
    """What is fixed when a server is made, and its tags."""
    config = session.config
    fixed = {
        "StorageEncrypted": config.encrypted,
        "KmsKeyId": config.kms_key_id,
        "DBSubnetGroupName": config.subnet_group,
        "Port": config.port,
        "EnableCloudwatchLogsExports": list(config.log_exports) or None,
    }
    # A restored server has its snapshot's password until it is given ours.
    given = {} if config.restore_from or spec.admin is None else {ADMIN: observed.digest(spec.admin)}
    return {**fixed, "Tags": order_tags(ref, spec.tags, **given)}


def login(spec: ServerSpec) -> dict[str, str]:
    """The admin login of an order. Raises `InvalidSpec` where the core gave none."""
    if spec.admin is None:
        raise InvalidSpec("a new server needs an admin login, and there is none")
    return {"MasterUsername": spec.admin.username, "MasterUserPassword": spec.admin.password}


def taken(session: Session, operation: str, order: Mapping[str, Any]) -> dict[str, Any]:
    """What is wished in an order and taken by the operation; the rest, the next passes change."""
    name = session.fleet.client.meta.method_to_api_mapping[operation]
    known = session.fleet.client.meta.service_model.operation_model(name).input_shape.members
    return {argument: value for argument, value in order.items() if value is not None and argument in known}
