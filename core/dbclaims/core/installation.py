"""Who we are on every server: the installation id and the key of our locks (PROTOCOL.md §2, §4.7).

```
InstallationError   the id is lost or contradicts what is stored; the process must not start
```
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable, Sequence

from .api import IDENTITY_SECRET, MANAGED_BY, MANAGED_BY_LABEL
from .kinds import CLASS, SECRET, SERVER
from .objectstore import AlreadyExists, Object, ObjectStore, every, key_of
from .reconcile.lookup import INDEXES
from .secrets import decoded
from .spi import Installation

SYSTEM_NAMESPACE = "dbclaims-system"
"""Where the Secret is kept, unless the process runs in another namespace."""

_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


class InstallationError(Exception):
    """The id is lost or contradicts what is stored; a new one would make strangers of our own databases."""


def installation(store: ObjectStore, namespace: str, wanted: str | None, known: Iterable[str]) -> Installation:
    """The installation that is kept in the Secret `dbclaims-identity`, made at the first start.

    Args:
        namespace: of the Secret.
        wanted: the id that was configured; None takes the one that is kept, or a random one.
        known: DatabaseServers that already carry an identity: where there are any, the Secret must exist.

    Raises:
        InstallationError: the Secret is lost, broken, or holds another id than the one wanted.
    """
    if wanted is not None and not _ID.fullmatch(wanted):
        raise InstallationError(f"installation id {wanted!r}: use up to 40 lower-case letters, digits and '-'")
    kept = store.get(SECRET, namespace, IDENTITY_SECRET)
    if kept is None:
        _check_first(namespace, wanted, list(known))
        kept = _make(store, namespace, wanted or secrets.token_hex(6))
    found = _read(kept, namespace)
    if wanted is not None and found.id != wanted:
        raise InstallationError(
            f"the configured installation id is {wanted!r} and Secret {IDENTITY_SECRET} in namespace {namespace} holds "
            f"{found.id!r}; configure that one, or restore the Secret"
        )
    return found


def known_installation(store: ObjectStore, namespace: str) -> Installation | None:
    """The installation that is kept, None where there is none yet; nothing is made. Raises as `installation`."""
    kept = store.get(SECRET, namespace, IDENTITY_SECRET)
    return _read(kept, namespace) if kept else None


def identified(store: ObjectStore, controller_class: str = "", namespaces: Sequence[str] = ()) -> list[str]:
    """The DatabaseServers with an identity that may carry our marks, so that our Secret must exist.

    A server that only classes of other controllers offer is another installation's. Raises `StoreError`.

    Args:
        namespaces: the only ones that are served; none named is all.
    """
    classes = list(every(store, CLASS))
    servers = [each for namespace in namespaces or (None,) for each in every(store, SERVER, namespace)]
    return [
        f"DatabaseServer {key_of(each)}"
        for each in servers
        if (each.get("status") or {}).get("identity") and controller_class in _controllers(each, classes)
    ]


def _controllers(server: Object, classes: Sequence[Object]) -> set[str]:
    """The `controllerClass` of those who serve a server; one that no class offers is the nameless controller's."""
    places = {"server": key_of(server), "template": server["metadata"]["namespace"]}
    for index, place in places.items():
        if offering := [each for each in classes if place in INDEXES[CLASS][index](each)]:
            return {each["spec"].get("controllerClass", "") for each in offering}
    return {""}


def _check_first(namespace: str, wanted: str | None, known: list[str]) -> None:
    if known and wanted is None:
        raise InstallationError(
            f"Secret {IDENTITY_SECRET} in namespace {namespace} is gone although {known[0]} and maybe others carry our "
            "marks; restore it, or configure the installation id that the marks carry"
        )


def _read(kept: Object, namespace: str) -> Installation:
    data = decoded(kept)
    if not data.get("id") or not data.get("lock-key"):
        raise InstallationError(
            f"Secret {IDENTITY_SECRET} in namespace {namespace} lacks its id or lock-key; restore it from a backup"
        )
    return Installation(data["id"], data["lock-key"].encode())


def _make(store: ObjectStore, namespace: str, id_: str) -> Object:
    data = {"id": id_, "lock-key": secrets.token_hex(32)}
    secret = {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.kind,
        "metadata": {"name": IDENTITY_SECRET, "namespace": namespace, "labels": {MANAGED_BY_LABEL: MANAGED_BY}},
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }
    try:
        return store.create(SECRET, secret)
    except AlreadyExists:
        found = store.get(SECRET, namespace, IDENTITY_SECRET)
        if found is None:
            raise
        return found
