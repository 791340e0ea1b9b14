"""What the recorder saw: a whole life here, and every call of the tests before."""

from __future__ import annotations

from contextlib import suppress

import pytest

from dbclaims.conformance.database import DatabaseDriver, Make
from dbclaims.conformance.recorder import Offence
from dbclaims.core.spi import Credentials


@pytest.fixture(autouse=True)
def life(make: Make, claim: DatabaseDriver) -> None:
    """Lead a database's life with its mishaps; what the plugin raises on the way is the recorder's business."""
    claim.create()
    claim.probe()
    claim.probe(password="a-wrong-password")
    claim.recorder.guard("a-wrong-password", "a-wrong-admin-password")
    claim.reopen(admin=Credentials(claim.backend.admin.username, "a-wrong-admin-password"))
    with suppress(Exception):
        claim.observe()
    claim.reopen()
    with claim.outage(), suppress(Exception):
        claim.observe()
    with suppress(Exception):
        make(name=claim.name).create()
    claim.engine.survey(claim.session)
    claim.engine.sessions(claim.session, claim.ref)
    claim.drop()


def test_no_secret_shows_in_an_error_a_log_or_a_result(claim: DatabaseDriver) -> None:
    _require_none(claim, Offence.SHOWN)


def test_apply_never_waits(claim: DatabaseDriver) -> None:
    _require_none(claim, Offence.WAITED)


def test_a_hook_that_reads_changes_nothing(claim: DatabaseDriver) -> None:
    _require_none(claim, Offence.CHANGED)


def test_only_errors_of_the_spi_are_raised(claim: DatabaseDriver) -> None:
    _require_none(claim, Offence.FOREIGN)


def test_no_hook_takes_longer_than_it_may(claim: DatabaseDriver) -> None:
    _require_none(claim, Offence.SLOW)


def _require_none(claim: DatabaseDriver, offence: Offence) -> None:
    found = claim.recorder.found(offence)
    assert not found, "; ".join(found)
