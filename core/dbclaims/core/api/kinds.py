"""The five kinds: which model each has, and how `kubectl` names and lists them."""

from __future__ import annotations

import typing
from functools import cache
from typing import Any

from attrs import evolve, frozen

from .claimgrant import ClaimGrant
from .convert import to_document
from .databaseclaim import DatabaseClaim
from .databaseclass import DatabaseClass
from .databaseserver import DatabaseServer
from .roleclaim import RoleClaim
from .schema import Schema, schema_of
from .status import Status

Object = ClaimGrant | DatabaseClaim | DatabaseClass | DatabaseServer | RoleClaim


@frozen
class Column:
    """A column of `kubectl get`; `wide` ones show with `-o wide` only."""

    name: str
    path: str
    type: str = "string"
    wide: bool = False


@frozen(kw_only=True)
class Resource:
    """One kind.

    Attributes:
        model: its attrs class.
        plural: its name in URLs.
        short_names: what people type.
        namespaced: False for a cluster-scoped kind.
        columns: of `kubectl get`, between Reason and Age.
        selectable: fields for `kubectl get --field-selector`.
    """

    model: type[Any]
    plural: str
    short_names: tuple[str, ...]
    namespaced: bool = True
    columns: tuple[Column, ...] = ()
    selectable: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind's name."""
        return self.model.__name__


_SECRET = Column("Secret", ".status.secretName", wide=True)
_HOST = Column("Host", ".status.endpoint.host", wide=True)
_ROTATED = Column("Rotated", ".status.login.since", "date", wide=True)
_VERSION = Column("Version", ".status.version")

RESOURCES: dict[str, Resource] = {
    each.kind: each
    for each in (
        Resource(
            model=DatabaseClass,
            plural="databaseclasses",
            short_names=("dbclass",),
            namespaced=False,
            columns=(
                Column("Server", ".spec.serverRef.name"),
                Column("Policy", ".spec.deletionPolicy"),
                Column("Rotation", ".spec.rotation.interval"),
            ),
            selectable=(".spec.serverRef.name", ".spec.serverRef.namespace", ".spec.controllerClass"),
        ),
        Resource(
            model=DatabaseServer,
            plural="databaseservers",
            short_names=("dbserver",),
            columns=(
                Column("Provider", ".spec.provider"),
                Column("Engine", ".spec.engine"),
                _VERSION,
                _HOST,
                Column("Identity", ".status.identity", wide=True),
            ),
            selectable=(".spec.provider", ".spec.engine"),
        ),
        Resource(
            model=DatabaseClaim,
            plural="databaseclaims",
            short_names=("dbclaim", "dbc"),
            columns=(
                Column("Database", ".status.databaseName"),
                _VERSION,
                Column("Class", ".spec.className"),
                Column("Server", ".status.serverRef.name", wide=True),
                _HOST,
                _SECRET,
                _ROTATED,
            ),
            selectable=(".spec.className", ".spec.databaseName"),
        ),
        Resource(
            model=RoleClaim,
            plural="roleclaims",
            short_names=("dbrole",),
            columns=(
                Column("Claim", ".spec.claimRef.name"),
                Column("Access", ".spec.access"),
                Column("Database", ".status.databaseName"),
                Column("Namespace", ".spec.claimRef.namespace", wide=True),
                _HOST,
                _SECRET,
                _ROTATED,
            ),
            selectable=(".spec.claimRef.name", ".spec.claimRef.namespace"),
        ),
        Resource(
            model=ClaimGrant,
            plural="claimgrants",
            short_names=("dbgrant",),
            columns=(Column("Claim", ".spec.to.claim"), Column("Access", ".spec.access")),
            selectable=(".spec.to.claim",),
        ),
    )
}
"""Every kind of ours, by its name."""


@cache
def document_schema(kind: str) -> Schema:
    """The schema of a whole document of a kind; its metadata is Kubernetes' own (`meta.check_metadata`)."""
    model = RESOURCES[kind].model
    hints = typing.get_type_hints(model)
    text, anything = Schema(type="string"), Schema(type="object", open=True)
    properties = {
        "apiVersion": text,
        "kind": text,
        "metadata": anything,
        "spec": schema_of(hints["spec"]),
        "status": evolve(schema_of(hints["status"]), default=to_document(Status())),
    }
    rules = getattr(model, "rules", ())
    return Schema(type="object", text=str(model.__doc__), properties=properties, required=("spec",), rules=rules)
