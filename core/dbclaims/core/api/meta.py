"""The names that this project writes on objects, and a view of an object's metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from .bounds import DNS_LABEL, DNS_SUBDOMAIN, Bounds
from .errors import Problem

GROUP = "dbclaims.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

FINALIZER = f"{GROUP}/claim"
"""On DatabaseClaims and RoleClaims: set before the first write to a backend."""
SERVER_FINALIZER = f"{GROUP}/server"
"""On DatabaseServers that a provider makes."""

ROTATE = f"{GROUP}/rotate"
PAUSED = f"{GROUP}/paused"
APPROVE = f"{GROUP}/approve"
PROTECT = f"{GROUP}/protect"
ANNOTATIONS = (APPROVE, PAUSED, PROTECT, ROTATE)
"""What people may write on our objects; the meaning of each stands in API.md, "Annotations"."""

REFUSED_EDIT = f"local.{GROUP}/refused-edit"
"""Written by the local home on an object whose document was edited into something that is refused: where, and why."""

ABANDON = "abandon"
"""The value of `dbclaims.io/approve` that lets go of a claim under Retain whose backend is dead."""

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "dbclaims"
OWNER_UID_LABEL = f"{GROUP}/owner-uid"
"""On Secrets and on the server of a template class: the uid of the object that it belongs to."""
CHECKSUM_ANNOTATION = f"{GROUP}/checksum"
"""On published Secrets: over their data, so that an edit by hand shows."""
MARK_ANNOTATION = f"{GROUP}/mark"
"""On the server of a template class: whose it is, as the mark in a server says it."""
SCHEMA_ANNOTATION = f"{GROUP}/schema"
"""On our CRDs: over their content, so that an outdated one shows."""

PENDING_SECRET_PREFIX = "dbclaims-pending-"
IDENTITY_SECRET = "dbclaims-identity"

_ANNOTATION_NAME = re.compile(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


@frozen(kw_only=True)
class ObjectMeta:
    """What we read of an object's metadata; timestamps stay the API's text."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    labels: Mapping[str, str] = field(factory=dict)
    annotations: Mapping[str, str] = field(factory=dict)
    finalizers: tuple[str, ...] = ()
    creation_timestamp: str = ""
    deletion_timestamp: str = ""
    owner_references: tuple[Mapping[str, Any], ...] = ()

    @property
    def key(self) -> str:
        """`namespace/name`, or the name alone where there is no namespace."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def deleting(self) -> bool:
        """Whether the object is meant to go and waits for its finalizers."""
        return bool(self.deletion_timestamp)

    @property
    def paused(self) -> bool:
        """Whether nothing of the backend may change: any value pauses, so that a slip is the safe one."""
        return PAUSED in self.annotations

    @property
    def protected(self) -> bool:
        """Whether deletion is refused: any value but `"false"` protects."""
        return self.annotations.get(PROTECT, "false") != "false"


def check_annotations(meta: ObjectMeta) -> list[Problem]:
    """Annotations and labels under `dbclaims.io/` that mean nothing, and values that mean nothing.

    A word that nobody reads is a wish that nobody grants, so it is said (API.md, "Annotations").
    """
    known = {*ANNOTATIONS, CHECKSUM_ANNOTATION, MARK_ANNOTATION}
    problems = [_unknown("annotations", name, known) for name in _ours(meta.annotations) if name not in known]
    problems += [_unknown("labels", name, {OWNER_UID_LABEL}) for name in _ours(meta.labels) if name != OWNER_UID_LABEL]
    problems += _check_switch(meta, PAUSED, ("true",))
    return problems + _check_switch(meta, PROTECT, ("true", "false"))


def check_metadata(meta: Mapping[str, Any], *, namespaced: bool) -> list[Problem]:
    """Names as the API server checks them, so that `../../x` is refused in a directory too."""
    problems = _check_name("metadata.name", meta.get("name"), DNS_SUBDOMAIN)
    if namespaced:
        problems += _check_name("metadata.namespace", meta.get("namespace"), DNS_LABEL)
    for part in ("labels", "annotations"):
        problems += _check_strings(f"metadata.{part}", meta.get(part))
    return problems


def _ours(names: Mapping[str, str]) -> list[str]:
    return sorted(name for name in names if name.startswith(f"{GROUP}/"))


def _unknown(part: str, name: str, known: set[str]) -> Problem:
    known_names = ", ".join(sorted(known))
    return Problem(f"metadata.{part}", "InvalidAnnotation", f"{name} means nothing; known are {known_names}; remove it")


def _check_switch(meta: ObjectMeta, name: str, meant: tuple[str, ...]) -> list[Problem]:
    value = meta.annotations.get(name, "true")
    if value in meant:
        return []
    message = f'{name}: {value[:63]!r} is taken for "true"; write "true", or remove it'
    return [Problem("metadata.annotations", "InvalidAnnotation", message)]


def _check_name(path: str, value: object, bounds: Bounds) -> list[Problem]:
    if not isinstance(value, str) or not value:
        return [Problem(path, "InvalidSpec", "is needed")]
    pattern, longest = str(bounds.pattern)[1:-1], bounds.max_length or 0
    if len(value) <= longest and re.fullmatch(pattern, value):
        return []
    return [Problem(path, "InvalidSpec", f"{value[:80]!r} is not {bounds.says}")]


def _check_strings(path: str, value: object) -> list[Problem]:
    if value is None:
        return []
    if not isinstance(value, Mapping) or not all(isinstance(item, str) for pair in value.items() for item in pair):
        return [Problem(path, "InvalidSpec", "is not a map of strings; put quotes round numbers and true")]
    return [
        Problem(path, "InvalidSpec", f"{name[:80]!r} is not a valid name")
        for name in value
        if not _ANNOTATION_NAME.fullmatch(name)
    ]
