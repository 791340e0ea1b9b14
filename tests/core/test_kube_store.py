"""The verbs of the object store as they go to an API server: paths, bodies, preconditions and what absence means."""

import pytest

from dbclaims.core.kube.store import KubernetesStore, path_of
from dbclaims.core.kube.transport import Transport
from dbclaims.core.objectstore import (
    AlreadyExists,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    Kind,
    NotFound,
    Unreachable,
    join_key,
    split_key,
)

from .conftest import CLAIM, claim
from .wire import Wire, answers, event, says, streams

PLURAL = CLAIM.plural
SECRET = Kind("", "v1", "Secret", "secrets")
CLASS = Kind("dbclaims.io", "v1alpha1", "DatabaseClass", "databaseclasses", namespaced=False)


def test_paths_follow_group_scope_and_subresource() -> None:
    assert path_of(SECRET, "shop", "db") == "/api/v1/namespaces/shop/secrets/db"
    assert path_of(CLAIM) == "/apis/dbclaims.io/v1alpha1/databaseclaims"
    assert path_of(CLASS, "ignored", "shared") == "/apis/dbclaims.io/v1alpha1/databaseclasses/shared"
    assert path_of(CLAIM, "shop", "a", "status").endswith("/namespaces/shop/databaseclaims/a/status")


@pytest.mark.parametrize("name", ["../secrets/x", "a/b", "a?b", "a#b", "ü", "%2e%2e"])
def test_no_name_can_leave_its_place(name: str) -> None:
    last = path_of(SECRET, "shop", name).removeprefix("/api/v1/namespaces/shop/secrets/")
    assert not set(last) & set("/?#")
    assert last != ".."


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_quoting_does_not_tame_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        path_of(SECRET, "shop", name)


def test_keys_go_both_ways() -> None:
    assert split_key(join_key("shop", "orders")) == ("shop", "orders")
    assert split_key(join_key(None, "shared")) == ("", "shared")


def test_an_object_that_is_not_there_is_none(store: KubernetesStore) -> None:
    assert store.get(CLAIM, "shop", "orders") is None


@pytest.mark.parametrize("body", [b"404 page not found\n", b'{"kind":"Status","reason":"NotFound","code":404}'])
def test_a_kind_that_is_not_served_is_an_error_and_never_absence(
    wire: Wire, store: KubernetesStore, body: bytes
) -> None:
    wire.fail("get", says(404, body))
    with pytest.raises(NotFound):
        store.get(CLAIM, "shop", "orders")


@pytest.mark.parametrize(
    ("code", "error"), [(500, Unreachable), (403, Forbidden), (410, Expired)], ids=["500", "403", "410"]
)
def test_an_error_is_never_absence(wire: Wire, store: KubernetesStore, code: int, error: type[Exception]) -> None:
    wire.fail("get", answers(code, "Whatever"))
    with pytest.raises(error):
        store.get(CLAIM, "shop", "orders")


def test_what_is_created_can_be_read(wire: Wire, store: KubernetesStore) -> None:
    created = store.create(CLAIM, claim("orders"))
    assert created["metadata"]["uid"]
    assert store.get(CLAIM, "shop", "orders") == created
    assert wire.seen[0].headers["Content-Type"] == "application/json"


def test_creating_twice_is_refused_and_changes_nothing(store: KubernetesStore) -> None:
    first = store.create(CLAIM, claim("orders"))
    with pytest.raises(AlreadyExists):
        store.create(CLAIM, claim("orders"))
    assert store.get(CLAIM, "shop", "orders") == first


def test_replacing_needs_the_version_that_is_stored(store: KubernetesStore) -> None:
    first = store.create(CLAIM, claim("orders"))
    second = store.replace(CLAIM, {**first, "spec": {"className": "other"}})
    with pytest.raises(Conflict):
        store.replace(CLAIM, first)
    assert store.get(CLAIM, "shop", "orders") == second


def test_a_patch_is_a_merge_patch_with_the_version_as_precondition(wire: Wire, store: KubernetesStore) -> None:
    created = store.create(CLAIM, claim("orders", labels={"a": "1"}))
    version = created["metadata"]["resourceVersion"]
    patched = store.patch(CLAIM, "shop", "orders", {"metadata": {"labels": {"b": "2"}}}, resource_version=version)
    assert patched["metadata"]["labels"] == {"a": "1", "b": "2"}
    assert wire.seen[-1].headers["Content-Type"] == "application/merge-patch+json"
    with pytest.raises(Conflict):
        store.patch(CLAIM, "shop", "orders", {"metadata": {"labels": None}}, resource_version=version)


def test_a_status_patch_goes_to_the_subresource_and_leaves_the_callers_patch_alone(
    wire: Wire, store: KubernetesStore
) -> None:
    store.create(CLAIM, claim("orders"))
    patch = {"status": {"ready": True}}
    store.patch(CLAIM, "shop", "orders", patch, resource_version="101", subresource="status")
    assert wire.seen[-1].path.endswith("/orders/status")
    assert patch == {"status": {"ready": True}}


def test_a_dry_run_is_said_with_every_write_and_with_nothing_else(wire: Wire, transport: Transport) -> None:
    store = KubernetesStore(transport, dry_run=True)
    stored = store.create(CLAIM, claim("orders"))
    store.replace(CLAIM, stored)
    store.patch(CLAIM, "shop", "orders", {})
    store.delete(CLAIM, "shop", "orders")
    store.get(CLAIM, "shop", "orders")
    store.list(CLAIM)
    said = [(each.sort, each.query.get("dryRun")) for each in wire.seen]
    writes = [(sort, "All") for sort in ("post", "put", "patch", "delete")]
    assert said == [*writes, ("get", None), ("list", None)]


def test_deleting_removes_and_may_be_repeated(store: KubernetesStore) -> None:
    store.create(CLAIM, claim("orders"))
    assert store.delete(CLAIM, "shop", "orders") is None
    assert store.delete(CLAIM, "shop", "orders") is None
    assert store.get(CLAIM, "shop", "orders") is None


def test_deleting_what_a_finalizer_holds_returns_it(store: KubernetesStore) -> None:
    store.create(CLAIM, claim("orders", finalizers=["dbclaims.io/claim"]))
    left = store.delete(CLAIM, "shop", "orders")
    assert left is not None
    assert left["metadata"]["deletionTimestamp"]


def test_deleting_a_namesake_of_another_uid_is_a_conflict(store: KubernetesStore) -> None:
    store.create(CLAIM, claim("orders"))
    with pytest.raises(Conflict):
        store.delete(CLAIM, "shop", "orders", uid="another")
    assert store.get(CLAIM, "shop", "orders") is not None


def test_a_list_comes_in_pages_and_whole_objects(wire: Wire, store: KubernetesStore) -> None:
    for number in range(5):
        wire.store(PLURAL, claim(f"c{number}"))
    first = store.list(CLAIM, limit=3)
    second = store.list(CLAIM, limit=3, continue_=first.continue_)
    assert (len(first.items), len(second.items), second.continue_) == (3, 2, "")
    assert b'"kind":"DatabaseClaim"' in first.items[0]
    assert first.resource_version == second.resource_version
    assert "resourceVersion" not in wire.seen[-1].query


def test_a_watch_tells_what_happened_since(wire: Wire, store: KubernetesStore) -> None:
    wire.store(PLURAL, claim("before"))
    version = str(wire.version)
    wire.store(PLURAL, claim("after"))
    wire.remove(PLURAL, "shop", "after")
    with store.watch(CLAIM, resource_version=version, timeout_seconds=300) as events:
        assert [told.type for told in events] == ["ADDED", "DELETED"]
    assert wire.seen[-1].query["allowWatchBookmarks"] == "true"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ({"code": 410, "reason": "Expired"}, Expired),
        ({"code": 410}, Expired),
        ({"code": 500, "message": "etcd"}, Unreachable),
        ({}, Unreachable),
    ],
    ids=["410", "410 without reason", "500 without reason", "nothing at all"],
)
def test_an_error_event_is_raised(
    wire: Wire, store: KubernetesStore, status: dict[str, object], error: type[Exception]
) -> None:
    wire.fail("watch", streams(event("ERROR", {"kind": "Status", **status})))
    with pytest.raises(error), store.watch(CLAIM, resource_version="1", timeout_seconds=300) as events:
        list(events)


def test_a_line_that_is_no_json_is_unreachable(wire: Wire, store: KubernetesStore) -> None:
    wire.fail("watch", streams(b"<html>\n"))
    with pytest.raises(Unreachable), store.watch(CLAIM, resource_version="1", timeout_seconds=300) as events:
        list(events)
