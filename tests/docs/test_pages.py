"""Every page: its blocks are valid, its commands exist, its links lead somewhere, its words are the code's."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import yaml

from dbclaims.core import plugins
from dbclaims.core.api import ANNOTATIONS, API_VERSION, RESOURCES, DeletionPolicy, validate
from dbclaims.core.api.crd import CATEGORY
from dbclaims.core.api.reasons import REASONS
from dbclaims.core.cli import parser
from dbclaims.core.config import structure_config
from dbclaims.core.kubectl.claims import cut, parse, split
from dbclaims.core.spi import Feature

from .blocks import FENCE, PAGES, REPOSITORY, Block, anchors, blocks, blocks_of, links, prose
from .meanings import CONDITIONS
from .reference import anchor
from .stalls import stalling

KUBERNETES = {
    "Secret",
    "Namespace",
    "Pod",
    "Deployment",
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Kustomization",
}
"""Kinds of Kubernetes' own that the pages show."""

PROGRAMS = {"dbclaims", "kubectl", "helm", "make", "psql", "pip", "python", "python3", "pytest"}
PROGRAMS |= {"cat", "cd", "date", "echo", "grep", "ln", "ls", "rm"}
"""What the pages call. Our own commands and kubectl's are held to their parsers below, helm's in tests/chart."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", PAGES, ids=[str(page.relative_to(REPOSITORY)) for page in PAGES])


def documents(block: Block) -> Iterator[dict[str, Any]]:
    """The YAML documents of a block."""
    return (document for document in yaml.safe_load_all(block.text) if document)


def shown(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Every document of a kind on any page, with its place."""
    found = [(block.place, document) for block in blocks("yaml") for document in documents(block)]
    return [(place, document) for place, document in found if document.get("kind") == kind]


def calls() -> Iterator[tuple[str, list[str]]]:
    """Every call of a program, with its place: in a block of shell, or behind the prompt of a session that is shown."""
    for block in blocks("sh", "text"):
        lines = block.text.replace("\\\n", " ").splitlines()
        typed = lines if block.language == "sh" else [line[2:] for line in lines if line.startswith("$ ")]
        for part in (part for line in typed for part in re.split(r" \|\|? |\$\(", line)):
            words = shlex.split(part.replace('"', " ").replace(")", " "), comments=True)
            call = list(takewhile(lambda word: word != ">", words))
            yield from [(block.place, call)] if call else []


def commands(program: str) -> list[tuple[str, list[str]]]:
    """The arguments of every call of one program."""
    return [(place, call[1:]) for place, call in calls() if call[0] == program]


def test_every_block_is_in_a_language_that_some_test_holds_to_the_code(page: Path) -> None:
    found = list(blocks_of(page))
    assert {block.language for block in found} <= {"yaml", "sh", "sql", "text", "python", "toml", "json"}
    assert len(FENCE.findall(page.read_text())) == 2 * len(found), "a fence that is no block is held to nothing"


def test_every_program_that_is_called_is_one_that_some_test_knows() -> None:
    assert {call[0].rpartition("/")[2] for _, call in calls() if "=" not in call[0]} <= PROGRAMS


def test_every_python_block_is_a_file_that_tests_run() -> None:
    files = {path.read_text() for path in (REPOSITORY / "tests" / "plugins" / "acme").glob("*.py")}
    assert [block.place for block in blocks("python") if block.text not in files] == []


def test_every_other_block_of_data_can_be_read() -> None:
    assert all(tomllib.loads(block.text) for block in blocks("toml"))
    assert all(json.loads(block.text) for block in blocks("json"))


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    asked = {call[0] for _, call in commands("make")}
    assert {"demo", "test"} <= asked <= targets


@pytest.mark.parametrize("kind", RESOURCES)
def test_every_object_of_ours_is_what_the_api_server_would_take(kind: str) -> None:
    wrong = {place: problems for place, document in shown(kind) if (problems := validate(document))}
    assert shown(kind)
    assert wrong == {}


def test_every_other_document_is_of_a_kind_that_we_know() -> None:
    # What has no kind on the page about installing is the chart's values, which tests/chart/test_docs.py gives to helm.
    every = [
        each for block in blocks("yaml") for each in documents(block) if "kind" in each or "install" not in block.place
    ]
    others = [each for each in every if each.get("apiVersion") != API_VERSION and "groups" not in each]
    assert {each["kind"] for each in others} <= KUBERNETES


def test_every_server_has_a_config_that_its_provider_takes() -> None:
    known = plugins.load().providers
    servers = [each["spec"] for _, each in shown("DatabaseServer") if each["spec"]["provider"] in known]
    assert servers
    for spec in servers:
        declared = known[spec["provider"]].info.config
        assert declared is not None
        structure_config(declared, spec["config"])


def test_every_call_of_dbclaims_is_one_that_its_parser_takes() -> None:
    calls = commands("dbclaims")
    calls += [(place, each["command"][1:]) for place, spec in _containers() for each in spec]
    assert len(calls) > 2
    for place, call in calls:
        try:
            parser().parse_args(call)
        except SystemExit:
            pytest.fail(f"{place}: dbclaims {shlex.join(call)}")


def _containers() -> list[tuple[str, list[dict[str, Any]]]]:
    return [(place, each["spec"]["template"]["spec"]["containers"]) for place, each in shown("Deployment")]


def test_every_call_of_kubectl_names_a_resource_that_exists() -> None:
    ours = {CATEGORY} | {
        name for each in RESOURCES.values() for name in (each.plural, each.kind.lower(), *each.short_names)
    }
    seen = 0
    for place, call in commands("kubectl"):
        words = list(
            takewhile(lambda word: not word.startswith("$"), (word for word in call if not word.startswith("-")))
        )
        if words[0] in ("get", "describe", "annotate", "wait", "delete"):
            seen += 1
            assert words[1].split("/")[0] in ours | {"secret", "pods", "lease"} or "--raw" in call, place
    assert seen > 3


@pytest.mark.parametrize("call", [call[1:] for _, call in commands("kubectl") if call[0] == "claims"], ids=shlex.join)
def test_every_call_of_kubectl_claims_is_one_that_its_parser_takes(call: list[str]) -> None:
    assert parse(*split(cut(call)[0])).run


def test_every_annotation_in_a_command_is_one_that_means_something() -> None:
    named = {word for block in blocks("sh") for word in re.findall(r"dbclaims\.io/\w+", block.text)}
    assert named
    assert named <= set(ANNOTATIONS)


def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        if "://" not in link:
            path, _, fragment = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            assert not fragment or fragment in anchors(target), link


def test_every_test_that_a_page_names_exists(page: Path) -> None:
    assert set(re.findall(r"`(test_\w+)`", prose(page))) - _tests() == set()


def test_every_attack_of_the_threat_model_is_made_by_a_test() -> None:
    text = (REPOSITORY / "docs" / "security.md").read_text()
    _, _, tried = text.partition("## What is tried")
    tables = tried.partition("\n## ")[0].split("\n### ")[1:]
    assert len(tables) == 6
    rows = [line for table in tables for line in table.splitlines() if line.startswith("| ")]
    attacks = [row for row in rows if not row.endswith("| held by |")]
    assert [row for row in attacks if "`test_" not in row.split(" | ")[-1]] == []


@cache
def _tests() -> set[str]:
    """The name of every test, the conformance suite's included."""
    files = [path for folder in ("tests", "conformance") for path in (REPOSITORY / folder).rglob("test_*.py")]
    return {name for path in files for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)}


@pytest.mark.parametrize("name", ["concepts.md", "operating.md", "security.md", "adopt.md", "rotate.md", "upgrade.md"])
def test_every_word_in_camel_case_on_a_page_for_users_is_one_of_ours(name: str) -> None:
    page = REPOSITORY / "docs" / name
    known = {*REASONS, *RESOURCES, *CONDITIONS, *DeletionPolicy, *Feature, *KUBERNETES}
    said = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z]\w+)*)`", prose(page)))
    alerts = {runbook.stem for runbook in PAGES if runbook.parent.name == "runbooks"}
    assert said - known - alerts == set()


def test_the_operating_page_says_what_to_do_about_every_reason_that_stalls() -> None:
    page = REPOSITORY / "docs" / "operating.md"
    assert {reason for reason in stalling() if f"reference.md#{anchor(reason)}" not in links(page)} == set()


def test_every_file_that_a_page_names_exists(page: Path) -> None:
    roots = ("", "core/dbclaims/core", "engines/dbclaims/engines", "providers/dbclaims/providers", "tests")
    named = set(re.findall(r"`([\w/]+\.py)`", prose(page).partition("## Every file")[0]))
    assert {name for name in named if not any((REPOSITORY / root / name).exists() for root in roots)} == set()


def test_the_story_of_a_claim_passes_every_reconciler() -> None:
    story = (REPOSITORY / "docs" / "architecture.md").read_text().partition("## Who may import whom")[0]
    folder = REPOSITORY / "core" / "dbclaims" / "core" / "reconcile"
    silent = {"__init__.py", "tools.py"}
    assert {path.name for path in folder.glob("*.py") if f"`reconcile/{path.name}`" not in story} == silent
