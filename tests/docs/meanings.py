"""What the reference page says of names that have no text in the code; tests hold each table to the code's own list."""

from __future__ import annotations

from collections.abc import Mapping

from dbclaims.core.api import (
    APPROVE,
    CHECKSUM_ANNOTATION,
    MARK_ANNOTATION,
    OWNER_UID_LABEL,
    PAUSED,
    PROTECT,
    ROTATE,
    SCHEMA_ANNOTATION,
)
from dbclaims.core.secrets import FORMAT_ANNOTATION, SUPERSEDES_ANNOTATION

ANNOTATIONS: Mapping[str, tuple[str, str, str]] = {
    ROTATE: (
        "DatabaseClaim, RoleClaim",
        "any new value",
        "Rotates the login once per value; the value that was carried out stands in `status.login.rotateToken`.",
    ),
    PAUSED: (
        "DatabaseServer, DatabaseClaim",
        "`true`",
        "Nothing in the server is changed while it stands. Any other value pauses too, so that a slip is the safe one.",
    ),
    APPROVE: (
        "DatabaseServer, DatabaseClaim",
        "the hash in `status.pendingHash`, or `abandon`",
        "Lets a step run that waits for people. A hash fits one situation only. `abandon` lets go of a deleted claim "
        "under Retain whose server is dead.",
    ),
    PROTECT: (
        "DatabaseServer, DatabaseClaim",
        "`true`",
        "Refuses deletion: the finalizer waits until it is removed. Any value but `false` protects.",
    ),
}
"""What people write: on which kinds, with which values, to what end."""

WRITTEN: Mapping[str, tuple[str, str]] = {
    OWNER_UID_LABEL: ("label on Secrets and on servers of a template", "The uid of the object that it belongs to."),
    MARK_ANNOTATION: ("annotation on servers of a template", "Whose the server is, as the mark on a database says it."),
    CHECKSUM_ANNOTATION: ("annotation on published Secrets", "Over names and values, so that an edit by hand shows."),
    FORMAT_ANNOTATION: ("annotation on published Secrets", "The `secretFormat.keys` that it was written with."),
    SUPERSEDES_ANNOTATION: (
        "annotation on published Secrets",
        "The former name after an edit of `secretName`; that Secret goes after one grace.",
    ),
    SCHEMA_ANNOTATION: ("annotation on CRDs", "Over their content, so that an outdated one shows."),
}
"""What the controller writes; nobody else should."""

SECRET_KEYS: Mapping[str, str] = {
    "type": "`postgresql` or `mysql`.",
    "provider": "The provider of the DatabaseServer, such as `existing`.",
    "host": "Where to connect: the server's `clientEndpoint` if it has one, else its own address.",
    "port": "The port, as text.",
    "database": "The database's name in the server.",
    "username": "The login's name; it changes with every rotation.",
    "password": "The password, from `[A-Za-z0-9_-]`.",
    "sslmode": "The server's TLS mode, in libpq's words or MySQL's.",
    "uri": "All of the above as a URI, values percent-encoded.",
    "dsn": "All of the above as libpq's key=value text, values quoted; of MySQL as Go's driver has it.",
    "ca.crt": "The certificate authority as PEM, where the DatabaseServer names one.",
}
"""The keys of a published Secret."""

CONDITIONS: Mapping[str, str] = {
    "Ready": "The published login works. Its `observedGeneration` is the last generation that was made real, so "
    "`kubectl wait --for=condition=Ready` does not pass on an edit that was refused.",
    "Synced": "The last pass did what it meant to. If not, its reason and message say why.",
    "Reconciling": "Stands only while something is being made or repaired.",
    "Stalled": "Stands only while nothing will help until somebody changes something.",
}
"""The four types of condition that are not warnings."""

EVENTS: Mapping[str, tuple[str, str]] = {
    "`Available`": ("Normal", "`Ready` became true: the published login works."),
    "the reason of `Ready`": ("Warning", "`Ready` was true and is not any more."),
    "the reason of `Stalled`": ("Warning", "Nothing helps until somebody changes something; once for each sentence."),
    "`Rotated`": ("Normal", "Another login was published; the note names both."),
    "`Drifted`": ("Warning", "Somebody changed something by hand, and the class only reports it."),
    "`Repaired`": ("Normal", "What somebody had changed by hand was taken back; the note lists it."),
    "`Abandoned`": ("Warning", "A deleted claim was let go by `dbclaims.io/approve: abandon`; its logins are open."),
}
"""Every Event: its reason, its type, and when it is written."""

IDLE_FIELDS: Mapping[str, str] = {
    "require_use": "requireUse",
}
"""Fields of a DatabaseClass that are checked and kept, and that nothing acts upon in this version (by attribute)."""
