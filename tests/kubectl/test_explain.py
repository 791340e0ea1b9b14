"""`explain`: for every reason that the code can set it names the way out, and it says what it cannot see."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbclaims.core.api.reasons import REASONS
from dbclaims.core.kinds import CLAIM
from dbclaims.core.kubectl.facts import way_out
from tests.docs.blocks import REPOSITORY

from .conftest import Person

FOLDERS = ("core/dbclaims/core", "engines/dbclaims/engines", "providers/dbclaims/providers")


def _settable() -> set[str]:
    """Every reason that the sources name: as `reason=`, as a default, in a condition, or in a table of errors."""
    found: set[str] = set()
    for path in (path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*.py")):
        if path.name != "reasons.py":
            found |= _named(path)
    return found


def _named(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    keywords = [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "reason"]
    defaults = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == "default_reason"
    ]
    return {value for node in (*keywords, *defaults) if node for value in _texts(node)}


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be: a constant, or either side of a choice."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))


def test_every_reason_that_the_code_can_set_has_a_way_out() -> None:
    settable = {each for each in _settable() if each[:1].isupper()}
    assert len(settable) > 50, "the search finds reasons at all"
    # An Event's reason is no condition's.
    assert settable - {"Rotated"} - set(REASONS) == set()
    assert {name for name in REASONS if not way_out(name)} == set()


@pytest.mark.parametrize("reason", REASONS)
def test_explain_names_the_way_out_of_each_reason(reason: str) -> None:
    said = way_out(reason)
    assert said == REASONS[reason].way_out
    assert "not known" not in said


def test_what_explain_says_of_a_reason_is_what_stands_in_the_list(person: Person) -> None:
    world = person.world
    for reason in ("BackendUnreachable", "DatabaseLost", "OldLoginInUse"):
        status = world.get(CLAIM, "orders")["status"]
        synced = {**status["conditions"][1], "status": "False", "reason": reason, "message": "who, what"}
        world.patch_status(CLAIM, "orders", {"conditions": [status["conditions"][0], synced]})
        said = person.says("explain", "orders")
        assert said.code == 0
        assert f"What to do: {way_out(reason)}\n" in said.out
        assert "who, what" in said.out


def test_a_reason_of_a_newer_controller_is_told_as_it_is() -> None:
    assert "FromTheFuture is not known to this version" in way_out("FromTheFuture")


def test_exit_code_is_the_answer(person: Person) -> None:
    assert person.says("explain", "orders", "--exit-code").code == 0
    person.world.claim("bad", databaseName="postgres")
    assert person.says("explain", "bad", "--exit-code").code == 2, "nobody has looked at it yet"
    person.world.settle()
    assert person.says("explain", "bad").code == 0
    assert person.says("explain", "bad", "--exit-code").code == 2


def test_a_warning_on_a_ready_claim_is_told_with_its_way_out(person: Person) -> None:
    world = person.world
    status = world.get(CLAIM, "orders")["status"]
    warning = {**status["conditions"][1], "type": "InsecureTLS", "reason": "InsecureTLS", "message": "no CA"}
    world.patch_status(CLAIM, "orders", {"conditions": [*status["conditions"], warning]})
    said = person.says("explain", "orders").out
    assert "InsecureTLS: no CA\nWhat to do: Set config.tls.mode" in said
    found = json.loads(person.says("explain", "orders", "-o", "json").out)
    assert [each["reason"] for each in found["toDo"]] == ["Available", "InsecureTLS"]
    assert found["toDo"][1]["page"] == "docs/reference.md#reason-insecuretls"


def test_a_claim_in_another_namespace_is_pointed_to(person: Person) -> None:
    shop, bi = person.world.named("shop"), person.world.named("bi")
    said = person.says("explain", "orders", "-n", bi)
    assert said.code == 1
    assert f"not found in namespace {bi}; there is one in " in said.err
    assert shop in said.err


def test_what_waits_for_people_is_told_with_its_command(person: Person) -> None:
    world = person.world
    waiting = {"action": "recreate", "why": "the database is gone", "disruptive": True, "waitsFor": "approval"}
    world.patch_status(CLAIM, "orders", {"pending": [waiting], "pendingHash": "7f3c9a1b2c3d"})
    said = person.says("explain", "orders").out
    assert f"kubectl claims approve databaseclaim/orders -n {world.named('shop')} 7f3c9a1b2c3d" in said
