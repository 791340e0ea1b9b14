"""The verbs that only look, on a directory: `dbclaims list`, `explain`, `events` and `tree`, also while `up` runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dbclaims.core.clock import SystemClock
from dbclaims.core.kinds import CLAIM, SECRET
from dbclaims.core.local import LocalStore, LocalView, StateUnusable
from dbclaims.core.objectstore import Forbidden
from tests.commands.directory import Directory, dbclaims
from tests.core.test_manager import until
from tests.overlay import edit


@pytest.fixture
def settled(examples: Directory) -> Directory:
    """The examples, made real."""
    done = examples.once()
    assert done.returncode == 0, done.stderr
    return examples


def test_a_directory_is_looked_at_with_the_same_verbs(settled: Directory) -> None:
    listed = dbclaims("list", settled.path)
    assert (listed.returncode, listed.stderr) == (0, "")
    head, line = listed.stdout.splitlines()
    assert head.split() == ["NAMESPACE", "NAME", "READY", "REASON", "DATABASE", "VERSION", "CLASS", "AGE", "NOTE"]
    assert line.split()[:5] == ["shop", "orders", "True", "Available", "orders"]
    explained = dbclaims("explain", "orders", settled.path).stdout
    assert explained.startswith("shop/orders is ready since ")
    assert f"in {settled.path}/.dbclaims/secrets/shop/orders-db" in explained
    assert "server     platform/shared   True    Available" in explained
    tree = dbclaims("tree", "orders", settled.path).stdout
    assert "roleclaim bi/reports  True  Available" in tree
    events = dbclaims("events", "orders", settled.path).stdout
    assert "databaseclaim/orders    Ready became True" in events
    assert dbclaims("list", "-n", "bi", settled.path).stderr == "No resources found in bi namespace.\n"
    assert dbclaims("list", "-o", "name", settled.path).stdout == "databaseclaim.dbclaims.io/orders\n"


def test_looking_changes_nothing_and_needs_no_lock(settled: Directory) -> None:
    before = settled.fingerprint()
    for verb in (["list"], ["explain", "orders"], ["tree", "orders"], ["events", "orders"]):
        assert dbclaims(*verb, settled.path).returncode == 0
    assert settled.fingerprint() == before
    store = LocalStore(settled.path, clock=SystemClock())
    assert dbclaims("list", settled.path).returncode == 0
    store.close()


def test_while_up_runs_the_newest_state_is_seen(settled: Directory, tmp_path: Path) -> None:
    running = settled.up(tmp_path / "log")
    edit(settled.path / "databaseclaim.yaml", lambda document: document["spec"].update(extensions=["postgis"]))
    until(lambda: "ExtensionNotAllowed" in dbclaims("list", settled.path).stdout, 30)
    said = dbclaims("explain", "orders", "--exit-code", settled.path)
    assert (said.returncode, "What to do: Ask for it in the class's allowedExtensions." in said.stdout) == (1, True)
    running.stop()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["explain", "nope"], 1, 'databaseclaims.dbclaims.io "nope" not found'),
        (["explain", "orders", "-n", "bi"], 1, "not found in namespace bi; there is one in shop"),
        (["explain"], 2, "usage: dbclaims explain"),
        (["list", "-l", "a=b"], 1, "a directory selects nothing by labels or fields"),
        (["list", "-w"], 1, "`dbclaims up` without --once follows a directory"),
        (["events", "orders", "-w"], 1, "a directory"),
        (["tree", "roleclaim/x"], 1, "tree is for a databaseclaim"),
    ],
)
def test_what_cannot_be_done_in_a_directory_is_said(
    settled: Directory, arguments: list[str], code: int, said: str
) -> None:
    done = dbclaims(*arguments, settled.path)
    assert done.returncode == code
    assert said in done.stderr


def test_a_directory_without_a_state_is_told_how_it_comes_by_one(empty: Directory) -> None:
    done = dbclaims("list", empty.path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"there is no state in {empty.path}/.dbclaims; `dbclaims up` makes it" in done.stderr
    with pytest.raises(StateUnusable):
        LocalView(empty.path)


def test_a_view_is_read_and_never_written(settled: Directory) -> None:
    view = LocalView(settled.path / ".dbclaims")
    found = view.get(CLAIM, "shop", "orders")
    assert found is not None
    secret = view.get(SECRET, "shop", "orders-db")
    assert secret is not None
    assert set(secret["data"]) >= {"username", "password"}
    assert view.get(CLAIM, "shop", "other") is None
    refused: list[Callable[[], object]] = [
        lambda: view.create(CLAIM, found),
        lambda: view.replace(CLAIM, found),
        lambda: view.patch(CLAIM, "shop", "orders", {}),
        lambda: view.delete(CLAIM, "shop", "orders"),
        lambda: view.watch(CLAIM, resource_version="0", timeout_seconds=1),
        lambda: view.list(SECRET),
    ]
    for attempt in refused:
        with pytest.raises(Forbidden):
            attempt()
    view.close()
