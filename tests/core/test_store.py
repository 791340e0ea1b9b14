"""The cache of one kind and its informer: it never goes back in time, shares no object, tells every change once.

Late, lost and repeated events are simulated by calling what the reflector calls; the wire is test_reflector.py's.
"""

import random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from dbclaims.core.client import CachedClient
from dbclaims.core.informer import Informer, Informers
from dbclaims.core.kube.store import KubernetesStore
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import Conflict, Kind, Object, WatchEvent
from dbclaims.core.store import LAST_APPLIED, NotSynced, Store, UnwatchedKind, read_list, strip
from tests.clock import FakeClock

from .conftest import CLAIM, claim
from .wire import Wire


def at(version: int, name: str = "orders", uid: str = "u1", class_name: str = "shared", **metadata: object) -> Object:
    obj = claim(name, uid=uid, resourceVersion=str(version), **metadata)
    return {**obj, "spec": {"className": class_name}}


def by_class() -> Store:
    return Store({"class": lambda obj: [obj["spec"]["className"]]})


def version_in(store: Store, key: str = "shop/orders") -> int | None:
    body = store.get(key)
    return None if body is None else int(orjson.loads(body)["metadata"]["resourceVersion"])


def listed(store: Store, version: int, *objects: Object, rewound: bool = False) -> None:
    store.replace(read_list([orjson.dumps(obj) for obj in objects]), version, rewound=rewound)


def test_managed_fields_and_the_last_applied_manifest_are_left_out() -> None:
    obj = at(1, managedFields=[{"manager": "kubectl"}], annotations={LAST_APPLIED: "{}", "kept": "yes"})
    stripped = orjson.loads(strip(obj))
    assert "managedFields" not in stripped["metadata"]
    assert stripped["metadata"]["annotations"] == {"kept": "yes"}
    assert obj["metadata"]["managedFields"], "the caller's object is left alone"


def test_an_older_or_equal_version_changes_nothing() -> None:
    store = Store()
    store.put(at(5))
    assert store.put(at(4)) is None
    assert store.put(at(5)) is None
    assert version_in(store) == 5


def test_versions_are_compared_as_numbers() -> None:
    store = Store()
    store.put(at(9))
    store.put(at(10))
    assert version_in(store) == 10


def test_an_index_follows_its_object_and_leaves_no_empty_sets() -> None:
    store = by_class()
    store.put(at(1))
    store.put(at(2, class_name="other"))
    assert store.index("class", "shared") == []
    assert store.index("class", "other") == ["shop/orders"]
    store.remove(at(3))
    assert store.index("class", "other") == []
    assert store._indexes == {"class": {}}


def test_an_index_may_have_many_values_per_object() -> None:
    store = Store({"label": lambda obj: (obj["metadata"].get("labels") or {}).values()})
    store.put(at(1, labels={"a": "x", "b": "y"}))
    assert store.index("label", "x") == store.index("label", "y") == ["shop/orders"]


def test_an_unknown_index_is_an_error() -> None:
    with pytest.raises(KeyError):
        by_class().index("colour", "red")


def test_a_late_event_does_not_resurrect_what_we_deleted() -> None:
    store = Store()
    store.put(at(1))
    store.bury("shop/orders", "u1")
    assert store.put(at(2)) is None
    assert store.get("shop/orders") is None


def test_a_new_object_of_the_same_name_is_taken_in_after_a_deletion() -> None:
    store = Store()
    store.put(at(1))
    store.bury("shop/orders", "u1")
    store.put(at(4, uid="u2"))
    store.remove(at(3))
    assert version_in(store) == 4


def test_a_tombstone_is_lifted_by_the_watch_or_a_list() -> None:
    store = Store()
    store.put(at(1))
    store.put(at(1, name="other", uid="u9"))
    store.bury("shop/orders", "u1")
    store.bury("shop/other", "u9")
    store.remove(at(3))
    listed(store, 5)
    assert store._tombstones == {}


def test_burying_what_the_watch_ended_already_leaves_no_tombstone() -> None:
    store = Store()
    store.put(at(1))
    store.remove(at(2))
    assert store.bury("shop/orders", "u1") is None
    assert store._tombstones == {}


def test_a_list_makes_deletions_of_what_is_not_in_it() -> None:
    store = Store()
    store.put(at(1))
    changes = store.replace({}, 5)
    assert [(change.key, change.new) for change in changes] == [("shop/orders", None)]


def test_a_list_older_than_our_own_write_takes_nothing_of_it_back() -> None:
    store = Store()
    store.put(at(7))
    listed(store, 5)
    assert version_in(store) == 7
    listed(store, 6, at(6))
    assert version_in(store) == 7


def test_a_list_that_still_has_what_we_deleted_does_not_resurrect_it() -> None:
    store = Store()
    store.put(at(1))
    store.bury("shop/orders", "u1")
    listed(store, 5, at(1))
    assert store.get("shop/orders") is None
    assert store.put(at(2)) is None, "the tombstone stands until the watch has told the end"


def test_what_was_made_and_deleted_while_a_list_was_on_its_way_stays_deleted() -> None:
    store = Store()
    store.put(at(7))
    store.bury("shop/orders", "u1")
    listed(store, 5)
    assert store.put(at(7)) is None, "the watch goes on at 5 and tells of both, the life and the end"
    store.remove(at(8))
    assert store.put(at(9)) is not None, "the tombstone is lifted by the end"


def test_an_unchanged_object_in_a_list_is_no_change() -> None:
    store = Store()
    store.put(at(1))
    assert store.replace(read_list([orjson.dumps(at(1))]), 5) == []


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["write", "delete", "tell", "list"]), st.sampled_from("abc")), max_size=60
)


@settings(max_examples=200, deadline=None)
@given(OPERATIONS)
def test_with_a_lagging_watch_the_cache_always_holds_what_we_wrote_last(operations: list[tuple[str, str]]) -> None:
    """The server is a dict, the watch a queue that a "tell" moves on by one; all writes are ours.

    A "list" begins a list, which cuts the watch; the next one is its late answer, from where the watch goes on.
    """
    store, server = by_class(), dict[str, Object]()
    lagging: list[tuple[str, Object]] = []
    answer: tuple[int, list[Object]] | None = None
    for version, (operation, name) in enumerate(operations, start=1):
        key = f"shop/{name}"
        if operation == "write":
            uid = server[key]["metadata"]["uid"] if key in server else f"u{version}"
            server[key] = at(version, name, uid, class_name=f"c{version % 3}")
            store.put(server[key])
            lagging.append(("MODIFIED", server[key]))
        elif operation == "delete" and key in server:
            gone = server.pop(key)
            store.bury(key, gone["metadata"]["uid"])
            lagging.append(("DELETED", at(version, name, gone["metadata"]["uid"])))
        elif operation == "tell" and lagging and answer is None:
            type_, obj = lagging.pop(0)
            store.remove(obj) if type_ == "DELETED" else store.put(obj)
        elif operation == "list" and answer is None:
            answer = version, list(server.values())
            lagging.clear()
        elif operation == "list" and answer is not None:
            listed(store, answer[0], *answer[1])
            answer = None
        expected = {k: o["metadata"]["resourceVersion"] for k, o in server.items()}
        assert {k: str(version_in(store, k)) for k in store.keys()} == expected  # noqa: SIM118  # not a dict
        for value in ("c0", "c1", "c2"):
            assert store.index("class", value) == sorted(
                k for k, o in server.items() if o["spec"]["className"] == value
            )


def test_before_the_first_list_a_read_is_an_error_and_never_absence(informer: Informer) -> None:
    with pytest.raises(NotSynced):
        informer.lister.get("shop/orders")
    with pytest.raises(NotSynced):
        informer.lister.index("class", "shared")
    informer.step()
    assert informer.lister.get("shop/orders") is None


def test_an_unwatched_kind_is_an_error_and_never_absence(informer: Informer) -> None:
    with pytest.raises(UnwatchedKind, match="Secret"):
        Informers([informer]).lister(Kind("", "v1", "Secret", "secrets"))


def test_a_reader_gets_an_object_of_its_own(wire: Wire, informer: Informer) -> None:
    wire.store(CLAIM.plural, claim("orders"))
    informer.step()
    mine = informer.lister.get("shop/orders")
    assert mine is not None
    mine["spec"]["className"] = "changed"
    again = informer.lister.get("shop/orders")
    assert again is not None
    assert again["spec"]["className"] == "shared"


def test_handlers_hear_old_and_new_of_every_change(wire: Wire, informer: Informer) -> None:
    told: list[tuple[str | None, str | None]] = []
    informer.add_handler(lambda old, new: told.append((colour(old), colour(new))))
    wire.store(CLAIM.plural, claim("orders", labels={"colour": "red"}))
    informer.step()
    wire.store(CLAIM.plural, claim("orders", labels={"colour": "blue"}))
    wire.remove(CLAIM.plural, "shop", "orders")
    informer.step()
    assert told == [(None, "red"), ("red", "blue"), ("blue", None)]


def colour(obj: Object | None) -> str | None:
    return None if obj is None else obj["metadata"]["labels"]["colour"]


def test_a_handler_knows_the_first_list_from_an_edit(wire: Wire, informer: Informer) -> None:
    synced: list[bool] = []
    informer.add_handler(lambda old, new: synced.append(informer.has_synced()))
    wire.store(CLAIM.plural, claim("backlog"))
    informer.step()
    wire.store(CLAIM.plural, claim("edit"))
    informer.step()
    assert synced == [False, True]


def test_a_handler_that_fails_harms_neither_the_others_nor_the_cache(
    wire: Wire, informer: Informer, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Object | None] = []
    informer.add_handler(lambda old, new: dict[str, None]()["a bug"])
    informer.add_handler(lambda old, new: told.append(new))
    wire.store(CLAIM.plural, claim("orders"))
    informer.step()
    assert len(told) == 1
    assert informer.lister.get("shop/orders") is not None
    assert "event handler failed" in caplog.text


def test_silence_is_measured_and_ended_by_a_bookmark(wire: Wire, informer: Informer, clock: FakeClock) -> None:
    informer.step()
    clock.advance(70)
    assert informer.silence() == 70
    wire.bookmark(CLAIM.plural)
    informer.step()
    assert informer.silence() == 0


def test_the_silence_is_a_metric(informer: Informer, clock: FakeClock, metrics: Metrics) -> None:
    informer.step()
    clock.advance(42)
    labels = {"kind": CLAIM.kind}
    assert metrics.registry.get_sample_value("dbclaims_watch_last_event_seconds", labels) == 42


@pytest.fixture
def client(store: KubernetesStore, informer: Informer) -> CachedClient:
    informer.step()
    return CachedClient(store, Informers([informer]))


def test_what_we_create_patch_and_replace_is_read_back_without_waiting(client: CachedClient) -> None:
    created = client.create(CLAIM, claim("orders"))
    lister = client.lister(CLAIM)
    assert lister.get("shop/orders") == created
    patched = client.patch(CLAIM, "shop", "orders", {"status": {"ready": True}}, subresource="status")
    assert lister.get("shop/orders") == patched
    replaced = client.replace(CLAIM, {**patched, "spec": {"className": "other"}})
    assert lister.get("shop/orders") == replaced
    assert lister.index("class", "other") == ["shop/orders"]


def test_what_we_delete_is_gone_at_once_and_stays_gone(client: CachedClient, informer: Informer) -> None:
    created = client.create(CLAIM, claim("orders"))
    client.delete(CLAIM, "shop", "orders", uid=created["metadata"]["uid"])
    assert client.lister(CLAIM).get("shop/orders") is None
    informer.parts[0].apply(WatchEvent("MODIFIED", orjson.dumps(created)))
    assert client.lister(CLAIM).get("shop/orders") is None


def test_removing_the_last_finalizer_of_a_deleted_object_ends_it_in_the_cache(client: CachedClient) -> None:
    client.create(CLAIM, claim("orders", finalizers=["dbclaims.io/claim"]))
    left = client.delete(CLAIM, "shop", "orders")
    assert client.lister(CLAIM).get("shop/orders") == left
    client.patch(CLAIM, "shop", "orders", {"metadata": {"finalizers": None}})
    assert client.lister(CLAIM).get("shop/orders") is None


def test_a_write_tells_the_handlers_once_and_the_watch_does_not_repeat_it(
    client: CachedClient, informer: Informer
) -> None:
    told: list[Object | None] = []
    informer.add_handler(lambda old, new: told.append(new))
    client.create(CLAIM, claim("orders"))
    informer.step()
    assert len(told) == 1


def test_a_write_that_is_refused_changes_no_cache(client: CachedClient) -> None:
    created = client.create(CLAIM, claim("orders"))
    with pytest.raises(Conflict):
        client.patch(CLAIM, "shop", "orders", {"spec": {"className": "x"}}, resource_version="1")
    assert client.lister(CLAIM).get("shop/orders") == created


def test_with_a_lagging_watch_nothing_is_created_twice_and_no_write_conflicts_with_our_own(
    wire: Wire, store: KubernetesStore
) -> None:
    """A reconcile that trusts the cache, while the watch tells nothing at all (framework.md §6.7)."""
    informer = Informer(CLAIM, store, clock=FakeClock(), rng=random.Random(1), metrics=Metrics(CollectorRegistry()))
    informer.step()
    client, chance = CachedClient(store, Informers([informer])), random.Random(2)
    for _ in range(150):
        name = chance.choice("abc")
        known = client.lister(CLAIM).get(f"shop/{name}")
        if known is None:
            client.create(CLAIM, claim(name))
        elif chance.random() < 0.3:
            client.delete(CLAIM, "shop", name, uid=known["metadata"]["uid"])
        else:
            patch = {"spec": {"className": str(chance.random())}}
            client.patch(CLAIM, "shop", name, patch, resource_version=known["metadata"]["resourceVersion"])
    lister = client.lister(CLAIM)
    cached = {key: lister.get(key) for key in lister.keys()}  # noqa: SIM118  # not a dict
    assert cached == {f"{namespace}/{name}": obj for (_, namespace, name), obj in wire.objects.items()}
