"""The reference page: up to date, complete, and nothing in it that the code does not do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dbclaims.core.api import ANNOTATIONS, RESOURCES, SECRET_KEYS
from dbclaims.core.api.kinds import document_schema
from dbclaims.core.api.reasons import REASONS
from dbclaims.core.drift import DRIFTED

from . import generate, meanings
from .blocks import REPOSITORY
from .fields import rows
from .reference import reference

SOURCES = [path for folder in ("core", "providers", "engines") for path in (REPOSITORY / folder).rglob("*.py")]


def _code(*without: str) -> str:
    return "\n".join(path.read_text() for path in SOURCES if path.name not in without)


def test_the_pages_are_what_the_code_says() -> None:
    assert generate.main(["--check"]) == 0


def test_check_fails_and_names_the_difference_when_the_page_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "reference.md"
    monkeypatch.setattr(generate, "REFERENCE", old)
    old.write_text(reference().replace("`spec.className`", "`spec.klass`"))
    assert generate.main(["--check"]) == 1
    assert "spec.klass" in capsys.readouterr().out
    assert "spec.klass" in old.read_text()
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


@pytest.mark.parametrize("kind", RESOURCES)
def test_every_field_has_a_meaning(kind: str) -> None:
    schema = document_schema(kind)
    found = [row for part in ("spec", "status") for row in rows(schema.properties[part], part)]
    assert found
    assert [row.path for row in found if not row.text.endswith((".", "…"))] == []


def test_every_immutable_field_says_how_else() -> None:
    found = {row.path: row.text for row in rows(document_schema("DatabaseClaim").properties["spec"], "spec")}
    assert "**Immutable**: moving a database is a migration" in found["spec.className"]
    assert "**Immutable**" not in found["spec.secretName"]


def test_every_reason_can_happen() -> None:
    code = _code("reasons.py")
    assert {reason for reason in REASONS if f'"{reason}"' not in code} == set()


def test_every_event_is_explained_and_none_that_is_never_written() -> None:
    told = set(re.findall(r'\.tell\([\w.]+, (?:reason=)?"(\w+)"', _code()))
    report = (REPOSITORY / "core" / "dbclaims" / "core" / "reconcile" / "report.py").read_text()
    turned = set(re.findall(r'return "(\w+)", f?"', report))
    assert {f"`{reason}`" for reason in told | turned | {"Available", DRIFTED}} == {
        reason for reason in meanings.EVENTS if " " not in reason
    }


def test_every_annotation_that_people_may_write_is_explained() -> None:
    assert set(meanings.ANNOTATIONS) == set(ANNOTATIONS)


def test_every_name_of_ours_on_an_object_is_explained() -> None:
    named = set(re.findall(r'^([A-Z_]+(?:_ANNOTATION|_LABEL)) = f"\{GROUP\}/([a-z-]+)"', _code(), re.MULTILINE))
    assert {f"dbclaims.io/{word}" for _, word in named} == set(meanings.WRITTEN)


def test_every_key_of_the_secret_is_explained_in_its_order() -> None:
    assert tuple(meanings.SECRET_KEYS) == SECRET_KEYS


@pytest.mark.parametrize("attribute", meanings.IDLE_FIELDS)
def test_a_field_that_is_said_to_be_without_effect_is_read_by_nothing(attribute: str) -> None:
    assert not re.search(rf"\bspec\.{attribute}\b", _code())


def test_every_metric_of_the_page_is_one_that_the_process_exports() -> None:
    page = reference().partition("## Metrics")[2]
    assert {"workqueue_depth", "dbclaims_last_pass_age_seconds"} <= set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))
