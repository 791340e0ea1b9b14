"""Rules that bind several fields, each as CEL for the API server beside its Python twin for the local home.

A rule without `oldSelf` holds at every write; one with `oldSelf` only when there is an old value to compare with, as
the API server does it (Kubernetes documentation, "Transition rules"). A twin is called with values that passed their
bounds and have their defaults; it never raises. tests/api holds both to the same table of cases.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from attrs import frozen

from .duration import parse_duration

Twin = Callable[[Any, Any], bool]
"""The rule in Python: (self, oldSelf) -> whether it holds. `oldSelf` is None where the rule does not name it."""


@frozen
class Rule:
    """One rule.

    Attributes:
        cel: what the API server evaluates (`x-kubernetes-validations`).
        message: what is wrong and the way out; shown by both homes.
        twin: the same in Python.
        reason: the condition's reason when it is broken.
    """

    cel: str
    message: str
    twin: Twin
    reason: str = "InvalidSpec"

    @property
    def transition(self) -> bool:
        """Whether the rule compares with the old value."""
        return "oldSelf" in self.cel


def immutable(name: str, hint: str) -> Rule:
    """The value of a field stays as it is."""
    return Rule(
        cel="self == oldSelf",
        message=f"{name} is immutable; {hint}",
        twin=lambda new, old: bool(new == old),
        reason="Immutable",
    )


def immutable_presence(name: str, hint: str) -> Rule:
    """An optional field is neither set late nor cleared: omit, set, clear would walk round `immutable` otherwise."""
    return Rule(
        cel=f"has(self.{name}) == has(oldSelf.{name})",
        message=f"{name} is immutable: it is neither set later nor cleared; {hint}",
        twin=lambda new, old: (name in new) == (name in old),
        reason="Immutable",
    )


def exactly_one(first: str, second: str) -> Rule:
    """One of two fields is given, and only one."""
    return Rule(
        cel=f"has(self.{first}) != has(self.{second})",
        message=f"exactly one of {first} and {second} is needed",
        twin=lambda new, _: (first in new) != (second in new),
    )


def at_least_one(first: str, second: str) -> Rule:
    """One of two fields is given, or both."""
    return Rule(
        cel=f"has(self.{first}) || has(self.{second})",
        message=f"{first}, {second} or both are needed",
        twin=lambda new, _: first in new or second in new,
    )


def keys_match(pattern: str, what: str) -> Rule:
    """Every key of a map is written as it must be; OpenAPI has no bound for keys."""
    return Rule(
        cel=f"self.all(key, key.matches('{pattern}'))",
        message=f"every key must be {what}",
        twin=lambda new, _: all(re.fullmatch(pattern[1:-1], key) for key in new),
    )


def seconds_in_cel(value: str) -> str:
    """CEL for a duration of ours in seconds; CEL's own duration knows no days."""
    # Not replace(): the cost of what it makes is estimated as without end, and the API server refuses the CRD.
    days = f"int({value}.substring(0, size({value}) - 1)) * 86400"
    return f"({value}.endsWith('d') ? {days} : duration({value}).getSeconds())"


def _interval_within_min(new: Any, _: Any) -> bool:
    interval = parse_duration(new["interval"])
    return interval == timedelta(0) or interval >= parse_duration(new["min"])


INTERVAL_WITHIN_MIN = Rule(
    cel=f"{seconds_in_cel('self.interval')} == 0 || {seconds_in_cel('self.interval')} >= {seconds_in_cel('self.min')}",
    message='interval must be min or longer, or "0s" to rotate only on demand',
    twin=_interval_within_min,
)

DEFAULT_POLICY_ALLOWED = Rule(
    cel="self.deletionPolicy in self.allowedDeletionPolicies",
    message="deletionPolicy must be one of allowedDeletionPolicies",
    twin=lambda new, _: new["deletionPolicy"] in new["allowedDeletionPolicies"],
)

SCHEMA_NOT_RESERVED = Rule(
    cel="!self.startsWith('pg_') && self != 'information_schema'",
    message="names that begin with pg_ and information_schema belong to the server; choose another",
    twin=lambda new, _: not new.startswith("pg_") and new != "information_schema",
)

SCHEMA_KEYS_NOT_RESERVED = Rule(
    cel="self.all(key, !key.startsWith('pg_') && key != 'information_schema')",
    message="schemas that begin with pg_ and information_schema belong to the server; leave them out",
    twin=lambda new, _: all(SCHEMA_NOT_RESERVED.twin(key, None) for key in new),
)

SECRET_NAME_NOT_OURS = Rule(
    cel="!self.startsWith('dbclaims-pending-') && self != 'dbclaims-identity'",
    message="dbclaims-identity and dbclaims-pending-… are Secrets of the controller; choose another name",
    twin=lambda new, _: not new.startswith("dbclaims-pending-") and new != "dbclaims-identity",
)

OWN_NAME_AS_SECRET_NAME = Rule(
    cel="has(self.spec.secretName) || "
    "(!self.metadata.name.startsWith('dbclaims-pending-') && self.metadata.name != 'dbclaims-identity')",
    message="its name would be the Secret's, and that one belongs to the controller; set spec.secretName",
    twin=lambda new, _: "secretName" in new["spec"] or SECRET_NAME_NOT_OURS.twin(new["metadata"]["name"], None),
)

# A Secret of these types is acted upon: the API server fills in a service account's token, for one.
SECRET_TYPE_NOT_SPECIAL = Rule(
    cel="!self.contains('kubernetes.io/')",
    message="Kubernetes gives these types a meaning of its own; use Opaque or servicebinding.io/…",
    twin=lambda new, _: "kubernetes.io/" not in new,
)

EXPRESSION_VALUES = Rule(
    cel="(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
    message="In and NotIn need values, Exists and DoesNotExist take none",
    twin=lambda new, _: (new["operator"] in ("In", "NotIn")) == bool(new.get("values")),
)
