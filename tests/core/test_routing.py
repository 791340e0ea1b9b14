"""Which keys a change concerns, and what a restart need not hurry to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from dbclaims.core.client import CachedClient
from dbclaims.core.informer import Informer, Informers
from dbclaims.core.kinds import CLAIM, CLASS, GRANT, NAMESPACE, ROLE, SERVER, WATCHED
from dbclaims.core.local import LocalStore
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import Kind, Object
from dbclaims.core.reconcile.lookup import INDEXES, Lookup
from dbclaims.core.routing import Routes, is_news, is_settled
from tests.clock import FakeClock

from .models import document

SERVER_REF = {"name": "shared", "namespace": "platform"}
BOUND = {"serverRef": {**SERVER_REF, "uid": "u"}, "databaseName": "orders"}
CLAIM_OF = {"claimRef": {"name": "orders", "namespace": "shop"}, "access": "reader"}
WORLD: list[tuple[Kind, Object]] = [
    (SERVER, document(SERVER, {"provider": "existing", "engine": "postgres"}, "shared", "platform")),
    (CLASS, document(CLASS, {"serverRef": SERVER_REF}, "shared")),
    (CLAIM, {**document(CLAIM, {"className": "shared"}, "orders"), "status": BOUND}),
    (CLAIM, document(CLAIM, {"className": "shared"}, "sales", "bi")),
    (CLAIM, document(CLAIM, {"className": "another"}, "mine")),
    (ROLE, document(ROLE, CLAIM_OF, "reports", "bi")),
    (GRANT, document(GRANT, {"from": [{"namespace": "bi"}]}, "all")),
]
ORDERS, SALES, MINE = (CLAIM, "shop/orders"), (CLAIM, "bi/sales"), (CLAIM, "shop/mine")
THE_SERVER, THE_CLASS, THE_GRANT = (SERVER, "platform/shared"), (CLASS, "shared"), (GRANT, "shop/all")


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Routes]:
    """Routes over caches that hold `WORLD`."""
    clock, metrics = FakeClock(), Metrics(CollectorRegistry())
    store = LocalStore(tmp_path_factory.mktemp("routes"), clock=clock)
    informers = Informers(
        Informer(kind, store, clock=clock, rng=random.Random(1), metrics=metrics, indexers=INDEXES.get(kind))
        for kind in WATCHED
    )
    for informer in informers:
        informer.parts[0].replace([], "1")
        for stored in (stored for kind, stored in WORLD if kind == informer.kind):
            informer.wrote(stored)
    yield Routes(Lookup(CachedClient(store, informers)))
    store.close()


def stored(kind: Kind, number: int = 0) -> Object:
    """One object of the world."""
    return [each for known, each in WORLD if known == kind][number]


NAMESPACE_SHOP = {"metadata": {"name": "shop", "uid": "u", "labels": {}}}
CONCERNED: dict[str, tuple[Kind, Object, set[tuple[Kind, str]]]] = {
    "a claim": (CLAIM, stored(CLAIM), {ORDERS}),
    "a role claim": (ROLE, stored(ROLE), {ORDERS}),
    "a grant": (GRANT, stored(GRANT), {THE_GRANT, ORDERS}),
    "a grant for one claim": (GRANT, document(GRANT, {"from": [], "to": {"claim": "mine"}}, "all"), {THE_GRANT}),
    "a server": (SERVER, stored(SERVER), {THE_SERVER, THE_CLASS, ORDERS, SALES}),
    "a class": (CLASS, stored(CLASS), {THE_CLASS, THE_SERVER, ORDERS, SALES}),
    "a namespace": (NAMESPACE, NAMESPACE_SHOP, {ORDERS, MINE}),
}


@pytest.mark.parametrize(("kind", "changed", "keys"), CONCERNED.values(), ids=CONCERNED)
def test_a_change_concerns(routes: Routes, kind: Kind, changed: Object, keys: set[tuple[Kind, str]]) -> None:
    assert routes.keys(kind, None, changed) == keys
    assert routes.keys(kind, changed, None) == keys


def test_the_end_of_a_claim_concerns_its_server(routes: Routes) -> None:
    going = document(CLAIM, {"className": "shared"}, deletionTimestamp="2026-01-01T00:00:00Z")
    assert routes.keys(CLAIM, None, {**going, "status": BOUND}) == {ORDERS, THE_SERVER}


def test_both_sides_of_a_moved_reference_are_concerned(routes: Routes) -> None:
    there = {"claimRef": {"name": "sales", "namespace": "bi"}, "access": "reader"}
    moved = document(ROLE, there, "reports", "bi", generation=2)
    assert routes.keys(ROLE, stored(ROLE), moved) == {ORDERS, SALES}


def with_metadata(obj: Object, **metadata: Any) -> Object:
    return {**obj, "metadata": {**obj["metadata"], **metadata}}


NEWS = {
    "an edit": (CLAIM, {"generation": 2}, True),
    "a deletion": (CLAIM, {"deletionTimestamp": "2026-01-01T00:00:00Z"}, True),
    "a namesake": (CLAIM, {"uid": "another"}, True),
    "our annotation": (CLAIM, {"annotations": {"dbclaims.io/rotate": "1"}}, True),
    "another's annotation": (CLAIM, {"annotations": {"kubectl.kubernetes.io/x": "1"}}, False),
    "a label": (CLAIM, {"labels": {"team": "a"}}, False),
    "a finalizer": (CLAIM, {"finalizers": ["dbclaims.io/claim"]}, False),
    "a write": (CLAIM, {"resourceVersion": "2"}, False),
}


@pytest.mark.parametrize(("kind", "metadata", "news"), NEWS.values(), ids=NEWS)
def test_only_what_somebody_must_look_at_is_news(kind: Kind, metadata: dict[str, Any], news: bool) -> None:
    assert is_news(kind, stored(kind), with_metadata(stored(kind), **metadata)) is news


def test_a_namespaces_labels_are_news() -> None:
    assert is_news(NAMESPACE, NAMESPACE_SHOP, with_metadata(NAMESPACE_SHOP, labels={"team": "a"}))


def test_a_status_is_news_only_of_a_server() -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True", "reason": "Available"}], "identity": "i"}
    assert is_news(SERVER, stored(SERVER), {**stored(SERVER), "status": ready})
    assert not is_news(CLAIM, stored(CLAIM), {**stored(CLAIM), "status": ready})


TRUE = [{"type": each, "status": "True"} for each in ("Ready", "Synced")]
SETTLED = {"observedGeneration": 1, "conditions": TRUE, "login": {"rotateToken": "1"}}
BACKLOG: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "all is well": ({}, SETTLED, True),
    "nobody has looked": ({}, {}, False),
    "edited since": ({"generation": 2}, SETTLED, False),
    "going": ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, SETTLED, False),
    "not in sync": ({}, {**SETTLED, "conditions": TRUE[:1]}, False),
    "not ready": ({}, {**SETTLED, "conditions": TRUE[1:]}, False),
    "a rotation that was made": ({"annotations": {"dbclaims.io/rotate": "1"}}, SETTLED, True),
    "a rotation that waits": ({"annotations": {"dbclaims.io/rotate": "2"}}, SETTLED, False),
}


@pytest.mark.parametrize(("metadata", "status", "settled"), BACKLOG.values(), ids=BACKLOG)
def test_a_restart_need_not_hurry_to_what_is_settled(
    metadata: dict[str, Any], status: dict[str, Any], settled: bool
) -> None:
    assert is_settled({**with_metadata(stored(CLAIM), **metadata), "status": status}) is settled
