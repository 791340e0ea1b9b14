"""An informer of a few namespaces: it asks for nothing outside them, and each of its watches minds its own."""

from __future__ import annotations

import random

import pytest

from dbclaims.core.client import CachedClient
from dbclaims.core.informer import Informer, Informers
from dbclaims.core.kube.store import KubernetesStore
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import Forbidden, Kind, Object
from tests.clock import FakeClock

from .conftest import CLAIM, claim
from .wire import Wire, answers

NAMESPACE = Kind("", "v1", "Namespace", "namespaces", namespaced=False)


@pytest.fixture
def informer(store: KubernetesStore, clock: FakeClock, rng: random.Random, metrics: Metrics) -> Informer:
    return Informer(CLAIM, store, clock=clock, rng=rng, metrics=metrics, namespaces=("shop", "bi"))


def placed(name: str, namespace: str) -> Object:
    return claim(name, namespace=namespace)


def keys(informer: Informer) -> list[str]:
    return sorted(informer.lister.keys())  # not a dict


def test_claims_elsewhere_are_neither_asked_for_nor_seen(wire: Wire, informer: Informer) -> None:
    for namespace in ("shop", "bi", "hr"):
        wire.store(CLAIM.plural, placed("listed", namespace))
    informer.step()
    for namespace in ("shop", "bi", "hr"):
        wire.store(CLAIM.plural, placed("watched", namespace))
    informer.step()
    assert keys(informer) == ["bi/listed", "bi/watched", "shop/listed", "shop/watched"]
    asked = {request.path.rpartition("/")[0].rpartition("/")[2] for request in wire.seen}
    assert asked == {"shop", "bi"}


def test_it_has_synced_when_every_namespace_was_listed(wire: Wire, informer: Informer) -> None:
    first, second = informer.parts
    first.reflector.step()
    assert not informer.has_synced()
    second.reflector.step()
    assert informer.has_synced()


def test_a_new_list_of_one_namespace_takes_nothing_from_another(wire: Wire, informer: Informer) -> None:
    wire.store(CLAIM.plural, placed("orders", "shop"))
    wire.store(CLAIM.plural, placed("report", "bi"))
    informer.step()
    wire.remove(CLAIM.plural, "shop", "orders")
    wire.fail("watch", answers(410, "Expired"))
    informer.parts[0].reflector.step()
    informer.parts[0].reflector.step()
    assert keys(informer) == ["bi/report"]


def test_what_we_deleted_stays_gone_through_another_namespace_s_list(
    wire: Wire, informer: Informer, store: KubernetesStore
) -> None:
    late = wire.store(CLAIM.plural, placed("orders", "shop"))
    informer.step()
    CachedClient(store, Informers([informer])).delete(CLAIM, "shop", "orders", uid=late["metadata"]["uid"])
    informer.parts[1].replace([], str(wire.version))
    informer.wrote({**late, "metadata": {**late["metadata"], "resourceVersion": str(wire.version + 1)}})
    assert keys(informer) == []


def test_a_namespace_that_is_gone_holds_nothing_although_the_right_to_look_went_with_it(
    wire: Wire, informer: Informer
) -> None:
    wire.store(CLAIM.plural, placed("orders", "shop"))
    shop, bi = informer.parts
    shop.reflector.step()
    wire.fail("list", answers(403, "Forbidden"))
    bi.reflector.step()
    assert informer.has_synced()
    assert keys(informer) == ["shop/orders"]


def test_a_namespace_that_is_gone_is_looked_for_again_and_is_no_silence(
    wire: Wire, informer: Informer, clock: FakeClock
) -> None:
    _, bi = informer.parts
    wire.store(CLAIM.plural, placed("before", "bi"))
    informer.step()
    wire.remove(CLAIM.plural, "bi", "before")
    wire.fail("watch", answers(403, "Forbidden"), always=True)
    bi.reflector.step()
    wire.store(CLAIM.plural, placed("after", "bi"))
    clock.advance(70)
    bi.reflector.step()
    assert keys(informer) == ["bi/after"]
    assert bi.silence() == 0


def test_a_refusal_in_a_namespace_that_is_there_proves_nothing(wire: Wire, informer: Informer) -> None:
    wire.store(NAMESPACE.plural, {"metadata": {"name": "bi"}})
    _, bi = informer.parts
    wire.fail("list", answers(403, "Forbidden"))
    bi.reflector.step()
    assert not bi.synced


def test_who_may_not_ask_for_the_namespace_either_is_told_of_what_he_asked_for(
    wire: Wire, store: KubernetesStore
) -> None:
    wire.fail("list", answers(403, "Forbidden"), always=True)
    with pytest.raises(Forbidden, match=f"namespaces/bi/{CLAIM.plural}"):
        store.list(CLAIM, namespace="bi")


def test_the_longest_silence_counts(wire: Wire, informer: Informer, clock: FakeClock) -> None:
    informer.step()
    clock.advance(70)
    informer.parts[0].reflector.step()
    wire.bookmark(CLAIM.plural)
    informer.parts[0].reflector.step()
    assert (informer.parts[0].silence(), informer.silence()) == (0, 70)


def test_a_namespace_itself_is_asked_for_by_its_name(
    wire: Wire, store: KubernetesStore, clock: FakeClock, rng: random.Random, metrics: Metrics
) -> None:
    Informer(NAMESPACE, store, clock=clock, rng=rng, metrics=metrics, namespaces=("shop",)).step()
    assert {request.query["fieldSelector"] for request in wire.seen} == {"metadata.name=shop"}
