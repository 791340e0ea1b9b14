"""The port on a directory: generations, versions, finalizers, lists and watches as an API server has them, and files.

What documents mean is in test_documents.py.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import queue
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from prometheus_client import CollectorRegistry

from dbclaims.core.client import CachedClient
from dbclaims.core.clock import StopSignal
from dbclaims.core.informer import Informer, Informers
from dbclaims.core.kinds import CLAIM, CLASS, NAMESPACE, SECRET, SERVER
from dbclaims.core.local import Follower, LocalStore, Scan, StateInUse, StateUnusable
from dbclaims.core.local.errors import state_errors
from dbclaims.core.local.writes import merged, uid_of
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import (
    AlreadyExists,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    Kind,
    NotFound,
    Object,
    Unreachable,
)
from tests.clock import FakeClock

from .home import Home, claim, document, secret


def published(name: str = "orders-db", owner: str = "", **data: str) -> Object:
    body = {**secret(name, "shop", **data), "type": "servicebinding.io/postgresql"}
    body["metadata"]["annotations"] = {"dbclaims.io/checksum": "c"}
    if owner:
        reference = {"apiVersion": CLAIM.api_version, "kind": CLAIM.kind, "name": "orders", "uid": owner}
        body["metadata"]["ownerReferences"] = [reference]
    return body


def server(name: str = "made") -> Object:
    return document("DatabaseServer", name, "platform", provider="acme", engine="postgres")


def meta(obj: Object) -> dict[str, Any]:
    metadata: dict[str, Any] = obj["metadata"]
    return metadata


# --- writes ------------------------------------------------------------------------------------------------------


def test_a_new_object_has_what_only_the_server_gives(home: Home) -> None:
    obj = home.with_claim().get()
    assert meta(obj)["generation"] == 1
    assert meta(obj)["uid"] == uid_of(("DatabaseClaim", "shop", "orders"))
    assert meta(obj)["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert obj["status"]["observedGeneration"] == -1


def test_only_a_changed_spec_counts_up_the_generation(home: Home) -> None:
    home.with_claim()
    home.store.patch(CLAIM, "shop", "orders", {"status": {"databaseName": "x"}}, subresource="status")
    home.store.patch(CLAIM, "shop", "orders", {"metadata": {"finalizers": ["dbclaims.io/claim"]}})
    assert meta(home.get())["generation"] == 1
    home.write("orders.yaml", claim(schemas=["app"]))
    home.changes()
    assert meta(home.get())["generation"] == 2
    assert meta(home.get())["finalizers"] == ["dbclaims.io/claim"]
    assert home.get()["status"]["databaseName"] == "x"


def test_spec_and_status_are_written_apart(home: Home) -> None:
    before = home.with_claim().get()
    patch = {"spec": {"schemas": ["x"]}, "status": {"databaseName": "x"}}
    after = home.store.patch(CLAIM, "shop", "orders", patch, subresource="status")
    assert after["spec"] == before["spec"]
    after = home.store.patch(CLAIM, "shop", "orders", {**patch, "status": {"databaseName": "y"}})
    assert (after["spec"]["schemas"], after["status"]["databaseName"]) == (["x"], "x")


def test_a_write_without_effect_makes_no_version_and_touches_no_file(home: Home) -> None:
    obj = home.with_claim().get()
    before = home.fingerprint()
    home.store.patch(CLAIM, "shop", "orders", {"status": obj["status"]}, subresource="status")
    home.store.replace(CLAIM, obj)
    assert home.get() == obj
    assert home.fingerprint() == before


def test_a_write_on_another_version_is_a_conflict(home: Home) -> None:
    home.with_claim()
    seen = home.get()
    home.store.patch(CLAIM, "shop", "orders", {"status": {"databaseName": "x"}}, subresource="status")
    version = meta(seen)["resourceVersion"]
    with pytest.raises(Conflict, match="read it again"):
        home.store.patch(CLAIM, "shop", "orders", {"status": {}}, subresource="status", resource_version=version)
    with pytest.raises(Conflict):
        home.store.replace(CLAIM, seen)
    with pytest.raises(Conflict):
        home.store.delete(CLAIM, "shop", "orders", resource_version=version)
    with pytest.raises(Conflict):
        home.store.delete(CLAIM, "shop", "orders", uid="another")
    assert not home.absent()


def test_what_the_server_owns_cannot_be_written(home: Home) -> None:
    before = home.with_claim().get()
    forged = {"uid": "x", "generation": 9, "creationTimestamp": "2000-01-01T00:00:00Z", "deletionTimestamp": "x"}
    assert home.store.patch(CLAIM, "shop", "orders", {"metadata": forged}) == before


def test_a_name_is_taken_once_and_a_missing_one_cannot_be_written(home: Home) -> None:
    made = home.store.create(SERVER, server())
    with pytest.raises(AlreadyExists, match="DatabaseServer platform/made exists already"):
        home.store.create(SERVER, server())
    assert home.get(SERVER, "made", "platform") == made
    with pytest.raises(NotFound, match="DatabaseServer platform/none does not exist"):
        home.store.patch(SERVER, "platform", "none", {})
    assert home.store.delete(SERVER, "platform", "none") is None


@pytest.mark.parametrize("name", ["../../x", "", "a/b", "A", "x" * 254, "\x00"])
@pytest.mark.parametrize("kind", [SECRET, CLAIM])
def test_a_name_that_is_none_is_refused_before_it_becomes_a_path(home: Home, kind: Kind, name: str) -> None:
    body = {"metadata": {"name": name, "namespace": "shop"}, "data": {}, "spec": {"className": "x"}}
    calls: list[Callable[[], object]] = [
        lambda: home.store.get(kind, "shop", name),
        lambda: home.store.create(kind, body),
        lambda: home.store.delete(kind, "shop", name),
        lambda: home.store.get(kind, "../x", "fine"),
    ]
    for call in calls:
        with pytest.raises(Invalid, match=r"metadata\.name(space)?"):
            call()
    assert not (home.state / "secrets").exists()


def test_a_write_is_held_to_the_same_rules_as_a_document(home: Home) -> None:
    home.with_claim()
    with pytest.raises(Invalid, match=r"DatabaseClaim shop/orders is refused: spec"):
        home.store.patch(CLAIM, "shop", "orders", {"spec": {"className": "other"}})
    with pytest.raises(Invalid, match="DatabaseServer platform/x is refused"):
        home.store.create(SERVER, {"metadata": {"name": "x", "namespace": "platform"}, "spec": {}})


def test_labels_and_annotations_of_a_document_come_and_go_and_others_stay(home: Home) -> None:
    body = claim()
    body["metadata"]["annotations"] = {"dbclaims.io/rotate": "1", "mine": "x"}
    home.write("orders.yaml", body)
    home.write("class.yaml", document("DatabaseClass", "shared", None, serverRef={"name": "s", "namespace": "p"}))
    home.changes()
    home.store.patch(CLAIM, "shop", "orders", {"metadata": {"annotations": {"theirs": "y"}}})
    body["metadata"]["annotations"] = {"dbclaims.io/rotate": "2"}
    home.write("orders.yaml", body)
    home.changes()
    assert meta(home.get())["annotations"] == {"dbclaims.io/rotate": "2", "theirs": "y"}
    assert meta(home.get())["generation"] == 1


def test_the_merge_patch_is_that_of_the_rfc() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": None}, "d": [2]}) == {"a": {"c": 2}, "d": [2]}
    assert merged({"a": "b"}, {"a": {"b": {"c": None}}}) == {"a": {"b": {}}}
    assert merged({"a": 1}, ["c"]) == ["c"]


# --- the end -----------------------------------------------------------------------------------------------------


def held(home: Home) -> Home:
    home.with_claim(deletionPolicy="Retain")
    home.store.patch(CLAIM, "shop", "orders", {"metadata": {"finalizers": ["dbclaims.io/claim"]}})
    return home


def test_an_object_with_a_finalizer_is_marked_and_goes_with_the_last_one(home: Home) -> None:
    held(home).remove("orders.yaml")
    assert home.changes() == ["deleting DatabaseClaim shop/orders"]
    marked = home.get()
    assert meta(marked)["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    assert meta(marked)["generation"] == 2
    home.clock.advance(5)
    assert home.store.delete(CLAIM, "shop", "orders") == marked
    home.store.patch(CLAIM, "shop", "orders", {"metadata": {"finalizers": []}})
    assert home.absent()
    assert home.changes() == []


def test_a_document_that_is_back_before_the_end_makes_a_new_object_after_it(home: Home) -> None:
    held(home).remove("orders.yaml")
    first = meta(home.get())["uid"]
    home.changes()
    home.write("orders.yaml", claim(schemas=["new"]))
    assert home.changes() == []
    assert "schemas" not in home.spec() or home.spec()["schemas"] == []
    home.store.patch(CLAIM, "shop", "orders", {"metadata": {"finalizers": None}})
    assert home.changes() == ["created DatabaseClaim shop/orders"]
    assert meta(home.get())["uid"] != first
    assert home.spec()["schemas"] == ["new"]


def test_a_namespace_keeps_its_uid_on_every_machine_and_a_second_life_has_a_uid_of_its_own(home: Home) -> None:
    home.with_claim(deletionPolicy="Retain")
    assert meta(home.get(NAMESPACE, "shop"))["uid"] == "deda5094-db8b-5be6-b188-9a7b2a017da4"
    uids = {meta(home.get())["uid"]}
    for _ in range(2):
        home.store.delete(CLAIM, "shop", "orders")
        home.reopen()
        home.changes()
        uids.add(meta(home.get())["uid"])
    assert len(uids) == 3


def test_the_secrets_of_an_object_go_with_it_and_only_they(home: Home) -> None:
    owner = meta(home.with_claim().get())["uid"]
    home.store.create(SECRET, published("mine", owner, a="1"))
    home.store.create(SECRET, published("other", "another-uid", a="1"))
    home.store.create(SECRET, published("nobodys", a="1"))
    home.store.delete(CLAIM, "shop", "orders")
    names = [name for name in ("mine", "other", "nobodys") if not home.absent(SECRET, name)]
    assert names == ["other", "nobodys"]
    assert not (home.state / "secrets/shop/mine").exists()


# --- lists and watches -------------------------------------------------------------------------------------------


def test_pages_hold_every_object_once_whatever_their_names(home: Home) -> None:
    for namespace in ("a", "a-b", "a0b"):
        for name in ("x", "x-y", "x.y"):
            body = server(name)
            body["metadata"]["namespace"] = namespace
            home.store.create(SERVER, body)
    seen: list[bytes] = []
    page = home.store.list(SERVER, limit=2)
    while page.continue_:
        seen += page.items
        page = home.store.list(SERVER, limit=2, continue_=page.continue_)
    seen += page.items
    assert seen == list(home.store.list(SERVER).items)
    assert len(seen) == 9
    assert len(home.store.list(SERVER, namespace="a-b").items) == 3


def test_a_watch_tells_what_happened_after_its_version_and_nothing_else(home: Home) -> None:
    home.with_claim(deletionPolicy="Retain")
    version = home.store.list(CLAIM).resource_version
    home.write("orders.yaml", claim(deletionPolicy="Retain", schemas=["a"]))
    home.changes()
    home.store.create(SERVER, server())
    home.remove("orders.yaml")
    home.changes()
    with home.store.watch(CLAIM, resource_version=version, timeout_seconds=10) as events:
        changed, deleted = next(events), next(events)
    assert (changed.type, deleted.type) == ("MODIFIED", "DELETED")
    assert orjson.loads(changed.object)["spec"]["schemas"] == ["a"]
    versions = [int(meta(orjson.loads(event.object))["resourceVersion"]) for event in (changed, deleted)]
    assert int(version) < versions[0] < versions[1]


def test_a_silent_watch_bookmarks_each_minute_and_ends_in_time(home: Home) -> None:
    home.with_claim()
    version = home.store.list(CLAIM).resource_version
    types: list[str] = []

    def follow() -> None:
        with home.store.watch(CLAIM, resource_version=version, timeout_seconds=90) as events:
            types.extend(event.type for event in events)

    thread = threading.Thread(target=follow)
    thread.start()
    while thread.is_alive():
        if home.clock.waiters():
            home.clock.advance(30)
        thread.join(0.001)
    assert types == ["BOOKMARK", "BOOKMARK"]


def test_closing_ends_a_watch_that_waits(home: Home) -> None:
    events_seen: list[object] = []

    def follow() -> None:
        with home.store.watch(CLAIM, resource_version="0", timeout_seconds=90) as events:
            events_seen.extend(events)

    thread = threading.Thread(target=follow)
    thread.start()
    while not home.clock.waiters():
        thread.join(0.001)
    home.store.close()
    thread.join(10)
    assert not thread.is_alive()
    assert events_seen == []
    with pytest.raises(Unreachable), home.store.watch(CLAIM, resource_version="0", timeout_seconds=9) as events:
        next(events)


def test_a_version_from_before_this_process_has_to_list_again(home: Home) -> None:
    home.with_claim()
    home.reopen()
    with home.store.watch(CLAIM, resource_version="0", timeout_seconds=10) as events, pytest.raises(Expired):
        next(events)


def test_secrets_are_neither_listed_nor_watched(home: Home) -> None:
    with pytest.raises(Forbidden, match="by its name"):
        home.store.list(SECRET)
    with pytest.raises(Forbidden), home.store.watch(SECRET, resource_version="0", timeout_seconds=1):
        pass


def test_a_kind_that_is_none_of_ours_is_not_found(home: Home) -> None:
    with pytest.raises(NotFound, match="a directory holds no Lease"):
        home.store.get(Kind("coordination.k8s.io", "v1", "Lease", "leases"), "shop", "x")


def test_an_event_is_told_to_the_log(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    event = {"metadata": {"name": "e", "namespace": "shop"}, "reason": "Ready", "note": "orders logs in"}
    home.store.create(Kind("events.k8s.io", "v1", "Event", "events"), event)
    assert "Ready: orders logs in" in caplog.text


def test_the_core_s_cache_follows_the_directory_through_an_object_s_two_lives(home: Home) -> None:
    home.with_claim(deletionPolicy="Retain")
    told: queue.Queue[Object | None] = queue.Queue()
    metrics = Metrics(CollectorRegistry())
    informer = Informer(CLAIM, home.store, clock=home.clock, rng=random.Random(1), metrics=metrics)
    informer.add_handler(lambda old, new: told.put(new))
    stop = StopSignal(home.clock)
    thread = threading.Thread(target=informer.run, args=(stop,))
    thread.start()
    assert told.get(timeout=10) == home.get()
    client = CachedClient(home.store, Informers([informer]))
    client.patch(CLAIM, "shop", "orders", {"metadata": {"finalizers": ["dbclaims.io/claim"]}})
    assert told.get(timeout=10) == home.get()
    home.remove("orders.yaml")
    home.changes()
    assert meta(told.get(timeout=10) or {})["deletionTimestamp"]
    client.patch(CLAIM, "shop", "orders", {"metadata": {"finalizers": None}})
    assert told.get(timeout=10) is None
    home.write("orders.yaml", claim(schemas=["again"]))
    home.changes()
    again = told.get(timeout=10)
    assert again == home.get() == informer.lister.get("shop/orders")
    stop.set()
    home.store.close()
    thread.join(10)
    assert told.empty()


# --- Secrets as files --------------------------------------------------------------------------------------------


def files(home: Home, name: str = "orders-db") -> dict[str, str]:
    folder = home.state / "secrets/shop" / name
    return {path.name: path.read_text() for path in folder.iterdir() if not path.name.startswith("..")}


def test_a_secret_appears_as_files_for_its_owner_alone(home: Home) -> None:
    made = home.store.create(SECRET, published(username="a", password="p"))
    assert files(home) == {"username": "a", "password": "p"}
    assert home.get(SECRET, "orders-db") == made
    assert made["data"] == {"username": "YQ==", "password": "cA=="}
    assert "stringData" not in made
    assert made["type"] == "servicebinding.io/postgresql"
    modes = {path.stat().st_mode & 0o777 for path in (home.state / "secrets").rglob("*") if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in (home.state, *home.state.rglob("*")) if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})
    assert (home.state / ".gitignore").read_text() == "*\n"


def test_a_secret_is_swapped_as_one_set(home: Home) -> None:
    first = home.store.create(SECRET, published(username="a", password="p", old="x"))
    folder = home.state / "secrets/shop/orders-db"
    # Held open as a reader does who has come before the swap.
    before = os.open(folder / "..data", os.O_RDONLY)
    data = {key: base64.b64encode(value).decode() for key, value in {"username": b"b", "password": b"q"}.items()}
    second = home.store.replace(SECRET, {**first, "data": data})
    assert files(home) == {"username": "b", "password": "q"}
    assert int(meta(second)["resourceVersion"]) > int(meta(first)["resourceVersion"])
    assert os.listdir(before) == []
    os.close(before)
    assert len([path for path in folder.iterdir() if path.name.startswith("..")]) == 2
    with pytest.raises(Conflict):
        home.store.replace(SECRET, first)


def test_a_reader_who_goes_through_the_link_sees_one_version_or_looks_again(home: Home) -> None:
    made = home.store.create(SECRET, published(username="0", password="0"))
    current = home.state / "secrets/shop/orders-db/..data"
    done, seen = threading.Event(), list[tuple[str, str]]()

    def read() -> None:
        while not done.is_set():
            version = current.resolve()
            with contextlib.suppress(FileNotFoundError):
                seen.append(((version / "username").read_text(), (version / "password").read_text()))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 30):
        value = base64.b64encode(str(number).encode()).decode()
        made = home.store.replace(SECRET, {**made, "data": {"username": value, "password": value}})
    done.set()
    reader.join()
    assert len(set(seen)) > 1
    assert [pair for pair in seen if pair[0] != pair[1]] == []


def test_a_file_edited_by_hand_shows_and_keeps_the_annotations(home: Home) -> None:
    made = home.store.create(SECRET, published(username="a", password="p"))
    (home.state / "secrets/shop/orders-db/password").write_text("edited")
    seen = home.get(SECRET, "orders-db")
    assert seen["data"]["password"] == "ZWRpdGVk"
    assert meta(seen) == meta(made)


def test_a_secret_whose_files_were_removed_is_absent_and_can_be_made_again(home: Home) -> None:
    home.store.create(SECRET, published(username="a"))
    for path in sorted((home.state / "secrets/shop").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    assert home.absent(SECRET, "orders-db")
    home.store.create(SECRET, published(username="b"))
    assert files(home) == {"username": "b"}


def test_files_that_somebody_else_put_there_are_a_secret_that_is_not_ours(home: Home) -> None:
    folder = home.state / "secrets/shop/orders-db"
    folder.mkdir(parents=True)
    (folder / "password").write_text("theirs")
    assert meta(home.get(SECRET, "orders-db")) == {"name": "orders-db", "namespace": "shop"}
    with pytest.raises(AlreadyExists):
        home.store.create(SECRET, published(username="a"))
    assert files(home) == {"password": "theirs"}


def test_a_document_s_secret_is_never_written(home: Home) -> None:
    home.write("s.yaml", secret("orders-db", "shop", password="theirs"))
    home.changes()
    with pytest.raises(AlreadyExists):
        home.store.create(SECRET, published(username="a"))
    writes: list[Callable[[], object]] = [
        lambda: home.store.patch(SECRET, "shop", "orders-db", {"data": {}}),
        lambda: home.store.delete(SECRET, "shop", "orders-db"),
    ]
    for write in writes:
        with pytest.raises(Forbidden, match="stands in a document"):
            write()


def test_what_a_crash_left_in_the_middle_of_a_swap_is_swept_by_the_next_one(home: Home) -> None:
    made = home.store.create(SECRET, published(username="a"))
    folder = home.state / "secrets/shop/orders-db"
    (folder / "..half").mkdir()
    (folder / "..fresh-..data").symlink_to("..half")
    assert home.get(SECRET, "orders-db") == made
    home.store.replace(SECRET, {**made, "data": {"username": "Yg=="}})
    assert files(home) == {"username": "b"}
    assert not (folder / "..half").exists()


# --- the state ---------------------------------------------------------------------------------------------------


def test_everything_is_found_again_by_the_next_process(home: Home) -> None:
    held(home)
    home.store.patch(CLAIM, "shop", "orders", {"status": {"databaseName": "x"}}, subresource="status")
    home.store.create(SERVER, server())
    home.store.create(SECRET, published(username="a"))
    before = [home.get(), home.get(SERVER, "made", "platform"), home.get(SECRET, "orders-db")]
    version = home.store.list(CLASS).resource_version
    home.reopen()
    assert home.changes() == []
    assert [home.get(), home.get(SERVER, "made", "platform"), home.get(SECRET, "orders-db")] == before
    assert home.store.list(CLASS).resource_version == version


def test_a_second_process_on_the_same_state_is_refused(home: Home) -> None:
    program = "import sys,pathlib\nfrom dbclaims.core.local.state import State\nState(pathlib.Path(sys.argv[1]))"
    ran = subprocess.run([sys.executable, "-c", program, str(home.state)], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert f"another process works on {home.state}; stop it, or name another directory with --state" in ran.stderr
    with pytest.raises(StateInUse):
        LocalStore(home.directory, clock=FakeClock())
    home.reopen()


@pytest.mark.parametrize("damage", [b"", b"not a database", bytes(5000)])
def test_a_damaged_state_is_said_and_not_mended(home: Home, damage: bytes) -> None:
    home.with_claim()
    home.store.close()
    (home.state / "objects.sqlite").write_bytes(b"SQLite format 3\x00" + damage)
    with pytest.raises(StateUnusable, match=r"cannot be used .*; mend it, or name another directory with --state"):
        LocalStore(home.directory, clock=FakeClock())


def test_no_error_of_the_file_system_or_of_sqlite_gets_through_unmapped(tmp_path: Path) -> None:
    kinds: list[type[Exception]] = [OSError, PermissionError, FileNotFoundError, *_subclasses(sqlite3.Error)]
    for kind in kinds:
        with pytest.raises(StateUnusable, match="boom"), state_errors(tmp_path):
            raise kind("boom")


def _subclasses(cls: type[Exception]) -> list[type[Exception]]:
    return [cls, *(each for sub in cls.__subclasses__() for each in _subclasses(sub))]


def test_a_failed_write_changes_nothing(home: Home) -> None:
    before = home.with_claim().get()
    version = int(home.store.list(CLAIM).resource_version)
    home.store._stored._database.execute("PRAGMA query_only = on")
    with pytest.raises(StateUnusable):
        home.store.patch(CLAIM, "shop", "orders", {"status": {"databaseName": "x"}}, subresource="status")
    home.store._stored._database.execute("PRAGMA query_only = off")
    assert home.get() == before
    home.store.patch(CLAIM, "shop", "orders", {"status": {"databaseName": "x"}}, subresource="status")
    assert int(meta(home.get())["resourceVersion"]) == version + 1


def test_any_history_of_writes_reads_alike_after_a_restart(home: Home) -> None:
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    for _ in range(120):
        name = chance.choice("abc")
        match chance.randrange(5):
            case 0 if home.absent(SERVER, name, "platform"):
                home.store.create(SERVER, server(name))
            case 1:
                home.store.delete(SERVER, "platform", name)
            case 2 if not home.absent(SERVER, name, "platform"):
                finalizers = chance.choice([["x/y"], []])
                home.store.patch(SERVER, "platform", name, {"metadata": {"finalizers": finalizers}})
            case 3 if not home.absent(SERVER, name, "platform"):
                status = {"identity": str(chance.random())}
                home.store.patch(SERVER, "platform", name, {"status": status}, subresource="status")
            case 4:
                before = home.store.list(SERVER)
                home.reopen()
                assert home.store.list(SERVER) == before, f"seed {seed}"
    versions = [int(meta(orjson.loads(item))["resourceVersion"]) for item in home.store.list(SERVER).items]
    assert len(set(versions)) == len(versions), f"seed {seed}"


# --- following ---------------------------------------------------------------------------------------------------


def test_the_follower_takes_over_an_edit_and_tells_once(home: Home) -> None:
    home.with_claim()
    told: list[Scan] = []
    follower = Follower(home.store, home.clock, told.append)
    home.write("orders.yaml", claim(schemas=["a"]))
    for _ in range(4):
        follower.step()
    assert [change.verb for scan in told for change in scan.changes] == ["changed"]


def test_the_follower_tells_of_a_lost_directory_once_and_goes_on_when_it_is_back(home: Home, tmp_path: Path) -> None:
    home.with_claim()
    told: list[Scan] = []
    follower = Follower(home.store, home.clock, told.append)
    home.directory.rename(tmp_path / "away")
    follower.step()
    follower.step()
    assert len(told) == 1
    assert "cannot be read" in str(told[0].problems[0])
    (tmp_path / "away").rename(home.directory)
    follower.step()
    assert told[1] == Scan()
    assert not home.absent()


def test_the_follower_looks_each_second_until_it_is_stopped(home: Home) -> None:
    home.with_claim()
    seen = threading.Event()
    follower = Follower(home.store, home.clock, lambda scan: seen.set() if scan.changes else None)
    home.write("orders.yaml", claim(schemas=["a"]))
    follower.start()
    while not seen.is_set():
        if home.clock.waiters():
            home.clock.advance(1)
    follower.stop()
    assert home.spec()["schemas"] == ["a"]
