"""The suite itself under test: every mutant fails by exactly the tests that are there to find it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .mutants import providers
from .mutants.mutant import Mutant
from .stand import lay_out, prove

ACME_HARNESS = "tests.plugins.acme.acme_harness:HARNESS"


def test_the_provider_on_which_the_mutants_stand_is_conformant(tmp_path: Path) -> None:
    lay_out(tmp_path, {"acme": "tests.plugins.acme.acme_provider"}, {"acme": ACME_HARNESS})
    ran = prove("acme", tmp_path)
    assert (ran.code, ran.failed) == (0, {}), ran.output


@pytest.mark.parametrize("mutant", providers.MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_provider_fails_by_the_test_written_for_it(mutant: Mutant, tmp_path: Path) -> None:
    module = f"tests.conformance.mutants.providers:{mutant.name}"
    sound = {"acme": "tests.plugins.acme.acme_provider", "mutant": module} if mutant.wrapper else {"acme": module}
    lay_out(tmp_path, sound, {"acme": ACME_HARNESS})
    ran = prove("acme", tmp_path, "-k", mutant.killed_by.partition("[")[0])
    assert mutant.says in ran.failed[mutant.killed_by]
    assert (ran.code, ran.report["verdict"]) == (1, "not conformant")
