"""What a directory of YAML means: which files are read, what a broken, doubled or vanished document does.

How accepted objects then behave as stored objects is in test_store.py.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from dbclaims.core.api import REFUSED_EDIT
from dbclaims.core.kinds import CLAIM, CLASS, NAMESPACE, ROLE, SECRET
from dbclaims.core.local import DirectoryUnreadable, LocalStore, request_deletion
from dbclaims.core.objectstore import Invalid, NotFound
from tests.clock import FakeClock

from .home import Home, claim, class_, document, secret

EXAMPLES = Path(__file__).parent.parent / "examples"


# --- what is read ------------------------------------------------------------------------------------------------


def test_the_examples_are_taken_over_as_they_are(home: Home) -> None:
    shutil.copytree(EXAMPLES, home.directory, dirs_exist_ok=True)
    assert not home.scan().problems
    assert [home.names(kind) for kind in (CLASS, CLAIM, ROLE)] == [["shared-postgres"], ["orders"], ["reports"]]
    assert home.get()["spec"]["rotation"] == {"interval": "12h"}
    assert home.names(NAMESPACE) == ["bi", "platform", "shop"]


def test_documents_may_be_nested_and_share_a_file(home: Home) -> None:
    home.write("a/b/c.yml", class_(), claim("one"), claim("two"))
    home.changes()
    assert home.names(CLAIM) == ["one", "two"]


def test_files_that_are_no_documents_are_left_alone(home: Home) -> None:
    home.write(".hidden/a.yaml", "}{")
    home.write(".swap.yaml", "}{")
    home.write("notes.txt", "}{")
    home.write(".dbclaims/secrets/x.yaml", "}{")
    home.write("deployment.yaml", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}})
    assert home.changes() == []


def test_the_state_may_have_any_name_and_is_left_out(home: Home) -> None:
    home.store.close()
    store = LocalStore(home.directory, home.directory / "kept", clock=FakeClock())
    home.write("kept/x.yaml", "}{")
    assert store.scan().problems == ()
    store.close()


def test_a_namespace_is_there_as_soon_as_something_is_in_it_and_takes_labels_from_a_document(home: Home) -> None:
    home.with_claim()
    before = home.get(NAMESPACE, "shop")
    assert before["metadata"]["labels"] == {"kubernetes.io/metadata.name": "shop"}
    labelled = {"name": "shop", "labels": {"team": "a"}}
    home.write("ns.yaml", {"apiVersion": "v1", "kind": "Namespace", "metadata": labelled})
    home.changes()
    after = home.get(NAMESPACE, "shop")
    assert after["metadata"]["labels"] == {"kubernetes.io/metadata.name": "shop", "team": "a"}
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


def test_a_missing_namespace_is_default(home: Home) -> None:
    home.write("a.yaml", document("DatabaseClaim", "a", None, className="shared"))
    assert home.changes() == ["created DatabaseClaim default/a"]


def test_a_date_stays_a_text_and_a_yes_a_boolean_as_in_kubernetes(home: Home) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {day: 2026-11-20}\n"
    home.write("s.yaml", text)
    assert home.changes() == []
    assert home.get(SECRET, "s")["data"] == {"day": "MjAyNi0xMS0yMA=="}


def test_a_secret_in_a_document_is_read_and_never_stored(home: Home) -> None:
    home.write("admin.yaml", secret("admin", username="root", password="hunter2"))
    home.changes()
    assert home.get(SECRET, "admin", "platform")["data"]["password"] == "aHVudGVyMg=="
    stored = b"".join(path.read_bytes() for path in home.state.rglob("*") if path.is_file())
    assert b"hunter2" not in stored
    assert b"aHVudGVyMg" not in stored
    home.remove("admin.yaml")
    home.write("class.yaml", class_())
    home.changes()
    assert home.absent(SECRET, "admin", "platform")


def test_a_file_whose_time_size_and_inode_are_the_same_is_not_read_again(home: Home) -> None:
    home.with_claim(schemas=["aaa"])
    path = home.directory / "orders.yaml"
    before = path.stat()
    with path.open("r+") as file:
        file.write(path.read_text().replace("aaa", "bbb"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert home.changes() == []
    os.utime(path)
    assert home.changes() == ["changed DatabaseClaim shop/orders"]
    assert home.spec()["schemas"] == ["bbb"]


def test_a_second_process_that_finds_nothing_new_touches_no_file(home: Home) -> None:
    home.with_claim()
    home.write("broken.yaml", "}{")
    home.write("orders.yaml", claim(databaseName="x"))
    home.scan()
    before = home.fingerprint()
    home.reopen()
    assert home.scan().changes == ()
    assert home.scan().changes == ()
    home.store.close()
    assert home.fingerprint() == before


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("}{", "orders.yaml:1: this is no YAML"),
        ("kind: DatabaseClaim\nspec: {className: shared", "this is no YAML"),
        ("a: 1\na: 2\n", "orders.yaml:2: this is no YAML ('a' stands here twice)"),
        ("just words", "orders.yaml:1: this is no object"),
        ("- kind: DatabaseClaim\n", "orders.yaml:1: this is no object"),
        ("\x00", "orders.yaml: this is no YAML"),
        ("apiVersion: dbclaims.io/v1alpha1\nkind: DatabaseClaim\nspec: {}\n", "has no metadata.name"),
        (
            "apiVersion: dbclaims.io/v9\nkind: DatabaseClaim\n",
            "has apiVersion dbclaims.io/v1alpha1, not 'dbclaims.io/v9'",
        ),
        (
            "kind: DatabaseClaim\napiVersion: dbclaims.io/v1alpha1\nmetadata: {name: x, 1: y}\n",
            "what JSON does not know",
        ),
        ("apiVersion: dbclaims.io/v1alpha1\nkind: DatabaseClam\n", "there is no kind 'DatabaseClam'"),
    ],
)
def test_a_file_that_cannot_be_read_keeps_what_it_held(home: Home, text: str, sentence: str) -> None:
    home.with_claim(schemas=["app"])
    home.write("orders.yaml", text)
    assert sentence in home.problem()
    assert home.spec()["schemas"] == ["app"]
    home.reopen()
    assert sentence in home.problem()
    assert home.spec()["schemas"] == ["app"]


def test_a_file_cut_in_its_second_document_keeps_both(home: Home) -> None:
    home.write("both.yaml", claim("one"), claim("two"))
    home.changes()
    whole = (home.directory / "both.yaml").read_text()
    second = whole.index("---\n") + len("---\n")
    for length in range(second + 1, len(whole) + 1):
        home.write("both.yaml", whole[:length])
        home.scan()
        assert home.names(CLAIM) == ["one", "two"], whole[:length]
        assert home.get(name="two")["spec"] == {"className": "shared"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"className": "other"}, "spec.className"),
        ({"databaseName": "late"}, "databaseName"),
        ({"schemas": "app"}, "spec.schemas: 'app' is not a list"),
        ({"secretNam": "x"}, "did you mean secretName?"),
        ({"secretName": "../../x"}, "spec.secretName"),
    ],
)
def test_a_refused_edit_keeps_the_object_and_says_so_on_it(home: Home, change: dict[str, str], sentence: str) -> None:
    before = home.with_claim().get()
    home.write("orders.yaml", "# a comment\n", claim(**change))
    text = home.problem()
    assert text.startswith("orders.yaml:3: DatabaseClaim shop/orders: spec")
    assert sentence in text
    after = home.get()
    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert sentence in after["metadata"]["annotations"][REFUSED_EDIT]
    home.write("orders.yaml", claim())
    assert home.changes() == ["changed DatabaseClaim shop/orders"]
    assert REFUSED_EDIT not in home.get()["metadata"].get("annotations", {})


def test_a_document_that_is_refused_at_birth_makes_no_object(home: Home) -> None:
    home.write("bad.yaml", claim("../../x"))
    assert "metadata.name" in home.problem()
    home.write("bad.yaml", claim("x", schemas=5))
    assert "bad.yaml:1: DatabaseClaim shop/x: " in home.problem()
    assert home.names(CLAIM) == []


def test_two_documents_for_one_object_change_nothing(home: Home) -> None:
    home.with_claim(schemas=["app"])
    home.write("copy.yaml", claim(schemas=["b"]))
    text = home.problem()
    assert "copy.yaml:1" in text
    assert "orders.yaml:1" in text
    assert home.spec()["schemas"] == ["app"]
    home.remove("copy.yaml")
    assert home.changes() == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"data": {"password": "not base64!"}}, "data.password is not base64"),
        ({"stringData": {"../x": "a"}}, "is no key"),
        ({"stringData": {"..data": "a"}}, "is no key"),
        ({"stringData": {"port": 5432}}, "put quotes round numbers"),
        ({"stringData": ["a"]}, "are maps of keys"),
        ({"stringData": {"a": "x" * 1024 * 1024}}, "at most 1 MiB"),
    ],
)
def test_a_broken_secret_is_a_problem_that_keeps_the_last_one(
    home: Home, data: dict[str, object], sentence: str
) -> None:
    home.write("s.yaml", secret("s", "shop", password="one"))
    home.changes()
    metadata = {"name": "s", "namespace": "shop"}
    home.write("s.yaml", {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **data})
    assert sentence in home.problem()
    assert home.get(SECRET, "s")["data"] == {"password": "b25l"}


# --- what is gone ------------------------------------------------------------------------------------------------


def test_a_vanished_document_ends_its_object_under_retain(home: Home) -> None:
    home.with_claim(deletionPolicy="Retain")
    home.remove("orders.yaml")
    assert home.changes() == ["deleted DatabaseClaim shop/orders"]
    assert home.absent()


@pytest.mark.parametrize("where", ["spec", "status", "class"])
def test_a_vanished_document_under_delete_waits_to_be_confirmed(home: Home, where: str) -> None:
    home.with_claim(**({"deletionPolicy": "Delete"} if where == "spec" else {}))
    if where == "class":
        home.write("class.yaml", class_(deletionPolicy="Delete"))
    if where == "status":
        home.store.patch(CLAIM, "shop", "orders", {"status": {"deletionPolicy": "Delete"}}, subresource="status")
    home.scan()
    home.remove("orders.yaml")
    assert "`dbclaims delete DatabaseClaim/orders -n shop DIR`" in home.problem()
    home.reopen()
    assert "up --prune" in home.problem()
    assert not home.absent()
    assert home.changes(prune=True) == ["deleted DatabaseClaim shop/orders"]


def test_a_vanished_server_under_delete_waits_too(home: Home) -> None:
    home.write("class.yaml", class_())
    spec = {"provider": "existing", "engine": "postgres", "config": {}, "deletionPolicy": "Delete"}
    home.write("server.yaml", document("DatabaseServer", "shared", "platform", **spec))
    home.changes()
    home.remove("server.yaml")
    assert "DatabaseServer platform/shared: its document is gone" in home.problem()


def test_what_holds_no_data_goes_with_its_document(home: Home) -> None:
    home.write("class.yaml", class_())
    home.write("role.yaml", document("RoleClaim", "reports", claimRef={"name": "orders"}, access="reader"))
    home.changes()
    home.remove("role.yaml")
    assert home.changes() == ["deleted RoleClaim shop/reports"]
    assert home.names(ROLE) == []


def test_a_document_may_move_to_another_file(home: Home) -> None:
    home.with_claim(deletionPolicy="Delete")
    version = home.get()["metadata"]["resourceVersion"]
    (home.directory / "orders.yaml").rename(home.directory / "renamed.yaml")
    assert home.changes() == []
    assert home.get()["metadata"]["resourceVersion"] == version
    home.remove("renamed.yaml")
    assert home.problem().startswith("renamed.yaml: ")


def test_an_empty_directory_is_rather_a_lost_one(home: Home) -> None:
    home.with_claim(deletionPolicy="Retain")
    home.remove("orders.yaml")
    home.remove("class.yaml")
    assert "nothing was deleted" in home.problem()
    assert not home.absent()
    assert len(home.changes(prune=True)) == 2


def test_a_missing_directory_is_an_error_and_ends_nothing(home: Home, tmp_path: Path) -> None:
    home.with_claim()
    home.directory.rename(tmp_path / "away")
    with pytest.raises(DirectoryUnreadable, match="cannot be read"):
        home.scan()
    assert not home.absent()
    with pytest.raises(DirectoryUnreadable, match="there is no directory"):
        LocalStore(home.directory, clock=FakeClock())
    assert not home.directory.exists()
    (tmp_path / "away").rename(home.directory)
    assert home.changes() == []


def test_a_file_that_cannot_be_read_keeps_what_was_in_it(home: Home) -> None:
    home.write("class.yaml", class_())
    home.write("team/a.yaml", claim("a"))
    home.changes()
    home.remove("team/a.yaml")
    # A link to nowhere, since the machine's root may read whatever there is.
    (home.directory / "team/a.yaml").symlink_to("nowhere")
    assert "team/a.yaml: cannot be read (No such file" in home.problem()
    assert not home.absent(name="a")


def test_a_folder_that_cannot_be_read_keeps_what_was_in_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write("class.yaml", class_())
    home.write("team/a/b.yaml", claim("a"))
    home.changes()
    listing = os.scandir

    def refusing(path: str) -> object:
        if Path(path).name == "team":
            raise PermissionError(13, "Permission denied", path)
        return listing(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert "team: cannot be read (Permission denied)" in home.problem()
    assert "team: cannot be read" in home.problem()
    assert not home.absent(name="a")
    monkeypatch.undo()
    assert home.changes() == []


# --- asked to go -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["DatabaseClaim", "databaseclaims", "dbc"])
def test_a_vanished_document_is_confirmed_while_another_process_works_on_the_state(home: Home, kind: str) -> None:
    home.with_claim(deletionPolicy="Delete")
    home.remove("orders.yaml")
    home.problem()
    request_deletion(home.directory, home.state, kind, "shop", "orders")
    assert home.changes() == ["deleted DatabaseClaim shop/orders"]
    assert home.changes() == []
    home.write("orders.yaml", claim())
    assert home.changes() == ["created DatabaseClaim shop/orders"]


def test_a_wish_that_comes_before_the_second_look_is_kept_for_it(home: Home) -> None:
    home.with_claim(deletionPolicy="Delete")
    home.changes(settled=True)
    home.remove("orders.yaml")
    request_deletion(home.directory, home.state, "DatabaseClaim", "shop", "orders")
    assert home.changes(settled=True) == []
    assert home.changes(settled=True) == ["deleted DatabaseClaim shop/orders"]


def test_a_document_that_is_back_overtakes_the_wish(home: Home) -> None:
    home.with_claim(deletionPolicy="Delete")
    home.remove("orders.yaml")
    home.problem()
    request_deletion(home.directory, home.state, "DatabaseClaim", "shop", "orders")
    home.write("orders.yaml", claim(deletionPolicy="Delete"))
    assert home.changes() == []
    home.remove("orders.yaml")
    assert "its document is gone" in home.problem()


def test_a_wish_that_makes_no_sense_is_refused(home: Home) -> None:
    home.with_claim()
    with pytest.raises(Invalid, match=r"still stands in orders\.yaml:1; remove the document first"):
        request_deletion(home.directory, home.state, "DatabaseClaim", "shop", "orders")
    with pytest.raises(NotFound, match="there is no DatabaseClaim nothing in namespace shop"):
        request_deletion(home.directory, home.state, "DatabaseClaim", "shop", "nothing")
    with pytest.raises(Invalid, match="there is no kind 'Secret'"):
        request_deletion(home.directory, home.state, "Secret", "shop", "orders")
    with pytest.raises(Invalid, match=r"metadata\.name"):
        request_deletion(home.directory, home.state, "DatabaseClaim", "shop", "../../x")
    assert not (home.state / "deletions").exists()


def test_a_class_is_asked_to_go_without_a_namespace(home: Home) -> None:
    home.with_claim()
    home.remove("class.yaml")
    request_deletion(home.directory, home.state, "DatabaseClass", "ignored", "shared")
    assert home.changes() == ["deleted DatabaseClass shared"]
    assert home.absent(CLASS, "shared")


# --- while files are being saved ---------------------------------------------------------------------------------


def test_a_settled_look_waits_until_a_file_has_stopped_changing(home: Home) -> None:
    home.with_claim(deletionPolicy="Retain")
    home.remove("orders.yaml")
    assert home.changes(settled=True) == []
    home.write("orders.yaml", claim(deletionPolicy="Retain", schemas=["a"]))
    assert home.changes(settled=True) == []
    home.write("orders.yaml", claim(deletionPolicy="Retain", schemas=["a", "b"]))
    assert home.changes(settled=True) == []
    assert home.changes(settled=True) == ["changed DatabaseClaim shop/orders"]
    assert home.spec()["schemas"] == ["a", "b"]
    home.remove("orders.yaml")
    assert home.changes(settled=True) == []
    assert home.changes(settled=True) == ["deleted DatabaseClaim shop/orders"]


def test_labels_that_are_no_map_are_refused_at_birth_and_later(home: Home) -> None:
    body = claim()
    body["metadata"]["labels"] = ["a"]
    home.write("orders.yaml", body)
    assert "metadata.labels: is not a map of strings" in home.problem()
    home.write("class.yaml", class_())
    home.write("orders.yaml", claim())
    home.changes()
    home.write("orders.yaml", body)
    assert "metadata.labels: is not a map of strings" in home.problem()
