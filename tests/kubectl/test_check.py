"""`check` and `events -w`: whether a controller runs, what one may do, and what happens from now on."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from dbclaims.core.clock import SystemClock
from dbclaims.core.kinds import CLAIM
from tests.integration.world import World

from .conftest import Person


def _lease(world: World, age: float, holder: str = "dbclaims-7c9f") -> None:
    """A Lease as a controller leaves it, renewed so many seconds ago."""
    renewed = (world.clock.now() - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "dbclaims"}}
    spec = {"holderIdentity": holder, "renewTime": renewed}
    path = f"/apis/coordination.k8s.io/v1/namespaces/{world.named('platform')}/leases"
    world.cluster.request("DELETE", f"{path}/dbclaims")
    assert world.cluster.request("POST", path, {**body, "spec": spec})[0] == 201


@pytest.mark.parametrize(
    ("age", "holder", "code", "said"),
    [
        (5, "dbclaims-7c9f", 0, "dbclaims-7c9f, heard of 5s ago"),
        (90, "dbclaims-7c9f", 2, "dbclaims-7c9f, heard of 90s ago"),
        (5, "", 2, "nobody holds the Lease dbclaims"),
    ],
)
def test_a_controller_is_there_while_its_lease_is_fresh(
    person: Person, age: float, holder: str, code: int, said: str
) -> None:
    _lease(person.world, age, holder)
    answer = person.says("check", "--system-namespace", person.world.named("platform"))
    assert answer.code == code
    assert said in answer.out


def test_what_is_not_for_our_eyes_fails_nothing(person: Person) -> None:
    answer = Person(person.world, "developer").says("check", "-o", "json")
    assert answer.code == 0
    findings = {each["what"]: each["good"] for each in json.loads(answer.out)["findings"]}
    assert set(findings.values()) == {None}
    assert findings.keys() >= {"definitions", "controller", "classes", "you: create databaseclaims"}


def test_a_check_that_waits_ends_when_the_time_is_over(person: Person) -> None:
    person.clock = SystemClock()
    answer = person.says("check", "--wait", "1s", "--system-namespace", person.world.named("platform"))
    assert (answer.code, "FAILED" in answer.out) == (2, True)


def test_events_are_followed(person: Person) -> None:
    world = person.world
    flags = ["--kubeconfig", str(world.cluster.kubeconfig()), "-n", world.named("shop")]
    command = [sys.executable, "-u", "-m", "dbclaims.core.kubectl.claims", "events", "orders", "-w", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        heading, *past = [process.stdout.readline() for _ in range(7)]
        assert heading.split()[:2] == ["TIME", "(UTC)"]
        assert any("works; Secret orders holds it" in line for line in past)
        world.annotate(CLAIM, "orders", rotate="now")
        world.settle()
        assert "was published in place of" in process.stdout.readline()
        process.terminate()
