"""`report`: what goes in is an allow-list, no Secret's value is fetched, and what looks like a secret stops it."""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from dbclaims.core.api import RESOURCES
from dbclaims.core.api.kinds import document_schema
from dbclaims.core.kinds import CLAIM, CLASS, SECRET
from dbclaims.core.kubectl.allowed import reported
from dbclaims.core.kubectl.leaks import Known, of_environment, resemblances
from dbclaims.core.secrets import PASSWORD_LENGTH
from tests.integration.world import World

from .conftest import Person

CLAIMS = 20


@pytest.fixture
def crowd(world: World) -> Person:
    """Twenty claims that are Ready, one with a further login."""
    world.offer()
    for number in range(CLAIMS):
        world.claim(f"claim-{number:02}")
    world.grant()
    world.role(claim="claim-00")
    world.settle()
    return Person(world)


def _texts(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def _values(world: World) -> set[str]:
    """Every password, URI and DSN that stands in a Secret of this world, the admin's among them."""
    found = set()
    for place in ("shop", "bi", "platform"):
        listed = world.cluster.request("GET", f"/api/v1/namespaces/{world.named(place)}/secrets")[1]["items"]
        for secret in listed:
            data = {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}
            found |= {data[key] for key in ("password", "uri", "dsn") if key in data}
    return found


def test_a_report_of_a_running_system_holds_no_secret(crowd: Person, tmp_path: Path) -> None:
    world, path = crowd.world, tmp_path / "report.zip"
    position = world.cluster.audit_position()
    said = crowd.says("report", "-A", "-f", str(path))
    assert said.code == 0, said.err
    read = [each for each in world.cluster.audit_since(position) if each.user_agent == "kubectl-claims"]
    assert [(each.verb, each.name) for each in read if each.resource == "secrets"] == [("list", "")]
    assert not any(each.is_write for each in read)
    texts = _texts(path)
    whole = "\n".join((*texts, *texts.values(), said.out, said.err))
    values = _values(world) | {world.admin.password, world.cluster.token(), world.installation.lock_key.hex()}
    assert len(values) > 3 * CLAIMS
    assert {value for value in values if value in whole or base64.b64encode(value.encode()).decode() in whole} == set()
    shop = world.named("shop")
    assert sum(name.startswith(f"databaseclaims/{shop}/claim-") for name in texts) == CLAIMS
    assert sum(name.startswith(f"secrets/{shop}/claim-") for name in texts) == CLAIMS
    assert path.stat().st_mode & 0o777 == 0o600


def test_with_verify_it_is_searched_for_what_the_secrets_hold(crowd: Person, tmp_path: Path) -> None:
    world = crowd.world
    said = crowd.says("report", "-f", str(tmp_path / "report.zip"), "--verify")
    assert said.code == 0, said.err
    found = int(said.out.partition("0 of ")[2].partition(" ")[0])
    assert found >= 3 * CLAIMS
    # A word of nobody's making, such as an admin's own password: only who knows it can find it.
    world.put_secret("claim-03", ns="shop", type_="Opaque", password="correct horse")
    world.patch(SECRET, "claim-03", {"metadata": {"labels": {"app.kubernetes.io/managed-by": "dbclaims"}}})
    world.patch_status(CLAIM, "claim-04", {"databaseName": "the correct horse"})
    assert crowd.says("report", "-f", str(tmp_path / "blind.zip")).code == 0
    said = crowd.says("report", "-f", str(tmp_path / "seen.zip"), "--verify")
    assert (said.code, said.out) == (1, "")
    assert f"databaseclaims/{world.named('shop')}/claim-04.json holds a known secret" in said.err
    assert not (tmp_path / "seen.zip").exists()


def test_where_somebody_works_is_no_secret() -> None:
    environ = {"PWD": "/home/me", "OLDPWD": "/", "PGPASSWORD": "mine", "MYSQL_PWD": "too"}
    assert of_environment(environ) == ["mine", "too"]


@pytest.mark.parametrize(
    ("planted", "sort"),
    [
        ("Zk3_" * (PASSWORD_LENGTH // 4), "a password of ours"),
        ("postgresql://orders_a:hunter2@db/orders", "a URI with a password"),
        ("host=db password=hunter2", "a DSN with a password"),
        ("-----BEGIN EC PRIVATE KEY-----", "a private key"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0", "a bearer token"),
    ],
)
def test_what_looks_like_a_secret_stops_the_report(person: Person, tmp_path: Path, planted: str, sort: str) -> None:
    path = tmp_path / "report.zip"
    person.world.patch_status(CLAIM, "orders", {"pending": [{"action": "note", "why": f"see {planted}"}]})
    said = person.says("report", "-f", str(path))
    assert (said.code, said.out, path.exists()) == (1, "", False)
    assert f"holds what looks like {sort}" in said.err
    assert planted not in said.err


def test_the_login_that_brought_us_here_stops_it_too(person: Person, tmp_path: Path) -> None:
    person.world.patch_status(CLAIM, "orders", {"databaseName": person.world.cluster.token()})
    said = person.says("report", "-f", str(tmp_path / "report.zip"))
    assert (said.code, "holds a known secret" in said.err) == (1, True)


def test_what_is_not_for_our_eyes_is_named(person: Person, tmp_path: Path) -> None:
    said = Person(person.world, "developer").says("report", "-f", str(tmp_path / "report.zip"))
    assert said.code == 0, said.err
    assert "Skipped (not for your eyes): databaseclaims, " in said.out
    assert list(_texts(tmp_path / "report.zip")) == ["report.json"]


def test_a_file_that_is_there_is_kept_unless_told(person: Person, tmp_path: Path) -> None:
    path = tmp_path / "report.zip"
    path.write_text("mine")
    assert person.says("report", "-f", str(path)).code == 1
    assert path.read_text() == "mine"
    assert person.says("report", "-f", str(path), "--force").code == 0
    assert "report.json" in _texts(path)


def test_only_what_the_list_names_is_let_through() -> None:
    metadata = {
        "name": "x",
        "annotations": {"dbclaims.io/paused": "true", "team.example/note": "s3cret"},
        "selfLink": "y",
    }
    document: dict[str, Any] = {"kind": "DatabaseServer", "metadata": metadata, "data": {"password": "x"}}
    document["spec"] = {
        "provider": "existing",
        "config": {"host": "db", "apiKey": "x", "tls": {"mode": "disable", "x": 1}},
    }
    document["status"] = {"version": "17", "surprise": "x", "conditions": [{"type": "Ready", "extra": "x"}]}
    assert reported(document) == {
        "kind": "DatabaseServer",
        "metadata": {"name": "x", "annotations": {"dbclaims.io/paused": "true"}},
        "spec": {"provider": "existing", "config": {"host": "db", "tls": {"mode": "disable"}}},
        "status": {"version": "17", "conditions": [{"type": "Ready"}]},
    }
    assert reported({"kind": "Secret", "metadata": {"name": "x"}, "data": {"a": "b"}, "type": "t"}) == {
        "kind": "Secret",
        "metadata": {"name": "x"},
    }


@pytest.mark.parametrize("kind", RESOURCES)
def test_every_field_that_is_let_through_is_one_of_the_kind_s(kind: str) -> None:
    """A misspelt word would let nothing through, and nobody would miss it."""
    schema = document_schema(kind)
    for part in ("spec", "status"):
        known = schema.properties[part].properties
        full = {name: {"x": 1} for name in known}
        let = reported({"kind": kind, "metadata": {}, part: dict.fromkeys(full, "x")}).get(part, {})
        assert set(let) <= set(known)
        assert let, f"{kind}.{part}"


def test_secrets_are_found_in_the_forms_in_which_texts_carry_them() -> None:
    known = Known(["p@ss word", "short"])
    assert len(known) == 1
    encoded = base64.b64encode(b"p@ss word").decode()
    for text in ("see p@ss word", "postgresql://x:p%40ss%20word@y", f'{{"password": "{encoded}"}}'):
        assert known.stands_in(text) == 1
    assert known.stands_in("p@ssword") == 0


@pytest.mark.parametrize(
    "text",
    [CLASS.api_version, "a" * 43, "0123456789abcdef" * 4, json.dumps({"password": "********"}), "postgresql://host/db"],
)
def test_what_is_no_secret_is_not_taken_for_one(text: str) -> None:
    assert resemblances(text) == []
