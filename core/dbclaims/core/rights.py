"""The rights that the controller needs, and no more: data that the chart and tests render.

They come in parts, by where they are bound: `cluster_rules` for the whole cluster; `namespace_rules` and `secret_rules`
likewise, or in each namespace that is served, and then `event_rules` in `default`; `own_rules` in the controller's own.

Whoever may list Secrets reads them all, so ours are read by name only (DESIGN.md §5). Created and deleted by us are
Secrets and the servers of template classes, nothing else; of a spec nothing is ever written, only finalizers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from .api import GROUP, IDENTITY_SECRET, RESOURCES
from .definitions import DEFINITION
from .kinds import CLAIM, CLASS, GRANT, NAMESPACE, ROLE, SECRET, SERVER
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


def cluster_rules(namespaces: Sequence[str] = ()) -> list[PolicyRule]:
    """What cannot be had in a namespace. `namespaces`: the only ones that are served; none named is all."""
    definitions = tuple(f"{each.plural}.{GROUP}" for each in RESOURCES.values())
    return [
        _rule(CLASS, "list", "watch"),
        PolicyRule(GROUP, (f"{CLASS.plural}/status",), ("patch",)),
        PolicyRule(NAMESPACE.group, (NAMESPACE.plural,), ("list", "watch"), tuple(namespaces)),
        PolicyRule(DEFINITION.group, (DEFINITION.plural,), ("get",), definitions),
    ]


def namespace_rules() -> list[PolicyRule]:
    """What it needs wherever claims and servers are, but for Secrets."""
    plurals = tuple(kind.plural for kind in (SERVER, CLAIM, ROLE, GRANT))
    return [
        PolicyRule(GROUP, plurals, ("list", "watch")),
        PolicyRule(GROUP, tuple(kind.plural for kind in (SERVER, CLAIM, ROLE)), ("patch",)),
        _rule(SERVER, "create", "delete"),
        PolicyRule(GROUP, tuple(f"{plural}/status" for plural in plurals), ("patch",)),
        *event_rules(),
    ]


def event_rules() -> list[PolicyRule]:
    """Events. Those of a cluster-scoped object, which a class is, have to be in the namespace `default`."""
    return [_rule(EVENT, "create")]


def secret_rules() -> list[PolicyRule]:
    """What it needs wherever claims and servers are, of Secrets: by name only, and never a list."""
    return [_rule(SECRET, "get", "create", "update", "delete")]


def own_rules() -> list[PolicyRule]:
    """What it needs in its own namespace: the Lease of leader election, and the Secret that says who it is."""
    return [
        _rule(LEASE, "get", "create", "update"),
        PolicyRule(SECRET.group, (SECRET.plural,), ("get",), (IDENTITY_SECRET,)),
        _rule(SECRET, "create"),
    ]


def rules() -> list[PolicyRule]:
    """All that it needs to serve every namespace."""
    return [*cluster_rules(), *namespace_rules(), *secret_rules()]


def _rule(kind: Kind, *verbs: str) -> PolicyRule:
    return PolicyRule(kind.group, (kind.plural,), verbs)
