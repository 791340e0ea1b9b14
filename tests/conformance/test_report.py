"""What a run says: the report, its verdicts, known failures, and the one-line refusals of wrong usage."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dbclaims.conformance.__main__ import main
from dbclaims.conformance.report import CORE, KnownFailuresError, Result, known_failures, report, verdict
from dbclaims.core.plugins import Listing

from .stand import REPOSITORY, Ran, lay_out, prove

ACME = {"acme": "tests.plugins.acme.acme_provider"}
LIAR = {"acme": "tests.conformance.mutants.providers:Liar"}
FORGER = {"acme": "tests.conformance.mutants.providers:Moody"}
HARNESS = {"acme": "tests.plugins.acme.acme_harness:HARNESS"}


def known(folder: Path, *tests: str) -> str:
    path = folder / "known.toml"
    path.write_text(
        "".join(f'[[failure]]\ntest = "{test}"\nreason = "since May"\nurl = "https://x/1"\n' for test in tests)
    )
    return str(path)


# --- verdicts ----------------------------------------------------------------------------------------------------


def test_a_profile_without_a_passed_test_is_unsupported_and_never_a_success() -> None:
    results = [Result("a", CORE, "passed"), Result("b", "Resize", "skipped", "not declared")]
    made = report(Listing("x", "provider", "d", "1"), (), results, "today", complete=True)
    assert made["profiles"]["Resize"]["result"] == "unsupported"
    assert made["profiles"]["Resize"]["skipped"] == [{"test": "b", "reason": "not declared"}]
    assert made["conformant"]


@pytest.mark.parametrize(
    ("results", "complete", "said"),
    [
        ([Result("a", CORE, "passed")], True, "conformant"),
        ([Result("a", CORE, "passed")], False, "incomplete"),
        ([], True, "incomplete"),
        ([Result("b", "Resize", "passed")], True, "incomplete"),
        ([Result("a", CORE, "passed"), Result("b", "Resize", "failed")], True, "not conformant"),
        ([Result("a", CORE, "passed"), Result("b", "Resize", "known")], True, "conformant"),
        ([Result("a", CORE, "passed"), Result("b", CORE, "known")], True, "not conformant"),
        ([Result("a", CORE, "passed"), Result("b", CORE, "skipped")], True, "not conformant"),
    ],
)
def test_a_verdict_needs_the_whole_core_profile(results: list[Result], complete: bool, said: str) -> None:
    assert verdict(results, complete=complete) == said


# --- known failures ----------------------------------------------------------------------------------------------


def test_a_known_failure_of_a_feature_is_told_and_does_not_change_the_verdict(tmp_path: Path) -> None:
    lay_out(tmp_path, LIAR, HARNESS)
    resize = ("test_a_change_comes_true", "test_a_changed_server_stays_as_it_is")
    ran = prove("acme", tmp_path, "-k", " or ".join(resize), "--known-failures", known(tmp_path, *resize))
    assert (ran.code, ran.failed) == (0, {}), ran.output
    told = ran.report["profiles"]["Resize"]["knownFailures"]
    assert {each["test"] for each in told} == {f"{test}[Resize]" for test in resize}
    assert told[0]["reason"] == "since May https://x/1"


def test_a_known_failure_of_the_core_profile_is_no_excuse(tmp_path: Path) -> None:
    lay_out(tmp_path, FORGER, HARNESS)
    name = "test_planning_is_pure"
    ran = prove("acme", tmp_path, "-k", name, "--known-failures", known(tmp_path, name))
    assert ran.report["verdict"] == "not conformant"


def test_a_known_failure_that_passes_is_a_failure(tmp_path: Path) -> None:
    lay_out(tmp_path, ACME, HARNESS)
    name = "test_planning_is_pure"
    ran = prove("acme", tmp_path, "-k", name, "--known-failures", known(tmp_path, name))
    assert (ran.code, list(ran.failed)) == (1, [name])


@pytest.mark.parametrize("text", ["[[failure]]\nname = 1", "no toml", '[[failure]]\ntest = "x"'])
def test_a_file_of_known_failures_that_says_nothing_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text)
    with pytest.raises(KnownFailuresError, match=r"write .*failure.* with test, reason and url"):
        known_failures(path)


# --- kinds of server ---------------------------------------------------------------------------------------------


def test_a_provider_is_proved_on_every_kind_of_server_that_its_harness_names(tmp_path: Path) -> None:
    lay_out(tmp_path, ACME, {"acme": "tests.conformance.kinds:ALIKE"})
    ran = prove("acme", tmp_path, "-k", "test_planning_is_pure")
    assert (ran.code, ran.report["servers"]) == (0, ["postgres", "second"]), ran.output
    assert ran.report["profiles"][CORE]["passed"] == 2
    only = prove("acme", tmp_path, "--servers", "second", "-k", "test_planning_is_pure")
    assert (only.report["servers"], only.report["profiles"][CORE]["passed"]) == (["second"], 1)


def test_what_a_kind_of_server_is_said_to_lack_must_be_refused(tmp_path: Path) -> None:
    lay_out(tmp_path, ACME, {"acme": "tests.conformance.kinds:LACKING"})
    ran = prove("acme", tmp_path, "-k", "test_a_change_comes_true")
    assert list(ran.failed) == ["test_a_change_comes_true[second-Resize]"], ran.output
    assert "DID NOT RAISE" in ran.failed["test_a_change_comes_true[second-Resize]"]


# --- usage -------------------------------------------------------------------------------------------------------


def test_an_unknown_plugin_is_refused_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["nosuch"]) == 2
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert "no plugin named 'nosuch' is installed (there are: " in line


def test_a_plugin_without_a_harness_is_refused_in_one_line(tmp_path: Path) -> None:
    lay_out(tmp_path, ACME, {})
    ran = prove("acme", tmp_path)
    assert ran.code == 2
    assert ran.output == (
        "ERROR: plugin 'acme' has no harness; name one in the entry-point group 'dbclaims.conformance'\n\n"
    )


@pytest.mark.parametrize(
    ("harness", "told"),
    [
        ("tests.plugins.nosuch", "does not load: No module named 'tests.plugins.nosuch'"),
        ("tests.plugins.acme.acme_harness", "is no ProviderHarness and no EngineHarness"),
        ("dbclaims.conformance.harnesses.postgres:HARNESS", "must be of ProviderHarness"),
    ],
)
def test_a_harness_that_is_none_is_refused_in_one_line(tmp_path: Path, harness: str, told: str) -> None:
    lay_out(tmp_path, ACME, {"acme": harness})
    ran = prove("acme", tmp_path)
    assert (ran.code, len(ran.output.strip().splitlines())) == (2, 1)
    assert told in ran.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dbclaims.conformance.suite"], "conformant"),
        (["dbclaims.conformance.suite.providers.test_core"], "incomplete"),
        (["dbclaims.conformance.suite.providers.test_core::test_planning_is_pure"], "incomplete"),
        (["dbclaims.conformance.suite", "-k", "planning"], "incomplete"),
    ],
)
def test_a_run_of_pytest_says_the_same_and_a_part_proves_nothing(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    lay_out(tmp_path, ACME, HARNESS)
    path = os.pathsep.join([str(tmp_path), str(REPOSITORY), *filter(None, sys.path)])
    command = [sys.executable, "-m", "pytest", "-q", "--plugin", "acme", "--pyargs", *arguments]
    ran = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout
    assert f"provider acme: {said}" in ran.stdout


def test_the_suite_does_not_run_on_nothing() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--pyargs", "dbclaims.conformance.suite"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 4
    assert "needs a plugin's name: --plugin NAME" in ran.stderr


# --- the built-in provider ---------------------------------------------------------------------------------------


@pytest.fixture
def existing(tmp_path: Path) -> Ran:
    return prove("existing", tmp_path)


def test_the_provider_existing_is_conformant_and_the_report_says_who_and_when(existing: Ran) -> None:
    assert existing.code == 0, existing.output
    made = existing.report
    assert (made["plugin"], made["kind"], made["distribution"], made["spi"]) == ("existing", "provider", "dbclaims", 1)
    assert (made["conformant"], made["profiles"][CORE]["result"]) == (True, "passed")
    assert made["profiles"]["Create"]["result"] == "unsupported"
    assert made["date"].startswith("20")


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.parametrize("engine", ["postgres", "mysql"])
def test_the_built_in_engines_are_conformant_on_every_server(tmp_path: Path, engine: str) -> None:
    ran = prove(engine, tmp_path)
    assert (ran.code, ran.failed) == (0, {}), ran.output
