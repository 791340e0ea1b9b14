"""The rights of an installation as RBAC objects, for accounts that a test makes up.

`tests/chart/test_templates.py` holds the chart to the same `Scope`, so what runs with these runs with the chart's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dbclaims.core.diagnosis import Scope
from dbclaims.core.rights import PolicyRule
from tests.controlplane.cluster import ControlPlane

GROUP = "rbac.authorization.k8s.io"


def documents(name: str, subjects: Iterable[Mapping[str, str]], scope: Scope) -> Iterator[dict[str, Any]]:
    """A role for each place where rules hold, a ClusterRole for those that hold everywhere, each with its binding."""
    for place, rules in _by_place(scope).items():
        kind = "Role" if place else "ClusterRole"
        head = {"apiVersion": f"{GROUP}/v1", "metadata": {"name": name, **({"namespace": place} if place else {})}}
        yield {**head, "kind": kind, "rules": [rule.document() for rule in rules]}
        role = {"apiGroup": GROUP, "kind": kind, "name": name}
        yield {**head, "kind": f"{kind}Binding", "roleRef": role, "subjects": [dict(each) for each in subjects]}


def may(
    plane: ControlPlane, account: str, verb: str, resource: str, namespace: str = "", *, group: str = "", name: str = ""
) -> bool:
    """What the API server itself says of an account's right; `resource` may name a subresource behind a slash."""
    plural, _, subresource = resource.partition("/")
    wanted = {"verb": verb, "group": group, "resource": plural, "subresource": subresource}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}
    spec = {"user": account, "resourceAttributes": {**wanted, "namespace": namespace, "name": name}}
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    return bool(plane.request("POST", path, {**review, "spec": spec})[1]["status"]["allowed"])


def _by_place(scope: Scope) -> dict[str, list[PolicyRule]]:
    found: dict[str, list[PolicyRule]] = {}
    for place, rule in scope.granted():
        found.setdefault(place, []).append(rule)
    return found
