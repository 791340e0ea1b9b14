"""Every page: its YAML is valid, its commands exist, its links lead somewhere, and its words are words of the code."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
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
from dbclaims.core.spi import Feature

from .blocks import PAGES, REPOSITORY, Block, anchors, blocks, links, prose
from .meanings import CONDITIONS
from .reference import anchor
from .stalls import stalling

KUBERNETES = {
    "Secret",
    "Namespace",
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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "page" in metafunc.fixturenames:
        pages = [*PAGES, *sorted(REPOSITORY.glob("*.md"))]
        metafunc.parametrize("page", pages, ids=[page.name for page in pages])


def documents(block: Block) -> Iterator[dict[str, Any]]:
    """The YAML documents of a block."""
    return (document for document in yaml.safe_load_all(block.text) if document)


def shown(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Every document of a kind on any page, with its place."""
    found = [(block.place, document) for block in blocks("yaml") for document in documents(block)]
    return [(place, document) for place, document in found if document.get("kind") == kind]


def commands(program: str) -> list[tuple[str, list[str]]]:
    """The arguments of every call of a program in a shell block, with its place."""
    words = [(block.place, line) for block in blocks("sh") for line in block.text.splitlines()]
    calls = [(place, part) for place, line in words for part in re.split(r" \| |\$\(", line)]
    split = [(place, shlex.split(part.replace('"', " ").replace(")", " "))) for place, part in calls]
    return [(place, call[1:]) for place, call in split if call and call[0] == program]


def test_every_block_is_in_a_language_that_some_test_holds_to_the_code() -> None:
    assert {block.language for block in blocks()} <= {"yaml", "sh", "sql", "text", "python", "toml"}


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
        if words[0] in ("get", "describe", "annotate", "wait"):
            seen += 1
            assert words[1].split("/")[0] in ours | {"secret", "pods", "lease"} or "--raw" in call, place
    assert seen > 3


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


@pytest.mark.parametrize("name", ["concepts.md", "operating.md", "security.md"])
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
    roots = ("", "core/dbclaims/core", "engines/dbclaims/engines", "providers/dbclaims/providers")
    named = set(re.findall(r"`([\w/]+\.py)`", prose(page).partition("## Every file")[0]))
    assert {name for name in named if not any((REPOSITORY / root / name).exists() for root in roots)} == set()


def test_the_story_of_a_claim_passes_every_reconciler() -> None:
    story = (REPOSITORY / "docs" / "architecture.md").read_text().partition("## Who may import whom")[0]
    folder = REPOSITORY / "core" / "dbclaims" / "core" / "reconcile"
    silent = {"__init__.py", "tools.py"}
    assert {path.name for path in folder.glob("*.py") if f"`reconcile/{path.name}`" not in story} == silent
