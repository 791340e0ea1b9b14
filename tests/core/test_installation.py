"""Who we are: made once, kept in a Secret, and never made anew where our marks stand (PROTOCOL.md §2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dbclaims.core.installation import InstallationError, identified, installation
from dbclaims.core.kinds import CLASS, SECRET, SERVER
from dbclaims.core.local import LocalStore
from dbclaims.core.secrets import decoded
from tests.clock import FakeClock

SYSTEM, NAME = "dbclaims-system", "dbclaims-identity"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    store = LocalStore(tmp_path, clock=FakeClock())
    yield store
    store.close()


def test_it_is_made_once_and_found_again(store: LocalStore) -> None:
    first = installation(store, SYSTEM, None, [])
    assert first == installation(store, SYSTEM, None, ["DatabaseServer platform/shared"])
    assert len(first.id) == 12
    assert len(first.lock_key) == 64


def test_two_installations_differ(store: LocalStore) -> None:
    assert installation(store, SYSTEM, None, []) != installation(store, "another", None, [])


def test_a_wanted_id_is_taken(store: LocalStore) -> None:
    assert installation(store, SYSTEM, "prod", []).id == "prod"
    assert installation(store, SYSTEM, "prod", []).id == "prod"


@pytest.mark.parametrize("wanted", ["", "-x", "x-", "X", "a b", "x" * 41, "ä", "a/b"])
def test_an_id_that_cannot_be_part_of_a_role_name_is_refused(store: LocalStore, wanted: str) -> None:
    with pytest.raises(InstallationError, match="up to 40 lower-case letters"):
        installation(store, SYSTEM, wanted, [])
    assert store.get(SECRET, SYSTEM, NAME) is None


def test_another_id_than_the_one_kept_is_refused(store: LocalStore) -> None:
    installation(store, SYSTEM, "prod", [])
    with pytest.raises(InstallationError, match="'prod'"):
        installation(store, SYSTEM, "test", [])


def test_a_lost_id_is_never_replaced_where_marks_stand(store: LocalStore) -> None:
    with pytest.raises(InstallationError, match="DatabaseServer platform/shared"):
        installation(store, SYSTEM, None, ["DatabaseServer platform/shared"])
    assert store.get(SECRET, SYSTEM, NAME) is None


def test_a_lost_id_may_be_given_again_by_its_owner(store: LocalStore) -> None:
    assert installation(store, SYSTEM, "prod", ["DatabaseServer platform/shared"]).id == "prod"


@pytest.mark.parametrize("key", ["id", "lock-key"])
def test_a_secret_without_a_key_stops_the_start(store: LocalStore, key: str) -> None:
    installation(store, SYSTEM, None, [])
    secret = store.get(SECRET, SYSTEM, NAME)
    assert secret is not None
    del secret["data"][key]
    store.replace(SECRET, secret)
    with pytest.raises(InstallationError, match="restore it from a backup"):
        installation(store, SYSTEM, None, [])
    kept = store.get(SECRET, SYSTEM, NAME)
    assert kept is not None
    assert key not in decoded(kept)


def test_servers_that_were_identified_are_named_over_all_pages(store: LocalStore) -> None:
    spec = {"provider": "existing", "engine": "postgres", "config": {}}
    for number in range(501):
        store.create(SERVER, {"metadata": {"name": f"s{number:03}", "namespace": "platform"}, "spec": spec})
    assert identified(store) == []
    store.patch(SERVER, "platform", "s500", {"status": {"identity": "i"}}, subresource="status")
    assert identified(store) == ["DatabaseServer platform/s500"]


def offer(store: LocalStore, name: str, controller_class: str, **spec: object) -> None:
    body = {"metadata": {"name": name}, "spec": {"controllerClass": controller_class, **spec}}
    store.create(CLASS, {"apiVersion": CLASS.api_version, "kind": CLASS.kind, **body})


def test_another_controller_s_servers_do_not_speak_of_us(store: LocalStore) -> None:
    spec = {"provider": "existing", "engine": "postgres", "config": {}}
    store.create(SERVER, {"metadata": {"name": "shared", "namespace": "platform"}, "spec": spec})
    store.patch(SERVER, "platform", "shared", {"status": {"identity": "6f1c"}}, subresource="status")
    assert (identified(store), identified(store, "blue")) == (["DatabaseServer platform/shared"], [])

    offer(store, "template", "blue", template={"namespace": "platform", **spec})
    assert (identified(store), identified(store, "blue")) == ([], ["DatabaseServer platform/shared"])

    offer(store, "explicit", "", serverRef={"name": "shared", "namespace": "platform"})
    assert (identified(store), identified(store, "blue")) == (["DatabaseServer platform/shared"], [])
    assert identified(store, "", ["shop"]) == []
