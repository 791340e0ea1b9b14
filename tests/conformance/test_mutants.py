"""The suite itself under test: every mutant fails by the test that was written for it, and for that reason."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.share import share

from .mutants import engines, providers
from .mutants.mutant import Mutant
from .stand import Ran, lay_out, prove

ACME_HARNESS = "tests.plugins.acme.acme_harness:HARNESS"
POSTGRES_HARNESS = "dbclaims.conformance.harnesses.postgres:HARNESS"


def prove_provider(folder: Path, mutant: Mutant | None, *options: str) -> Ran:
    """The sound provider with the mutant around it, or in its place."""
    lay_out(folder, _plugins("acme", "tests.plugins.acme.acme_provider", providers, mutant), {"acme": ACME_HARNESS})
    return prove("acme", folder, *options)


def prove_engine(folder: Path, mutant: Mutant | None, *options: str) -> Ran:
    """The same of the engine, on one server."""
    sound = f"{engines.__name__}:SOUND"
    lay_out(folder, _plugins("sound", sound, engines, mutant), {"sound": POSTGRES_HARNESS})
    return prove("sound", folder, "--servers", "17", *options)


def _plugins(name: str, sound: str, module: ModuleType, mutant: Mutant | None) -> dict[str, str]:
    if mutant is None:
        return {name: sound}
    broken = f"{module.__name__}:{mutant.name}"
    return {name: sound, "mutant": broken} if mutant.wrapper else {name: broken}


def require_killed(ran: Ran, mutant: Mutant) -> None:
    """The test written for the mutant failed, and for its reason; whatever else failed does not matter."""
    killers = {test: reason for test, reason in ran.failed.items() if test.partition("[")[0] == mutant.killed_by}
    assert killers, ran.output
    assert any(mutant.says in reason for reason in killers.values()), killers
    assert (ran.code, ran.report["verdict"]) == (1, "not conformant")


def test_the_provider_on_which_the_mutants_stand_is_conformant(tmp_path: Path) -> None:
    ran = prove_provider(tmp_path, None)
    assert (ran.code, ran.report["verdict"], ran.failed) == (0, "conformant", {}), ran.output


@pytest.mark.parametrize("mutant", share(providers.MUTANTS, 3), ids=lambda mutant: mutant.name)
def test_a_broken_provider_fails_by_the_test_written_for_it(mutant: Mutant, tmp_path: Path) -> None:
    require_killed(prove_provider(tmp_path, mutant, "-k", mutant.killed_by), mutant)


@pytest.mark.parametrize("mutant", share(engines.MUTANTS, 3), ids=lambda mutant: mutant.name)
def test_a_broken_engine_fails_by_the_test_written_for_it(mutant: Mutant, tmp_path: Path) -> None:
    require_killed(prove_engine(tmp_path, mutant, "-k", mutant.killed_by), mutant)


@pytest.mark.long
def test_the_engine_on_which_the_mutants_stand_passes_every_test_written_for_them(tmp_path: Path) -> None:
    ran = prove_engine(tmp_path, None, "-k", " or ".join(sorted({mutant.killed_by for mutant in engines.MUTANTS})))
    assert (ran.code, ran.report["verdict"], ran.failed) == (0, "incomplete", {}), ran.output


@pytest.mark.long
@pytest.mark.parametrize("mutant", providers.MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_provider_fails_a_whole_run_by_the_same_test(mutant: Mutant, tmp_path: Path) -> None:
    require_killed(prove_provider(tmp_path, mutant), mutant)
