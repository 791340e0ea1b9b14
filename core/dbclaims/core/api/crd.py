"""The five CustomResourceDefinitions, generated from the models."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import yaml

from .kinds import RESOURCES, Column, Resource, document_schema
from .meta import GROUP, SCHEMA_ANNOTATION, VERSION
from .schema import openapi

CATEGORY = "dbclaims"
"""`kubectl get dbclaims -A` lists every kind of ours."""

_READY = Column("Ready", '.status.conditions[?(@.type=="Ready")].status')
# Synced speaks of the last pass, and so tells why a claim is not ready as well as why a ready one lags behind.
_REASON = Column("Reason", '.status.conditions[?(@.type=="Synced")].reason')
_AGE = Column("Age", ".metadata.creationTimestamp", "date")


def columns(resource: Resource) -> tuple[Column, ...]:
    """What `kubectl get` shows of a kind, after the name."""
    return (_READY, _REASON, *resource.columns, _AGE)


def crds() -> list[dict[str, Any]]:
    """The definitions, ready to be applied."""
    return [_crd(resource) for resource in RESOURCES.values()]


def crds_yaml() -> str:
    """The definitions as one YAML stream."""
    return yaml.safe_dump_all(crds(), sort_keys=False, width=120, explicit_start=True, allow_unicode=True)


def _crd(resource: Resource) -> dict[str, Any]:
    spec = {
        "group": GROUP,
        "names": _names(resource),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "versions": [_version(resource)],
    }
    checksum = hashlib.sha256(orjson.dumps(spec)).hexdigest()[:16]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{GROUP}", "annotations": {SCHEMA_ANNOTATION: checksum}},
        "spec": spec,
    }


def _names(resource: Resource) -> dict[str, Any]:
    return {
        "kind": resource.kind,
        "listKind": f"{resource.kind}List",
        "plural": resource.plural,
        "singular": resource.kind.lower(),
        "shortNames": list(resource.short_names),
        "categories": [CATEGORY],
    }


def _version(resource: Resource) -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "selectableFields": [{"jsonPath": path} for path in resource.selectable],
        "additionalPrinterColumns": [_column(each) for each in columns(resource)],
        "schema": {"openAPIV3Schema": _root(resource)},
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        **({"priority": 1} if column.wide else {}),
    }


def _root(resource: Resource) -> dict[str, Any]:
    root = openapi(document_schema(resource.kind))
    # The API server forbids to say more of metadata than that it is an object.
    root["properties"]["metadata"] = {"type": "object"}
    return root
