"""Pinned binaries are checked before they are unpacked; `needed` is strict in CI alone.

Not covered: npm's own behaviour and the network.
"""

from pathlib import Path

import pytest

from ..conftest import needed
from ..parts import MissingPart
from . import installation as subject


def test_an_archive_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "postgres.tgz"
    archive.write_bytes(b"something else")
    with pytest.raises(MissingPart, match=r"postgres\.tgz is not what installation\.lock\.json pins"):
        subject._verify(archive, "sha512-AAAA")


def test_a_version_that_nobody_offers_is_missing_with_the_way_to_get_it() -> None:
    with pytest.raises(MissingPart, match="apt-get install postgresql-9"):
        subject.installation(9)


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_part_fails_in_ci_and_skips_elsewhere(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)

    def make() -> None:
        raise MissingPart("no such program here")

    with pytest.raises(outcome, match="no such program here"):
        needed(make)
