"""Flux's health expressions as Flux evaluates them: by CEL, with the object's fields as variables.

The API server has the same CEL, so it is asked: a policy refuses every object of a kind that exists for this alone, and
says in the refusal what the expressions made of the object that it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.controlplane.cluster import ControlPlane
from tests.core.test_manager import until

_GROUP = "recorded.dbclaims.io"
_CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
_BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
_ORDER = ("inProgress", "failed", "current")


class FluxHealth:
    """The expressions of one kind."""

    def __init__(self, cluster: ControlPlane, kind: str, expressions: Mapping[str, str]) -> None:
        self._cluster, self._name = cluster, kind.lower()
        self._make(_CRD, _definition())
        self._make(_POLICIES, _policy(self._name, expressions))
        self._make(_BINDINGS, _binding(self._name))

    def of(self, obj: Mapping[str, Any]) -> str:
        """What Flux would say: the first of the expressions that holds, else `unknown`."""
        said: list[str] = []

        def answered() -> bool:
            body = {"apiVersion": f"{_GROUP}/v1", "kind": "Recorded", "metadata": {"name": self._name}, "object": obj}
            status, answer = self._cluster.request("POST", f"/apis/{_GROUP}/v1/recordeds?dryRun=All", body)
            said[:] = str(answer.get("message", "")).rpartition("holds: ")[2].split(",") if status == 422 else []
            return bool(said)

        until(answered, 60)
        return next((name for name in _ORDER if name in said), "unknown")

    def _make(self, path: str, body: Mapping[str, Any]) -> None:
        status, answer = self._cluster.request("POST", path, body)
        assert status in (201, 409), answer


def _definition() -> dict[str, Any]:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"object": anything}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Recorded", "plural": "recordeds"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"recordeds.{_GROUP}"},
        "spec": {"group": _GROUP, "names": names, "scope": "Cluster", "versions": [version]},
    }


def _policy(name: str, expressions: Mapping[str, str]) -> dict[str, Any]:
    told = " + ',' + ".join(f"({_bound(expression)} ? '{key}' : '')" for key, expression in expressions.items())
    rule = {"apiGroups": [_GROUP], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["recordeds"]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": f"flux-{name}"},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [{"name": "kind", "expression": f"object.metadata.name == '{name}'"}],
            "validations": [{"expression": "false", "messageExpression": f"'holds: ' + {told}"}],
        },
    }


def _bound(expression: str) -> str:
    """The expression with the object's fields as variables, as Flux has them."""
    return f"[object.object.status].exists(status, [object.object.metadata].exists(metadata, {expression}))"


def _binding(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": f"flux-{name}"},
        "spec": {"policyName": f"flux-{name}", "validationActions": ["Deny"]},
    }
