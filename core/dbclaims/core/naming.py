"""Names in a server, derived from names in the cluster (PROTOCOL.md §1): deterministic, and never longer than fits."""

from __future__ import annotations

import fnmatch
import hashlib

from .spi import EngineInfo, InvalidSpec


def database_name(namespace: str, claim: str, info: EngineInfo) -> str:
    """The name of a database whose claim names none: `<namespace>_<name>`.

    No two claims share one: a DNS label holds no underscore.
    """
    return _fit(f"{namespace}_{claim}", "", info.name_limit, info)


def owner_role(database: str, info: EngineInfo) -> str:
    """The role that owns what is in the database."""
    return _fit(database, "_owner", info.role_limit, info)


def accounts(database: str, info: EngineInfo) -> tuple[str, str]:
    """The two accounts of the claim's own login."""
    return _fit(database, "_a", info.role_limit, info), _fit(database, "_b", info.role_limit, info)


def role_names(database: str, namespace_uid: str, role_claim: str, info: EngineInfo) -> tuple[str, tuple[str, str]]:
    """The role of a RoleClaim and its two accounts."""
    tag = "_" + _digest(f"{namespace_uid}/{role_claim}")
    role, a, b = (_fit(database, tag + suffix, info.role_limit, info) for suffix in ("", "_a", "_b"))
    return role, (a, b)


def check(database: str, info: EngineInfo) -> None:
    """Refuse a database name that the engine reserves or cannot hold; raises `InvalidSpec`."""
    if _size(database, info) > info.name_limit:
        raise InvalidSpec(
            f"database name {database!r} is longer than the {info.name_limit} {info.name_unit} that {info.name} holds; "
            "choose a shorter spec.databaseName",
            reason="NameTooLong",
        )
    if any(fnmatch.fnmatchcase(database.lower(), pattern) for pattern in info.reserved):
        raise InvalidSpec(
            f"database name {database!r} is reserved by {info.name}; choose another spec.databaseName",
            reason="NameReserved",
        )


def _fit(name: str, suffix: str, limit: int, info: EngineInfo) -> str:
    if _size(name + suffix, info) <= limit:
        return name + suffix
    end = f"_{_digest(name)}{suffix}"
    return _cut(name, limit - len(end), info) + end


def _cut(text: str, size: int, info: EngineInfo) -> str:
    """Between characters, never within one."""
    return text.encode()[:size].decode(errors="ignore") if info.name_unit == "bytes" else text[:size]


def _size(text: str, info: EngineInfo) -> int:
    return len(text.encode()) if info.name_unit == "bytes" else len(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
