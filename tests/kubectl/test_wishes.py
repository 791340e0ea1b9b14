"""`pause`, `resume`, `approve`, `rotate`: what stands on the object afterwards, and that no spec is ever written."""

from __future__ import annotations

import pytest

from dbclaims.core.clock import SystemClock
from dbclaims.core.kinds import CLAIM, SERVER
from tests.integration.world import World

from .conftest import Person


def _annotations(world: World, name: str = "orders") -> dict[str, str]:
    found: dict[str, str] = world.get(CLAIM, name)["metadata"].get("annotations") or {}
    return found


def test_pause_and_resume_set_and_remove_one_annotation(person: Person) -> None:
    world = person.world
    for _ in range(2):
        assert person.says("pause", "orders").code == 0
        assert _annotations(world) == {"dbclaims.io/paused": "true"}
    world.settle()
    world.expect("Synced", "Paused")
    for _ in range(2):
        assert person.says("resume", "orders").code == 0
        assert _annotations(world) == {}
    world.settle()
    world.expect("Synced", "Available")


def test_a_server_is_paused_as_well(person: Person) -> None:
    world = person.world
    said = person.says("pause", "databaseserver/shared", "-n", world.named("platform"))
    assert said.out.startswith("databaseserver.dbclaims.io/shared paused (")
    assert world.get(SERVER, "shared", "platform")["metadata"]["annotations"] == {"dbclaims.io/paused": "true"}


def test_a_dry_run_writes_nothing(person: Person) -> None:
    position = person.world.cluster.audit_position()
    for verb in ("pause", "resume", "rotate"):
        assert person.says(verb, "orders", "--dry-run=client").code == 0
    events = person.world.cluster.audit_since(position)
    assert [each for each in events if each.user_agent == "kubectl-claims" and each.is_write] == []


WRITES = ("pause orders", "resume search", "rotate orders --wait", "approve orders 7f3c9a1b2c3d")


def test_a_dry_run_on_the_server_is_checked_there_and_stores_nothing(person: Person) -> None:
    world = person.world
    world.claim("search")
    world.annotate(CLAIM, "search", paused="true")
    world.patch_status(CLAIM, "orders", {"pendingHash": "7f3c9a1b2c3d"})
    before = {name: world.get(CLAIM, name) for name in ("orders", "search")}
    position = world.cluster.audit_position()
    for typed in WRITES:
        said = person.says(*typed.split(), "--dry-run=server")
        assert (said.code, said.err) == (0, ""), typed
        assert said.out.startswith(f"databaseclaim.dbclaims.io/{typed.split()[1]} ")
        assert said.out.endswith(" (server dry run)\n")
    asked = [each for each in world.cluster.audit_since(position) if each.user_agent == "kubectl-claims"]
    writes = [each for each in asked if each.is_write]
    assert [(each.verb, "dryRun=All" in each.uri) for each in writes] == [("patch", True)] * len(WRITES)
    assert {name: world.get(CLAIM, name) for name in before} == before


def test_a_dry_run_on_the_server_is_refused_as_the_write_would_be(person: Person) -> None:
    world = person.world
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{world.named('shop')}"
    group = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "may-look"}}
    rule = {"apiGroups": ["dbclaims.io"], "resources": ["databaseclaims"], "verbs": ["get"]}
    assert world.cluster.request("POST", f"{path}/roles", {**group, "kind": "Role", "rules": [rule]})[0] == 201
    bound = {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "may-look"}}
    subjects = [{"kind": "User", "name": "developer", "apiGroup": "rbac.authorization.k8s.io"}]
    binding = {**group, "kind": "RoleBinding", **bound, "subjects": subjects}
    assert world.cluster.request("POST", f"{path}/rolebindings", binding)[0] == 201
    developer = Person(world, "developer")
    assert developer.says("pause", "orders", "--dry-run=client").code == 0
    said = developer.says("pause", "orders", "--dry-run=server")
    assert (said.code, said.out) == (1, "")
    assert 'User "developer" cannot patch' in said.err


def test_only_annotations_are_written(person: Person) -> None:
    world = person.world
    before = world.get(CLAIM, "orders")
    for typed in ("pause orders", "resume orders", "rotate orders"):
        assert person.says(*typed.split()).code == 0
    after = world.get(CLAIM, "orders")
    assert (after["spec"], after["metadata"]["generation"]) == (before["spec"], before["metadata"]["generation"])
    managers = {each["manager"] for each in after["metadata"]["managedFields"]}
    assert "kubectl-claims" in managers


def test_what_waits_for_an_approval_is_shown_and_then_approved(person: Person) -> None:
    world = person.world
    waiting = {"action": "recreate", "why": "the database is gone", "disruptive": True, "waitsFor": "approval"}
    world.patch_status(CLAIM, "orders", {"pending": [waiting], "pendingHash": "7f3c9a1b2c3d"})
    shown = person.says("approve", "orders")
    assert shown.code == 2
    assert "recreate   the database is gone   yes" in shown.out
    assert shown.out.endswith(f"kubectl claims approve orders -n {world.named('shop')} 7f3c9a1b2c3d\n")
    wrong = person.says("approve", "orders", "000000000000")
    assert (wrong.code, _annotations(world)) == (1, {})
    assert "has the hash 7f3c9a1b2c3d" in wrong.err
    assert person.says("approve", "orders", "7f3c9a1b2c3d").code == 0
    assert _annotations(world) == {"dbclaims.io/approve": "7f3c9a1b2c3d"}


def test_a_deleted_claim_can_be_abandoned_and_no_other(person: Person) -> None:
    world = person.world
    assert person.says("approve", "orders", "abandon").code == 1
    world.annotate(CLAIM, "orders", protect="true")
    world.delete(CLAIM, "orders")
    assert person.says("approve", "orders", "abandon").code == 0
    assert _annotations(world)["dbclaims.io/approve"] == "abandon"


def test_rotate_asks_anew_each_time(person: Person) -> None:
    world = person.world
    seen = set()
    for _ in range(2):
        assert person.says("rotate", "orders").code == 0
        seen.add(_annotations(world)["dbclaims.io/rotate"])
    assert len(seen) == 2, "also within one second"
    world.settle()
    assert world.secret()["username"].endswith("_b")


@pytest.mark.parametrize("typed", ["wait orders --for Settled --timeout 1s", "rotate orders --wait --timeout 1s"])
def test_who_waits_too_long_ends_with_3(person: Person, typed: str) -> None:
    world = person.world
    if typed.startswith("wait"):
        world.patch_status(CLAIM, "orders", {"pending": [{"action": "close", "waitsFor": "10m without a session"}]})
    # What it waits on is the API server's watch, which lasts a second of the real clock.
    person.clock = SystemClock()
    said = person.says(*typed.split())
    assert said.code == 3
    assert "timed out waiting for databaseclaim.dbclaims.io/orders after 1 s" in said.err


def test_waiting_ends_at_once_where_only_a_person_helps(person: Person) -> None:
    person.world.claim("bad", databaseName="postgres")
    person.world.settle()
    said = person.says("wait", "bad")
    assert (said.code, said.out) == (2, "")
    assert "is stalled (NameReserved)" in said.err


def test_what_is_gone_already_is_waited_for_no_longer(person: Person) -> None:
    assert person.says("wait", "nothing", "--for", "Deleted").code == 0
