"""The core profile: one controller at a time per database, and no work without the lock."""

from __future__ import annotations

import time

import pytest

from dbclaims.conformance.database import DatabaseDriver, Make
from dbclaims.core.spi import SPIError, Transient


def test_two_controllers_do_not_work_on_one_database(make: Make, claim: DatabaseDriver) -> None:
    other = make(like=claim, name=claim.name)
    started = time.monotonic()
    with (
        claim.engine.lock(claim.session, claim.ref),
        pytest.raises(Transient) as caught,
        other.engine.lock(other.session, other.ref),
    ):
        pytest.fail("two controllers hold one lock")
    assert caught.value.reason == "LockHeld"
    assert time.monotonic() - started < 10, "the wait for a lock must be bounded"


def test_two_databases_are_worked_on_at_once(make: Make, claim: DatabaseDriver) -> None:
    other = make(like=claim, claim="stock")
    with claim.engine.lock(claim.session, claim.ref), other.engine.lock(other.session, other.ref) as session:
        assert other.engine.observe(session, other.ref) is None


def test_a_lock_is_given_back(make: Make, claim: DatabaseDriver) -> None:
    other = make(like=claim, name=claim.name)
    with pytest.raises(ZeroDivisionError), claim.engine.lock(claim.session, claim.ref):
        raise ZeroDivisionError
    with other.engine.lock(other.session, other.ref) as session:
        assert other.engine.observe(session, other.ref) is None


def test_nothing_goes_on_under_a_lost_lock(claim: DatabaseDriver) -> None:
    spec = claim.wish(a=claim.verifier(claim.accounts[0]))
    action = claim.engine.plan(spec, None)[0]
    with claim.engine.lock(claim.session, claim.ref) as session:
        claim.backend.sever()
        with pytest.raises(SPIError):
            claim.engine.apply(session, claim.ref, action)
    assert claim.observe() is None, "something was made although the lock was lost"
    claim.create()
    claim.require_working()
