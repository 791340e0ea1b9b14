"""docs/conformance.md says what the suite is: the tested harness, every profile, and every mutant."""

from __future__ import annotations

import json
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from dbclaims.conformance.harness import EngineHarness, find
from dbclaims.conformance.report import KnownFailure
from dbclaims.conformance.server import FIELDS
from dbclaims.core.spi import Feature

from .mutants import engines, providers
from .mutants.mutant import Mutant
from .table import tabled

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "conformance.md").read_text()
SUITE = ROOT / "conformance" / "dbclaims" / "conformance" / "suite"
TESTS = {
    kind: {line[4:].split("(")[0] for file in (SUITE / kind).glob("test_*.py") for line in file.read_text().split("\n")}
    for kind in ("providers", "engines")
}


def block(language: str) -> str:
    return PAGE.split(f"```{language}\n", 1)[1].split("```", 1)[0]


def test_the_harness_on_the_page_is_the_tested_file() -> None:
    assert block("python") == (ROOT / "tests" / "plugins" / "acme" / "acme_harness.py").read_text()


def test_the_known_failure_on_the_page_is_one() -> None:
    (entry,) = tomllib.loads(block("toml"))["failure"]
    assert KnownFailure(**entry).names("test_a_change_comes_true[Tags]")


def test_the_report_on_the_page_has_the_form_of_one_that_was_kept() -> None:
    kept = json.loads((ROOT / "conformance" / "reports" / version("dbclaims") / "existing.json").read_text())
    shown = json.loads(block("json"))
    assert shown.keys() == kept.keys()
    assert {tuple(profile) for profile in shown["profiles"].values()} == {tuple(kept["profiles"]["Core"])}
    assert shown["profiles"]["Tags"]["skipped"][0] in kept["profiles"]["Tags"]["skipped"]


def test_the_table_of_mutants_is_up_to_date() -> None:
    assert tabled(PAGE) == PAGE, "run `make docs`"


def test_there_are_enough_mutants_of_both_kinds() -> None:
    assert len(providers.MUTANTS) >= 15
    assert len(engines.MUTANTS) >= 10


@pytest.mark.parametrize("mutant", providers.MUTANTS, ids=lambda mutant: mutant.name)
def test_every_broken_provider_has_a_test_of_the_suite(mutant: Mutant) -> None:
    assert mutant.killed_by in TESTS["providers"]


@pytest.mark.parametrize("mutant", engines.MUTANTS, ids=lambda mutant: mutant.name)
def test_every_broken_engine_has_a_test_of_the_suite(mutant: Mutant) -> None:
    assert mutant.killed_by in TESTS["engines"]


@pytest.mark.parametrize("kind", ["providers", "engines"])
def test_no_two_tests_of_the_suite_have_one_name(kind: str) -> None:
    files = (SUITE / kind).glob("test_*.py")
    lines = [line for file in files for line in file.read_text().splitlines() if line.startswith("def test_")]
    assert len(lines) == len({line.split("(")[0] for line in lines})


def test_every_feature_that_has_a_profile_is_on_the_page() -> None:
    # Whether a snapshot was kept cannot be seen through the SPI.
    tested = {Feature.CREATE, *FIELDS, Feature.SCHEMAS, Feature.EXTENSIONS, Feature.ROLES}
    tested |= {Feature.CONNECTION_LIMIT, Feature.ADOPTION}
    assert tested == set(Feature) - {Feature.SNAPSHOT}
    assert [feature for feature in tested if f"`{feature}`" not in PAGE] == []


@pytest.mark.parametrize("plugin", ["aws", "existing", "postgres", "mysql"])
def test_a_kept_report_tells_of_a_conformant_plugin_on_every_server(plugin: str) -> None:
    made = json.loads((ROOT / "conformance" / "reports" / version("dbclaims") / f"{plugin}.json").read_text())
    harness = find(plugin)
    assert (made["plugin"], made["verdict"]) == (plugin, "conformant")
    assert made["servers"] == list(harness.servers if isinstance(harness, EngineHarness) else harness.kinds)
