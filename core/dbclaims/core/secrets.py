"""The Secrets that we write: the published one, and the pending one in which a new password is made. Pure.

PROTOCOL.md §4 and §5. A Secret that is not ours is never overwritten, and `read` is where that is found out.
"""

from __future__ import annotations

import base64
import hashlib
import secrets as random_secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import attrs

from .api import (
    CHECKSUM_ANNOTATION,
    GROUP,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    OWNER_UID_LABEL,
    PENDING_SECRET_PREFIX,
    ObjectMeta,
    SecretFormat,
)
from .kinds import SECRET
from .objectstore import Kind, Object
from .rotation import Published
from .spi import Credentials, InvalidSpec, NotOwned, NotReady

FORMAT_ANNOTATION = f"{GROUP}/format"
"""On a published Secret of another shape: its `secretFormat.keys`, so that it can be read after that field's edit."""
SUPERSEDES_ANNOTATION = f"{GROUP}/supersedes"
"""On a published Secret whose name was edited: the old name, kept for one grace."""

PASSWORD_LENGTH = 40
"""Characters of six bits each. AWS takes no more than 41 for the admin of a MySQL server."""
_LOOK_AGAIN = 30.0
"""Seconds until a name that is taken is looked at again: a Secret that goes is not watched (DESIGN.md §5)."""


@attrs.frozen
class Owner:
    """The object that a Secret belongs to."""

    kind: Kind
    meta: ObjectMeta

    def reference(self) -> dict[str, Any]:
        """The owner reference with which the Secret goes when its object goes."""
        return {
            "apiVersion": self.kind.api_version,
            "kind": self.kind.kind,
            "name": self.meta.name,
            "uid": self.meta.uid,
            "controller": True,
        }


def new_password() -> str:
    """240 random bits, in the alphabet `[A-Za-z0-9_-]` that needs no quoting anywhere."""
    return random_secrets.token_urlsafe(PASSWORD_LENGTH * 6 // 8)


def pending_name(owner: Owner) -> str:
    """The name of the Secret in which the next password is made."""
    return PENDING_SECRET_PREFIX + owner.meta.uid


def published(
    owner: Owner, name: str, secret_type: str, keys: Mapping[str, str], form: SecretFormat | None, supersedes: str = ""
) -> Object:
    """The published Secret as it is to be written; raises `InvalidSpec` where its format holds no login."""
    entries = form.keys if form else ()
    data = _shaped(keys, entries)
    annotations = {CHECKSUM_ANNOTATION: checksum(data)}
    if entries:
        annotations[FORMAT_ANNOTATION] = ",".join(entries)
    if supersedes:
        annotations[SUPERSEDES_ANNOTATION] = supersedes
    secret = _secret(owner, name, (form.type if form else None) or secret_type, data)
    secret["metadata"]["annotations"] = annotations
    return secret


def pending(owner: Owner, login: Credentials) -> Object:
    """The Secret that makes a password: whoever goes on reads it live and sets what it holds."""
    return _secret(owner, pending_name(owner), "Opaque", {"username": login.username, "password": login.password})


def unowned(namespace: str, name: str, login: Credentials) -> Object:
    """A Secret of ours that stays when every object of ours is gone: the admin login of a server that we made."""
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.kind,
        "metadata": {"name": name, "namespace": namespace, "labels": {MANAGED_BY_LABEL: MANAGED_BY}},
        "type": "Opaque",
        "data": _encoded({"username": login.username, "password": login.password}),
    }


def check_format(form: SecretFormat | None) -> None:
    """Refuse a format from which the login could not be read back; raises `InvalidSpec`.

    The published Secret is the truth about the password (PROTOCOL.md §4.4), so it must hold it.
    """
    keys = {entry.rpartition("=")[2] for entry in form.keys} if form else set()
    if keys and not ({"username", "password"} <= keys or "uri" in keys):
        raise InvalidSpec(
            "spec.secretFormat.keys: holds no login; add uri, or username and password, under whatever names you need"
        )


def is_ours(secret: Object, owner: Owner) -> bool:
    """Whether this Secret was written by us for this object."""
    labels = secret["metadata"].get("labels") or {}
    return labels.get(MANAGED_BY_LABEL) == MANAGED_BY and labels.get(OWNER_UID_LABEL) == owner.meta.uid


def check_ours(secret: Object, owner: Owner) -> None:
    """Raise `NotOwned` (`SecretNotOurs`) for a Secret that somebody else made.

    One of an earlier object of the same name is about to be collected with it: that is `NotReady`.
    """
    if is_ours(secret, owner):
        return
    where = f"Secret {secret['metadata']['name']!r} in namespace {secret['metadata'].get('namespace', '')!r}"
    if _is_leftover(secret, owner):
        message = f"{where} belongs to a {owner.kind.kind} of this name that is gone; it goes with that one"
        raise NotReady(message, reason="SecretNotOurs")
    raise NotOwned(
        f"{where} exists and was not made for this {owner.kind.kind}; delete it, or choose another spec.secretName",
        reason="SecretNotOurs",
        retry_after=_LOOK_AGAIN,
    )


def _is_leftover(secret: Object, owner: Owner) -> bool:
    metadata = secret["metadata"]
    owners = [(each["kind"], each["name"]) for each in metadata.get("ownerReferences") or ()]
    marked = (metadata.get("labels") or {}).get(MANAGED_BY_LABEL) == MANAGED_BY
    return marked and owners == [(owner.kind.kind, owner.meta.name)]


def read(secret: Object) -> Published:
    """What a Secret of ours holds; not intact where it was edited by hand."""
    username, password = _login(by_meaning(secret))
    found = checksum(decoded(secret))
    return Published(username, password, found, intact=_annotation(secret, CHECKSUM_ANNOTATION) == found)


def by_meaning(secret: Object) -> dict[str, str]:
    """The values under our own names for them, whatever names `secretFormat` gave; one that is gone is empty."""
    values, entries = decoded(secret), _annotation(secret, FORMAT_ANNOTATION).split(",")
    names = {key: name or key for name, _, key in (entry.rpartition("=") for entry in entries if entry)}
    if not names:
        return {"username": "", "password": "", **values}
    return {key: values.get(name, "") for key, name in names.items()}


def decoded(secret: Object) -> dict[str, str]:
    """The Secret's data as text; a value that is no text reads as empty, and so breaks the checksum."""
    data = {key: _text(value) for key, value in (secret.get("data") or {}).items()}
    return {**data, **(secret.get("stringData") or {})}


def checksum(data: Mapping[str, str]) -> str:
    """Over names and values, so that any edit shows."""
    digest = hashlib.sha256()
    for key in sorted(data):
        digest.update(f"{len(key)}:{key}{len(data[key])}:".encode() + data[key].encode())
    return digest.hexdigest()[:32]


def _shaped(keys: Mapping[str, str], entries: Sequence[str]) -> dict[str, str]:
    if not entries:
        return dict(keys)
    pairs = (entry.rpartition("=") for entry in entries)
    return {name or key: keys[key] for name, _, key in pairs if key in keys}


def _annotation(secret: Object, name: str) -> str:
    return str((secret["metadata"].get("annotations") or {}).get(name, ""))


def _login(values: Mapping[str, str]) -> tuple[str, str]:
    if {"username", "password"} <= values.keys():
        return values["username"], values["password"]
    try:
        uri = urlsplit(values.get("uri", ""))
    except ValueError:
        return "", ""
    return unquote(uri.username or ""), unquote(uri.password or "")


def _secret(owner: Owner, name: str, secret_type: str, data: Mapping[str, str]) -> Object:
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.kind,
        "metadata": {
            "name": name,
            "namespace": owner.meta.namespace,
            "labels": {MANAGED_BY_LABEL: MANAGED_BY, OWNER_UID_LABEL: owner.meta.uid},
            "ownerReferences": [owner.reference()],
        },
        "type": secret_type,
        "data": _encoded(data),
    }


def _encoded(data: Mapping[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}


def _text(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except ValueError:
        return ""
