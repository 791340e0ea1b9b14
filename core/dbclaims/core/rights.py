"""The rights that the controller needs, and no more: data that a chart or a test renders.

Whoever may list Secrets reads them all, so ours are read by name only (DESIGN.md §5). Created and deleted by us are
Secrets and the servers of template classes, nothing else; of a spec nothing is ever written, only finalizers.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from .api import GROUP, RESOURCES
from .definitions import DEFINITION
from .kinds import CLAIM, NAMESPACE, ROLE, SECRET, SERVER
from .leader import LEASE
from .objectstore import Kind
from .recorder import EVENT


@frozen
class PolicyRule:
    """One rule of a Role or ClusterRole (rbac.authorization.k8s.io/v1)."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The rule as it stands in YAML."""
        names = {"resourceNames": list(self.names)} if self.names else {}
        return {"apiGroups": [self.group], "resources": list(self.resources), "verbs": list(self.verbs), **names}


def rules() -> list[PolicyRule]:
    """What the controller needs in every namespace."""
    plurals = tuple(each.plural for each in RESOURCES.values())
    definitions = tuple(f"{plural}.{GROUP}" for plural in plurals)
    return [
        PolicyRule(GROUP, plurals, ("list", "watch")),
        PolicyRule(GROUP, tuple(kind.plural for kind in (SERVER, CLAIM, ROLE)), ("patch",)),
        _rule(SERVER, "create", "delete"),
        _rule(SERVER, "create", "delete"),
        PolicyRule(GROUP, tuple(f"{plural}/status" for plural in plurals), ("patch",)),
        _rule(SECRET, "get", "create", "update", "delete"),
        _rule(NAMESPACE, "list", "watch"),
        _rule(EVENT, "create"),
        PolicyRule(DEFINITION.group, (DEFINITION.plural,), ("get",), definitions),
    ]


def own_rules() -> list[PolicyRule]:
    """What it needs in its own namespace besides: the Lease of leader election."""
    return [_rule(LEASE, "get", "create", "update")]


def _rule(kind: Kind, *verbs: str) -> PolicyRule:
    return PolicyRule(kind.group, (kind.plural,), verbs)
