"""`dbclaims plan` on a real server: what it tells, that it only reads, and with which exit code it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.overlay import edit, write

from .directory import Directory, dbclaims
from .test_up import WRITES, rotated

READS = ("SELECT", "SET", "SHOW", "WITH")


def plan(directory: Directory, *options: object) -> tuple[int, dict[str, Any]]:
    """The exit code, and each object's steps and problem."""
    done = dbclaims("plan", directory.path, "-o", "json", *options)
    assert "Traceback" not in done.stderr
    found = json.loads(done.stdout)
    return done.returncode, {f"{each['kind']} {each['namespace']}/{each['name']}": each for each in found["items"]}


def actions(found: dict[str, Any], name: str = "DatabaseClaim shop/orders") -> list[str]:
    """The steps of one object, by their verbs."""
    return [step["action"] for step in found[name]["pending"]]


def test_a_settled_directory_has_nothing_to_do(examples: Directory) -> None:
    assert examples.once().returncode == 0
    done = dbclaims("plan", examples.path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "nothing to do\n", "")


def test_a_fresh_directory_is_planned_and_nothing_is_made(examples: Directory) -> None:
    before, position = examples.fingerprint(), examples.server.log_position()
    code, found = plan(examples)
    assert code == 1
    assert actions(found, "DatabaseServer platform/shared") == ["hold"]
    assert found["DatabaseClaim shop/orders"]["pending"][0]["waitsFor"].startswith("DatabaseServer platform/shared")
    assert examples.fingerprint() == before, "not even a STATE"
    assert [each.text for each in examples.server.log_since(position).statements if WRITES.match(each.text)] == []


def test_an_edit_is_planned_from_the_directory_and_reads_only(examples: Directory) -> None:
    assert examples.once().returncode == 0
    edit(examples.path / "databaseclaim.yaml", lambda claim: claim["spec"]["schemas"].append("audit"))
    before, position = examples.fingerprint(), examples.server.log_position()
    code, found = plan(examples)
    statements = [each.text.strip() for each in examples.server.log_since(position).statements]
    assert code == 1
    assert "createSchemas" in actions(found)
    assert "audit" in str(found["DatabaseClaim shop/orders"]["pending"])
    assert statements, "it did look"
    assert [text for text in statements if not text.upper().startswith(READS)] == []
    assert examples.fingerprint() == before
    assert examples.once().returncode == 0
    assert plan(examples)[0] == 0, "what was planned was all that was to be done"


def test_a_file_that_nobody_applied_is_planned(examples: Directory, tmp_path: Path) -> None:
    assert examples.once().returncode == 0
    claim = examples.document("databaseclaim.yaml")
    other = {**claim, "metadata": {"name": "more", "namespace": "shop"}}
    other["spec"] = {**claim["spec"], "databaseName": "more", "secretName": "more-db"}
    write(tmp_path / "more.yaml", other)
    code, found = plan(examples, "-f", tmp_path / "more.yaml")
    assert code == 1
    assert list(found) == ["DatabaseClaim shop/more"], "only what the file concerns"
    assert actions(found, "DatabaseClaim shop/more")[-1] == "publish"
    assert {"createLogin", "createDatabase"} <= set(actions(found, "DatabaseClaim shop/more"))
    assert examples.databases() == ["orders"]


def test_a_rotation_is_planned_and_no_password_is_made(examples: Directory) -> None:
    assert examples.once().returncode == 0
    edit(examples.path / "databaseclaim.yaml", rotated)
    before = examples.fingerprint()
    code, found = plan(examples)
    assert code == 1
    assert "rotate" in actions(found)
    assert examples.fingerprint() == before
    assert examples.published() is not None


def test_a_broken_login_and_a_lost_database_are_told(examples: Directory) -> None:
    assert examples.once().returncode == 0
    examples.server.execute("ALTER ROLE orders_a PASSWORD 'another'")
    assert "repair" in actions(plan(examples)[1])
    examples.server.execute("DROP DATABASE orders WITH (FORCE)")
    code, found = plan(examples)
    assert code == 1
    step = found["DatabaseClaim shop/orders"]["pending"][0]
    assert (step["action"], step["disruptive"], step["waitsFor"]) == ("recreate", True, "approval")
    assert examples.databases() == []


def test_what_is_in_the_way_is_told_with_an_exit_code_of_its_own(examples: Directory, tmp_path: Path) -> None:
    assert examples.once().returncode == 0
    claim = examples.document("databaseclaim.yaml")
    stray = {**claim, "metadata": {"name": "stray", "namespace": "shop"}}
    stray["spec"] = {**claim["spec"], "secretName": "stray-db"}
    write(tmp_path / "stray.yaml", stray)
    done = dbclaims("plan", examples.path, "-f", tmp_path / "stray.yaml")
    assert done.returncode == 2
    assert "! NotOwned: database 'orders' exists and is not this claim's" in done.stdout
    (tmp_path / "torn.yaml").write_text("kind: [")
    assert dbclaims("plan", examples.path, "-f", tmp_path / "torn.yaml").returncode == 2
    assert dbclaims("plan", tmp_path / "nowhere").returncode == 2
    assert dbclaims("plan", examples.path, "-f", tmp_path / "nowhere.yaml").returncode == 2


def test_a_vanished_document_is_planned_as_up_would_take_it(examples: Directory) -> None:
    assert examples.once().returncode == 0
    (examples.path / "databaseclaim.yaml").unlink()
    done = dbclaims("plan", examples.path)
    assert done.returncode == 2
    assert "its document is gone" in done.stdout
    assert dbclaims("delete", "DatabaseClaim/orders", "-n", "shop", examples.path).returncode == 0
    before = examples.fingerprint()
    code, found = plan(examples)
    assert (code, actions(found)) == (1, ["drop"])
    assert examples.fingerprint() == before, "the wish is still there"
    assert examples.published() is not None
