"""What a claim may have of its class and its engine, and what a RoleClaim may have of a claim."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from dbclaims.core.admission import access_of, check_claim, check_grant, check_interval, deletion_policy
from dbclaims.core.api import ClaimGrant, DeletionPolicy, RoleClaim
from dbclaims.core.spi import Access, InvalidSpec, SPIError, Terminal

from .models import POSTGRES, claim, class_, grant, role

LABELS = {"team": "a"}
REFUSALS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "another namespace": ({}, {"allowedNamespaces": {"names": ["bi"]}}, "NamespaceNotAllowed"),
    "other labels": ({}, {"allowedNamespaces": {"selector": {"matchLabels": {"team": "b"}}}}, "NamespaceNotAllowed"),
    "a reserved name": ({"databaseName": "postgres"}, {}, "NameReserved"),
    "another's pattern": ({"databaseName": "orders"}, {"databaseNames": ["{namespace}_*"]}, "NameNotAllowed"),
    "an extension": ({"extensions": ["dblink"]}, {"allowedExtensions": ["pgcrypto"]}, "ExtensionNotAllowed"),
    "a policy": ({"deletionPolicy": "Delete"}, {"allowedDeletionPolicies": ["Retain"]}, "InvalidSpec"),
    "too short an interval": ({"rotation": {"interval": "10m"}}, {"rotation": {"min": "1h"}}, "InvalidSpec"),
}
ALLOWED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing special": ({}, {}),
    "a namespace by pattern": ({}, {"allowedNamespaces": {"names": ["sh*"]}}),
    "a namespace by label": ({}, {"allowedNamespaces": {"selector": {"matchLabels": LABELS}}}),
    "a name by pattern": ({"databaseName": "shop_orders"}, {"databaseNames": ["{namespace}_*"]}),
    "an extension": ({"extensions": ["pgcrypto"]}, {"allowedExtensions": ["pgcrypto", "citext"]}),
    "rotation on demand": ({"rotation": {"interval": "0s"}}, {"rotation": {"min": "1h"}}),
    "the shortest interval": ({"rotation": {"interval": "1h"}}, {"rotation": {"min": "1h"}}),
}


@pytest.mark.parametrize(("wish", "offer", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_a_claim_may_not_have(wish: dict[str, Any], offer: dict[str, Any], reason: str) -> None:
    with pytest.raises(SPIError) as refused:
        check_claim(claim(**wish), class_(**offer), LABELS, POSTGRES)
    assert refused.value.reason == reason
    assert isinstance(refused.value, Terminal)


@pytest.mark.parametrize(("wish", "offer"), ALLOWED.values(), ids=ALLOWED)
def test_a_claim_may_have(wish: dict[str, Any], offer: dict[str, Any]) -> None:
    check_claim(claim(**wish), class_(**offer), LABELS, POSTGRES)


@pytest.mark.parametrize("wish", [{"schemas": ["app"]}, {"extensions": ["pgcrypto"]}, {"adopt": True}])
def test_a_set_field_needs_its_feature(wish: dict[str, Any]) -> None:
    plain = attrs.evolve(POSTGRES, features=frozenset())
    with pytest.raises(SPIError) as refused:
        check_claim(claim(**wish), class_(allowedExtensions=["pgcrypto"]), {}, plain)
    assert refused.value.reason == "Unsupported"


def test_a_field_that_is_not_set_is_no_need() -> None:
    check_claim(claim(adopt=False, schemas=[]), class_(), {}, attrs.evolve(POSTGRES, features=frozenset()))


def test_a_role_claims_interval_is_held_to_the_class_too() -> None:
    with pytest.raises(InvalidSpec):
        check_interval(role(access="reader", rotation={"interval": "1m"}), class_(rotation={"min": "1h"}))


POLICIES = {
    "the claim's own word": ("Delete", "Retain", "Retain", DeletionPolicy.DELETE),
    "the class's, before it is bound": (None, None, "Delete", DeletionPolicy.DELETE),
    "what stood when it was bound": (None, "Retain", "Delete", DeletionPolicy.RETAIN),
    "towards Retain it follows": (None, "Delete", "Retain", DeletionPolicy.RETAIN),
    "still Delete": (None, "Delete", "Delete", DeletionPolicy.DELETE),
    "its own word that the class refuses": ("Delete", "Retain", "nothing but Retain", DeletionPolicy.RETAIN),
    "its own word for what was narrowed since": ("Delete", "Delete", "nothing but Retain", DeletionPolicy.DELETE),
    "its own word, never looked at": ("Delete", "Retain", None, DeletionPolicy.RETAIN),
    "its own word for Retain, always": ("Retain", "Delete", None, DeletionPolicy.RETAIN),
    "no class, bound": (None, "Delete", None, DeletionPolicy.DELETE),
    "no class, never bound": (None, None, None, DeletionPolicy.RETAIN),
}


@pytest.mark.parametrize(("own", "bound", "offered", "expected"), POLICIES.values(), ids=POLICIES)
def test_a_policy_moves_only_towards_retain(
    own: str | None, bound: str | None, offered: str | None, expected: DeletionPolicy
) -> None:
    spec = {"deletionPolicy": own} if own else {}
    status = {"deletionPolicy": bound} if bound else {}
    model = claim(status, **spec)
    narrow = {"deletionPolicy": "Retain", "allowedDeletionPolicies": ["Retain"]}
    offer = narrow if offered == "nothing but Retain" else {"deletionPolicy": offered}
    assert deletion_policy(model, class_(**offer) if offered else None) is expected


ACCESS: dict[str, tuple[dict[str, Any], list[str], bool, dict[str, Access]]] = {
    "over every schema": ({"access": "reader"}, ["app", "x"], False, {"app": Access.READER, "x": Access.READER}),
    "where there is none": ({"access": "writer"}, [], False, {"public": Access.WRITER}),
    "the owner": ({"access": "owner"}, ["app"], True, {"app": Access.OWNER}),
    "by schema": ({"schemas": {"app": ["reader"]}}, ["app", "x"], False, {"app": Access.READER}),
    "the most of several": ({"schemas": {"app": ["reader", "writer"]}}, ["app"], False, {"app": Access.WRITER}),
    "the owner by schema": ({"schemas": {"app": ["owner"]}}, ["app"], True, {"app": Access.OWNER}),
}


@pytest.mark.parametrize(("spec", "schemas", "owner", "grants"), ACCESS.values(), ids=ACCESS)
def test_access_by_schema(spec: dict[str, Any], schemas: list[str], owner: bool, grants: dict[str, Access]) -> None:
    assert access_of(role(**spec), claim(schemas=schemas)) == (owner, grants)


@pytest.mark.parametrize(
    "spec", [{"schemas": {"other": ["reader"]}}, {"schemas": {"app": ["owner"]}}], ids=["no such schema", "half owner"]
)
def test_access_that_cannot_be_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.schemas"):
        access_of(role(**spec), claim(schemas=["app", "x"]))


READER = role(access="reader")
GRANTS: dict[str, tuple[RoleClaim, list[ClaimGrant], str]] = {
    "at home": (role("shop", access="owner"), [], ""),
    "none": (READER, [], "NotGranted"),
    "granted": (READER, [grant()], ""),
    "for another claim": (READER, [grant(to={"claim": "sales"})], "NotGranted"),
    "for this claim": (READER, [grant(to={"claim": "orders"})], ""),
    "to another namespace": (READER, [grant(sources=[{"namespace": "x"}])], "NotGranted"),
    "too little": (role(access="writer"), [grant(access="reader")], "NotGranted"),
    "enough": (role(access="writer"), [grant(access="writer")], ""),
    "owner only by name": (role(access="owner"), [grant(access="writer")], "NotGranted"),
    "one of two": (READER, [grant(to={"claim": "sales"}), grant()], ""),
    "held for this namespace": (READER, [grant({"bi": "uid-1"})], ""),
    "held for an earlier namespace": (READER, [grant({"bi": "uid-0"})], "GrantStale"),
    "given to this very namespace": (READER, [grant(sources=[{"namespace": "bi", "uid": "uid-1"}])], ""),
    "given to an earlier one": (READER, [grant(sources=[{"namespace": "bi", "uid": "u"}])], "GrantStale"),
}


@pytest.mark.parametrize(("asked", "grants", "reason"), GRANTS.values(), ids=GRANTS)
def test_another_namespace_needs_a_grant(asked: RoleClaim, grants: list[ClaimGrant], reason: str) -> None:
    if not reason:
        found = check_grant(asked, claim(), grants, "uid-1")
        assert found is None or found in grants
        return
    with pytest.raises(Terminal) as refused:
        check_grant(asked, claim(), grants, "uid-1")
    assert refused.value.reason == reason
