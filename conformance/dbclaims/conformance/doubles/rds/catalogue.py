"""What may be ordered: engines with their versions and upgrade paths, classes, parameters, certificates.

A small part of the vendor's catalogue, with its shape.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..wire import Refusal
from .account import Account, Arguments, Record, page

VERSIONS: Mapping[str, tuple[str, ...]] = {
    "postgres": ("14.22", "14.23", "15.17", "15.18", "16.13", "16.14", "17.9", "17.10", "18.4"),
    "mysql": ("8.0.42", "8.0.43", "8.4.5", "8.4.6"),
    "mariadb": ("10.11.11", "10.11.13", "11.4.5", "11.8.3"),
    "aurora-postgresql": ("15.12", "16.8", "16.9", "17.4", "17.5"),
    "aurora-mysql": ("8.0.mysql_aurora.3.08.2", "8.0.mysql_aurora.3.10.0"),
}
DEFAULTS: Mapping[str, str] = {
    "postgres": "17.10",
    "mysql": "8.4.6",
    "mariadb": "11.8.3",
    "aurora-postgresql": "17.5",
    "aurora-mysql": "8.0.mysql_aurora.3.10.0",
}
CLASSES = ("db.t4g.micro", "db.t4g.small", "db.t4g.medium", "db.m7g.large", "db.r7g.large", "db.r7g.xlarge")
SERVERLESS = "db.serverless"
CERTIFICATES = ("rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1")

_DYNAMIC, _STATIC, _FIXED = ("dynamic", True), ("static", True), ("static", False)
_PARAMETERS: Mapping[str, Mapping[str, tuple[str, bool]]] = {
    "postgres": {
        "data_directory": _FIXED,
        "idle_in_transaction_session_timeout": _DYNAMIC,
        "log_min_duration_statement": _DYNAMIC,
        "max_connections": _STATIC,
        "rds.force_ssl": _DYNAMIC,
        "rds.logical_replication": _STATIC,
        "shared_preload_libraries": _STATIC,
        "work_mem": _DYNAMIC,
    },
    "mysql": {
        "datadir": _FIXED,
        "innodb_buffer_pool_size": _DYNAMIC,
        "max_connections": _DYNAMIC,
        "performance_schema": _STATIC,
        "require_secure_transport": _DYNAMIC,
    },
}


def major(engine: str, version: str) -> str:
    """The part of a version that names a parameter group's family."""
    parts = version.split(".")
    return parts[0] if engine.endswith(("postgres", "postgresql")) else ".".join(parts[:2])


def family(engine: str, version: str) -> str:
    """A version's family, such as postgres17, mysql8.4, aurora-postgresql16."""
    return engine + major(engine, version)


def version_of(engine: str, wanted: str | None) -> str:
    """The version that an order gets: exact, the newest of a major one, or the default."""
    if engine not in VERSIONS:
        raise Refusal("InvalidParameterValue", f"Invalid DB engine: {engine}")
    if not wanted:
        return DEFAULTS[engine]
    found = [each for each in VERSIONS[engine] if each == wanted or major(engine, each) == wanted]
    if not found:
        raise Refusal("InvalidParameterCombination", f"Cannot find version {wanted} for {engine}")
    return found[-1]


def upgrades(engine: str, version: str) -> list[Record]:
    """Where a version may go: every later one, and whether that is a major step."""
    known = VERSIONS[engine]
    later = known[known.index(version) + 1 :]
    return [
        {
            "Engine": engine,
            "EngineVersion": each,
            "IsMajorVersionUpgrade": major(engine, each) != major(engine, version),
        }
        for each in later
    ]


def parameters(family_name: str) -> dict[str, Record]:
    """A family's parameters by name."""
    kind = "mysql" if "mysql" in family_name or "mariadb" in family_name else "postgres"
    return {
        name: {"ParameterName": name, "ApplyType": apply_type, "IsModifiable": modifiable, "Source": "engine-default"}
        for name, (apply_type, modifiable) in _PARAMETERS[kind].items()
    }


def check_class(engine: str, name: str) -> None:
    """Refuse a class that cannot be ordered for the engine."""
    if name not in CLASSES and not (name == SERVERLESS and engine.startswith("aurora")):
        raise Refusal("InvalidParameterCombination", f"RDS does not support creating a {engine} instance with {name}.")


class Catalogue:
    """The operations that read it."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def describe_db_engine_versions(self, a: Arguments) -> Record:
        """Versions of one engine or of all."""
        engines = [a["Engine"]] if "Engine" in a else list(VERSIONS)
        wanted, default_only = a.get("EngineVersion"), a.get("DefaultOnly", False)
        records = [
            {
                "Engine": engine,
                "EngineVersion": version,
                "MajorEngineVersion": major(engine, version),
                "DBParameterGroupFamily": family(engine, version),
                "Status": "available",
                "ValidUpgradeTarget": upgrades(engine, version),
            }
            for engine in engines
            for version in VERSIONS.get(engine, ())
            if (not wanted or wanted in (version, major(engine, version)))
            and (not default_only or version == DEFAULTS[engine])
        ]
        return page("DBEngineVersions", records, a)

    def describe_orderable_db_instance_options(self, a: Arguments) -> Record:
        """Classes that may be ordered for an engine."""
        engine = a["Engine"]
        classes = [*CLASSES, SERVERLESS] if engine.startswith("aurora") else CLASSES
        records = [
            {"Engine": engine, "EngineVersion": version, "DBInstanceClass": name, "MultiAZCapable": True}
            for version in VERSIONS.get(engine, ())
            for name in classes
            if a.get("EngineVersion", version) == version and a.get("DBInstanceClass", name) == name
        ]
        return page("OrderableDBInstanceOptions", records, a)

    def describe_engine_default_parameters(self, a: Arguments) -> Record:
        """A family's parameters with their defaults."""
        name = a["DBParameterGroupFamily"]
        shown = page("Parameters", list(parameters(name).values()), a)
        return {"EngineDefaults": {"DBParameterGroupFamily": name, **shown}}

    def describe_engine_default_cluster_parameters(self, a: Arguments) -> Record:
        """The same for clusters."""
        return self.describe_engine_default_parameters(a)
