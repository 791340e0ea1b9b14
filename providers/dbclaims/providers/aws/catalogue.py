"""What AWS offers: versions with their upgrades, classes that may be ordered, parameters of a family. Kept an hour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from dbclaims.core.spi import InvalidSpec

from .errors import mapped
from .fleet import Fleet


@attrs.frozen
class Version:
    """One version of an engine.

    Attributes:
        family: of its parameter groups, such as postgres17.
        upgrades: versions that it may become, and whether that is a major step.
    """

    name: str
    family: str
    upgrades: Mapping[str, bool] = attrs.field(factory=dict)


def aws_engine(engine: str, *, aurora: bool, mariadb: bool) -> str:
    """AWS's word for an engine."""
    if aurora:
        return {"postgres": "aurora-postgresql", "mysql": "aurora-mysql"}[engine]
    return "mariadb" if mariadb else engine


def our_engine(engine: str) -> str:
    """Our word for an engine of AWS."""
    return "postgres" if "postgres" in engine else "mysql"


def versions(fleet: Fleet, engine: str) -> Mapping[str, Version]:
    """Every version of an engine, oldest first. Raises `SPIError`."""

    def look() -> dict[str, Version]:
        with mapped(f"reading the versions of {engine}"):
            pages = fleet.client.get_paginator("describe_db_engine_versions").paginate(Engine=engine)
            return {each["EngineVersion"]: _version(each) for page in pages for each in page["DBEngineVersions"]}

    known: dict[str, Version] = fleet.known(f"versions {engine}", look)
    return known


def choose_version(fleet: Fleet, engine: str, wanted: str | None) -> Version:
    """The newest version that fits the wish, or AWS's default. Raises `InvalidSpec` with what there is."""
    known = versions(fleet, engine)
    if wanted is None:
        return known[_default(fleet, engine)]
    fitting = [version for name, version in known.items() if fits(name, wanted)]
    if not fitting:
        offered = ", ".join(known)
        raise InvalidSpec(
            f"spec.version: AWS has no {engine} {wanted!r}; it has {offered}", reason="VersionUnavailable"
        )
    return fitting[-1]


def fits(version: str, wanted: str) -> bool:
    """Whether a version is what is wished: `17.10` is a `17`."""
    return f"{version}.".startswith(f"{wanted}.")


def check_class(fleet: Fleet, engine: str, version: str, name: str) -> None:
    """Refuse a class that cannot be ordered; raises `InvalidSpec` (`SizeUnknown`)."""

    def look() -> frozenset[str]:
        with mapped(f"reading the classes for {engine} {version}"):
            pages = fleet.client.get_paginator("describe_orderable_db_instance_options").paginate(
                Engine=engine, EngineVersion=version
            )
            return frozenset(each["DBInstanceClass"] for page in pages for each in page["OrderableDBInstanceOptions"])

    offered = fleet.known(f"classes {engine} {version}", look)
    if name not in offered:
        message = f"spec.size: AWS does not offer {name} for {engine} {version} in this region; it has"
        raise InvalidSpec(f"{message} {', '.join(sorted(offered)[:12])}", reason="SizeUnknown")


def parameters(fleet: Fleet, family: str, *, cluster: bool) -> Mapping[str, bool]:
    """A family's parameters that may be set, and whether each takes effect without a restart."""
    operation = "describe_engine_default_cluster_parameters" if cluster else "describe_engine_default_parameters"

    def look() -> dict[str, bool]:
        with mapped(f"reading the parameters of {family}"):
            found: list[Any] = []
            marker: dict[str, str] = {}
            while True:
                answer = getattr(fleet.client, operation)(DBParameterGroupFamily=family, **marker)["EngineDefaults"]
                found += answer.get("Parameters", ())
                if not answer.get("Marker"):
                    break
                marker = {"Marker": answer["Marker"]}
            return {each["ParameterName"]: each["ApplyType"] == "dynamic" for each in found if each["IsModifiable"]}

    known: dict[str, bool] = fleet.known(f"parameters {family} {cluster}", look)
    return known


def _default(fleet: Fleet, engine: str) -> str:
    def look() -> str:
        with mapped(f"reading the default version of {engine}"):
            answer = fleet.client.describe_db_engine_versions(Engine=engine, DefaultOnly=True)
            return str(answer["DBEngineVersions"][0]["EngineVersion"])

    name: str = fleet.known(f"default {engine}", look)
    return name


def _version(each: Mapping[str, Any]) -> Version:
    targets = {up["EngineVersion"]: bool(up["IsMajorVersionUpgrade"]) for up in each.get("ValidUpgradeTarget", ())}
    return Version(each["EngineVersion"], each["DBParameterGroupFamily"], targets)
