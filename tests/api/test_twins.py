"""The table of cases against the Python twins, as the local home asks them. test_apiserver.py asks the API server."""

import pytest

from dbclaims.core.api import Problem, validate

from .cases import CASES, CLAIM, Case


def problems(case: Case) -> list[Problem]:
    return validate(case.document(), None if case.old is None else case.document(case.old))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.says}")
def test_the_twins_give_the_verdict_of_the_table(case: Case) -> None:
    found = problems(case)
    assert (not found) == case.valid, found
    assert all(case.path in str(problem) for problem in found), found


def test_every_case_has_a_name_of_its_own() -> None:
    names = [(case.kind, case.says) for case in CASES]
    assert len(set(names)) == len(names)


def test_omitting_setting_and_clearing_is_no_way_round_immutability() -> None:
    named, unnamed = (Case("x", "DatabaseClaim", CLAIM | extra).document() for extra in ({"databaseName": "a"}, {}))
    assert [problem.reason for problem in validate(unnamed, named)] == ["Immutable"]
    assert [problem.reason for problem in validate(named, unnamed)] == ["Immutable"]
    assert validate(named, named) == validate(unnamed, unnamed) == []


def test_a_status_in_a_document_is_not_looked_at() -> None:
    document = Case("x", "DatabaseClaim", CLAIM).document() | {"status": {"conditions": "nonsense"}}
    assert validate(document) == []


def test_a_document_of_another_kind_is_refused_with_the_kinds_that_there_are() -> None:
    document = Case("x", "DatabaseClaim", CLAIM).document()
    assert "DatabaseClaim" in validate(document | {"kind": "Database"})[0].message
    assert "v1alpha1" in validate(document | {"apiVersion": "dbclaims.io/v1"})[0].message
