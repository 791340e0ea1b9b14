"""What a write makes of an object, as an API server would: pure functions from the stored object to the next one.

Spec and status are written apart; a changed spec counts up the generation; what the server owns in the metadata cannot
be written; an object with finalizers is marked for deletion and goes with the last of them.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..api import RESOURCES, defaulted, format_time, validate
from ..api.meta import check_metadata
from ..kinds import SECRET
from ..objectstore import Conflict, Invalid, Kind, Object
from .state import Address

_NAMES = uuid.uuid5(uuid.NAMESPACE_DNS, "dbclaims.io")
_SERVERS_OWN = ("uid", "name", "namespace", "generation", "creationTimestamp", "deletionTimestamp", "resourceVersion")
_KEY = re.compile(r"(?!\.\.)[-._a-zA-Z0-9]{1,253}")
_MAX_SECRET = 1024 * 1024


def uid_of(address: Address, lives: int = 0) -> str:
    """The uid of the object that has this name for the n-th time: the same on every machine (DESIGN.md §6)."""
    kind, namespace, name = address
    return str(uuid.uuid5(_NAMES, f"{kind}/{namespace}/{name}" + (f"#{lives}" if lives else "")))


def born(obj: Object, uid: str, now: datetime) -> Object:
    """A new object as it is stored first: without a status, and with what only the server knows."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in (*_SERVERS_OWN[3:], "uid")}
    metadata |= {"uid": uid, "creationTimestamp": format_time(now)}
    if obj["kind"] in RESOURCES:
        metadata["generation"] = 1
    return checked({**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}, None)


def merged(target: Any, patch: Any) -> Any:
    """A JSON merge patch applied (RFC 7386)."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def updated(stored: Object, wanted: Object, subresource: str) -> Object:
    """The stored object with that part of the wanted one which such a write may change. Raises `Invalid`."""
    if subresource == "status":
        return {**stored, "status": wanted.get("status", {})}
    keep = {"metadata": _metadata(stored, wanted)}
    if stored["kind"] in RESOURCES:
        keep["status"] = stored["status"]
    result = checked({**wanted, **keep}, stored)
    if result.get("spec") != stored.get("spec"):
        result["metadata"]["generation"] = stored["metadata"]["generation"] + 1
    return result


def doomed(stored: Object, now: datetime) -> Object:
    """The stored object, marked for deletion."""
    metadata = {**stored["metadata"], "deletionTimestamp": format_time(now)}
    if "generation" in metadata:
        metadata["generation"] += 1
    return {**stored, "metadata": metadata}


def is_over(obj: Object) -> bool:
    """Whether an object marked for deletion is held by nothing any more."""
    return "deletionTimestamp" in obj["metadata"] and not obj["metadata"].get("finalizers")


def check_preconditions(stored: Object, uid: str | None, version: str | None) -> None:
    """Raise `Conflict` where the stored object is another one, or another version, than the writer saw."""
    metadata = stored["metadata"]
    for name, seen, now in (("uid", uid, metadata["uid"]), ("resourceVersion", version, metadata["resourceVersion"])):
        if seen and seen != now:
            message = f"{stored['kind']} {metadata['name']}: {name} is {now}, not {seen}; read it again"
            raise Conflict(message, status=409)


def checked(obj: Object, stored: Object | None) -> Object:
    """The object with defaults, or its data in one form. Raises `Invalid`."""
    if obj["kind"] in RESOURCES:
        found = [str(problem) for problem in validate(obj, stored)]
        result: Object = obj if found else defaulted(obj)
    else:
        namespaced = obj["kind"] == SECRET.kind
        found = [str(problem) for problem in check_metadata(obj["metadata"], namespaced=namespaced)]
        result = secret_data(obj) if namespaced and not found else obj
    if found:
        raise Invalid("; ".join(found), status=422)
    return result


def secret_data(secret: Object) -> Object:
    """A Secret with its `stringData` folded into `data`. Raises `Invalid`, never with a value in the sentence."""
    plain, encoded = secret.get("stringData") or {}, secret.get("data") or {}
    if not isinstance(plain, Mapping) or not isinstance(encoded, Mapping):
        raise Invalid("data and stringData are maps of keys to texts", status=422)
    for key, value in (*plain.items(), *encoded.items()):
        if not _KEY.fullmatch(key) or not isinstance(value, str):
            raise Invalid(f"key {key[:80]!r} is no key with a text; put quotes round numbers", status=422)
    data = {key: _same_base64(key, value) for key, value in encoded.items()}
    data |= {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
    if sum(map(len, data.values())) > _MAX_SECRET:
        raise Invalid("a Secret holds at most 1 MiB", status=422)
    rest = {key: value for key, value in secret.items() if key != "stringData"}
    return {"type": "Opaque", **rest, "data": dict(sorted(data.items()))}


def _same_base64(key: str, value: str) -> str:
    try:
        return base64.b64encode(base64.b64decode("".join(value.split()), validate=True)).decode()
    except binascii.Error:
        raise Invalid(f"data.{key} is not base64; a plain text belongs into stringData", status=422) from None


def _metadata(stored: Object, wanted: Object) -> dict[str, Any]:
    own = {key: stored["metadata"][key] for key in _SERVERS_OWN if key in stored["metadata"]}
    rest = {key: value for key, value in wanted.get("metadata", {}).items() if key not in _SERVERS_OWN}
    return {**rest, **own}


def address_of(kind: Kind, namespace: str | None, name: str) -> Address:
    """Where an object of a kind is stored."""
    return kind.kind, namespace or "" if kind.namespaced else "", name
