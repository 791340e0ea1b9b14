"""A snapshot answers as the store did, and refuses every write; documents are laid over it as applying them would."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
import yaml

from dbclaims.core.kinds import CLAIM, CLASS, NAMESPACE, SECRET
from dbclaims.core.local import propose
from dbclaims.core.objectstore import Forbidden, Object
from dbclaims.core.snapshot import Snapshot

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def claim(name: str = "orders", namespace: str = "shop", **spec: object) -> Object:
    """A claim as it is applied."""
    metadata = {"name": name, "namespace": namespace}
    body = {"className": "shared", **spec}
    return {"apiVersion": CLAIM.api_version, "kind": CLAIM.kind, "metadata": metadata, "spec": body}


def stored(document: Object) -> Object:
    """The same as a store holds it."""
    found = {"uid": "u1", "generation": 3, "resourceVersion": "17", **document["metadata"]}
    return {**document, "metadata": found, "status": {"observedGeneration": 3, "databaseName": "orders"}}


def written(folder: Path, *documents: Object) -> list[str]:
    """A file with these documents."""
    path = folder / "documents.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return [str(path)]


def test_it_lists_and_gets_what_it_was_given() -> None:
    snapshot = Snapshot(
        [stored(claim()), stored(claim("more", "bi"))], lambda namespace, name: {"of": [namespace, name]}
    )
    names = [orjson.loads(item)["metadata"]["name"] for item in snapshot.list(CLAIM).items]
    assert names == ["orders", "more"]
    assert len(snapshot.list(CLAIM, namespace="bi").items) == 1
    assert snapshot.get(CLAIM, "shop", "orders") == stored(claim())
    assert snapshot.get(CLAIM, "shop", "nothing") is None
    assert snapshot.get(SECRET, "shop", "orders") == {"of": ["shop", "orders"]}


@pytest.mark.parametrize("write", ["create", "replace", "patch", "delete", "watch"])
def test_it_refuses_every_write(write: str) -> None:
    snapshot = Snapshot([], lambda *_: None)
    with pytest.raises(Forbidden, match="a plan only reads"):
        getattr(snapshot, write)(CLAIM, "shop", "orders", {})


def test_an_edit_keeps_uid_and_status_and_counts_the_generation_up(tmp_path: Path) -> None:
    proposal = propose([stored(claim())], written(tmp_path, claim(schemas=["app"])), NOW)
    ((kind, old, new),) = proposal.changes
    assert (kind, old) == (CLAIM, stored(claim()))
    assert new["metadata"]["uid"] == "u1"
    assert new["metadata"]["generation"] == 4
    assert new["status"]["databaseName"] == "orders"
    assert new["spec"]["schemas"] == ["app"]
    assert list(proposal.objects) == [new]


def test_a_document_that_changes_nothing_concerns_nobody(tmp_path: Path) -> None:
    once = propose([stored(claim())], written(tmp_path, claim()), NOW).objects
    ((_, old, new),) = propose(once, written(tmp_path, claim()), NOW).changes
    assert old is not None
    assert old["metadata"]["generation"] == new["metadata"]["generation"]
    assert old["spec"] == new["spec"]


def test_a_refused_document_is_a_problem_and_leaves_the_object_as_it_is(tmp_path: Path) -> None:
    proposal = propose([stored(claim())], written(tmp_path, claim(className="another")), NOW)
    assert proposal.changes == ()
    assert list(proposal.objects) == [stored(claim())]
    assert "className" in str(proposal.problems[0])


def test_a_secret_among_the_documents_is_found_and_kept_apart(tmp_path: Path) -> None:
    metadata = {"name": "admin", "namespace": "platform"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"username": "u"}}
    proposal = propose([], written(tmp_path, secret), NOW)
    assert proposal.secrets["Secret", "platform", "admin"]["data"] == {"username": "dQ=="}
    assert proposal.objects == ()


@pytest.mark.parametrize("make", [True, False])
def test_a_namespace_is_there_with_its_first_object_only_in_a_directory(tmp_path: Path, make: bool) -> None:
    proposal = propose([], written(tmp_path, claim()), NOW, make_namespaces=make)
    assert [each["metadata"]["name"] for each in proposal.objects if each["kind"] == NAMESPACE.kind] == ["shop"] * make


def test_a_class_is_laid_over_as_well(tmp_path: Path) -> None:
    reference = {"name": "shared", "namespace": "platform"}
    body = {"apiVersion": CLASS.api_version, "kind": CLASS.kind, "metadata": {"name": "own"}}
    proposal = propose([], written(tmp_path, {**body, "spec": {"serverRef": reference}}), NOW)
    assert [each["metadata"]["name"] for each in proposal.objects] == ["own"]
