"""Whom a world's controller is to the API server: a ServiceAccount with exactly the rights that the chart renders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbclaims.core.diagnosis import Scope
from tests.controlplane.audit import AuditEvent
from tests.controlplane.cluster import ControlPlane
from tests.core.test_manager import until
from tests.rights import GROUP, documents, may

_NAME = "dbclaims"


class Account:
    """An account in the namespace of its installation, which must be there.

    Attributes:
        name: the user name, as the audit log has it.
        kubeconfig: how it reaches the API server.
        scope: where it has its rights.
    """

    def __init__(self, cluster: ControlPlane, scope: Scope) -> None:
        self._cluster, self.scope = cluster, scope
        self.name = f"system:serviceaccount:{scope.own}:{_NAME}"
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": _NAME}}
        self._place = f"/api/v1/namespaces/{scope.own}/serviceaccounts"
        status, answer = cluster.request("POST", self._place, account)
        assert status == 201, answer
        self.kubeconfig = cluster.kubeconfig_of(scope.own, _NAME)
        self.grant()

    def grant(self, scope: Scope | None = None) -> None:
        """Grant the rights of its own scope or of another, as `helm upgrade` does, and wait until they count."""
        scope = scope or self.scope
        for document in self._roles(scope):
            status, answer = self._cluster.request("PATCH", f"{_path(document)}?{_APPLY}", document, kind=_APPLIED)
            assert status in (200, 201), answer
        until(lambda: self._has(scope))

    @property
    def is_confined(self) -> bool:
        """Whether it has its rights in some namespaces alone."""
        return bool(self.scope.served)

    def asked(self, since: int) -> list[AuditEvent]:
        """Its requests since a position of the audit log."""
        return [each for each in self._cluster.audit_since(since) if each.user == self.name]

    def close(self) -> None:
        """Remove it with its roles."""
        self._cluster.request("DELETE", f"{self._place}/{_NAME}")
        for document in self._roles(self.scope):
            self._cluster.request("DELETE", _path(document))

    def _roles(self, scope: Scope) -> list[dict[str, Any]]:
        subject = {"kind": "ServiceAccount", "name": _NAME, "namespace": self.scope.own}
        return list(documents(f"{_NAME}-{self.scope.own}", [subject], scope))

    def _has(self, scope: Scope) -> bool:
        """Whether the API server, whose caches are filled one by one, has heard of every rule."""
        return all(
            may(
                self._cluster,
                self.name,
                rule.verbs[0],
                rule.resources[0],
                place,
                group=rule.group,
                name=next(iter(rule.names), ""),
            )
            for place, rule in scope.granted()
        )


_APPLIED = "apply-patch+yaml"
_APPLY = "fieldManager=helm&force=true"


def _path(document: Mapping[str, Any]) -> str:
    metadata = document["metadata"]
    place = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"/apis/{GROUP}/v1{place}/{document['kind'].lower()}s/{metadata['name']}"
