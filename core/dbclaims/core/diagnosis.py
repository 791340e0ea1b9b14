"""Whether a cluster is ready for the controller: its definitions, our rights, and whether a claim is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import frozen

from .definitions import WrongDefinitions, check_definitions
from .kinds import CLAIM, REVIEW
from .kube.store import KubernetesStore
from .kube.transport import Transport
from .objectstore import ObjectStore, StoreError
from .rights import PolicyRule, cluster_rules, event_rules, namespace_rules, own_rules, secret_rules

_EVERYWHERE = ("",)


@frozen
class Finding:
    """One thing that was looked at.

    Attributes:
        problem: what is wrong with it, with the way out; empty if nothing is.
    """

    what: str
    problem: str = ""


@frozen
class Scope:
    """Where the controller works.

    Attributes:
        own: the namespace of its Lease and identity.
        served: the only namespaces that are served; none named is all.
        secrets: the only ones in which it may have Secrets; none named is wherever it serves.
    """

    own: str
    served: Sequence[str] = ()
    secrets: Sequence[str] = ()

    def granted(self) -> Iterator[tuple[str, PolicyRule]]:
        """Every rule that is needed, with the namespace in which it is; "" is everywhere."""
        yield from (("", rule) for rule in cluster_rules(self.served))
        for namespace in self.served or _EVERYWHERE:
            yield from ((namespace, rule) for rule in namespace_rules())
        if self.served:
            yield from (("default", rule) for rule in event_rules())
        for namespace in self.secrets or self.served or _EVERYWHERE:
            yield from ((namespace, rule) for rule in secret_rules())
        yield from ((self.own, rule) for rule in own_rules())


def diagnose(transport: Transport, scope: Scope, *, claim_in: str | None = None) -> Iterator[Finding]:
    """Look at everything, in the order in which one thing needs the other; what cannot be asked is a problem.

    Args:
        claim_in: a namespace in which a claim is sent to the API server as a dry run, which stores nothing.
    """
    store = KubernetesStore(transport)
    yield _looked("definitions", lambda: check_definitions(store))
    yield _looked("rights", lambda: check_rights(store, scope))
    if claim_in:
        yield _looked(f"a claim in namespace {claim_in}", lambda: _dry_run(transport, claim_in))


class LacksRights(Exception):
    """The account may not do everything that the controller needs."""


def check_rights(store: ObjectStore, scope: Scope) -> None:
    """Ask the API server about every right. Raises `LacksRights`, which names those that lack, and `StoreError`."""
    asked = [each for namespace, rule in scope.granted() for each in _questions(namespace, rule)]
    lacking = [str(each) for each in asked if not each.is_allowed(store)]
    if lacking:
        raise LacksRights(f"not allowed: {'; '.join(lacking)}; apply the rights that the chart renders")


@frozen
class _Question:
    """May we do this?"""

    verb: str
    group: str
    resource: str
    name: str
    namespace: str

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return " ".join(filter(None, (self.verb, what, self.name, f"in {self.namespace}" if self.namespace else "")))

    def is_allowed(self, store: ObjectStore) -> bool:
        resource, _, subresource = self.resource.partition("/")
        wanted = {"verb": self.verb, "group": self.group, "resource": resource, "subresource": subresource}
        attributes = {**wanted, "name": self.name, "namespace": self.namespace}
        review = {"metadata": {}, "spec": {"resourceAttributes": {k: v for k, v in attributes.items() if v}}}
        answer = store.create(REVIEW, {"apiVersion": REVIEW.api_version, "kind": REVIEW.kind, **review})
        return bool(answer["status"].get("allowed"))


def _questions(namespace: str, rule: PolicyRule) -> Iterable[_Question]:
    return (
        _Question(verb, rule.group, resource, name, namespace)
        for resource in rule.resources
        for verb in rule.verbs
        for name in rule.names or ("",)
    )


def _dry_run(transport: Transport, namespace: str) -> None:
    """Send a claim that the API server checks as any other and does not store."""
    claim = {
        "apiVersion": CLAIM.api_version,
        "kind": CLAIM.kind,
        "metadata": {"generateName": "dbclaims-check-", "namespace": namespace},
        "spec": {"className": "dbclaims-check"},
    }
    KubernetesStore(transport, dry_run=True).create(CLAIM, claim)


def _looked(what: str, look: Callable[[], None]) -> Finding:
    try:
        look()
    except (LacksRights, StoreError, WrongDefinitions) as error:
        return Finding(what, str(error))
    return Finding(what)
