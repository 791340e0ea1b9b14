"""The breaker: a dead backend is not asked again at once, and a mended one is found within half a minute."""

from __future__ import annotations

import pytest

from dbclaims.core.breaker import LONGEST, SHORTEST, Breaker
from dbclaims.core.spi import Refused, Unreachable
from tests.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def breaker(clock: FakeClock) -> Breaker:
    return Breaker(clock)


def test_nothing_is_refused_before_anything_failed(breaker: Breaker) -> None:
    breaker.check()


def test_while_open_it_repeats_the_error_with_the_seconds_that_are_left(breaker: Breaker, clock: FakeClock) -> None:
    error = Refused("the admin is refused", reason="AdminLoginRefused")
    breaker.trip(error)
    clock.advance(1.0)
    with pytest.raises(Refused, match="the admin is refused") as raised:
        breaker.check()
    assert raised.value is not error
    assert (raised.value.reason, raised.value.retry_after) == ("AdminLoginRefused", SHORTEST - 1.0)


def test_it_lets_one_try_after_its_time_and_waits_longer_after_each_failure(breaker: Breaker, clock: FakeClock) -> None:
    waits = []
    for _ in range(6):
        breaker.trip(Unreachable("silence"))
        with pytest.raises(Unreachable) as raised:
            breaker.check()
        assert raised.value.retry_after is not None
        waits.append(raised.value.retry_after)
        clock.advance(raised.value.retry_after)
        breaker.check()
    assert waits == [SHORTEST, 2 * SHORTEST, 4 * SHORTEST, LONGEST, LONGEST, LONGEST]


def test_failures_that_overlap_count_once(breaker: Breaker, clock: FakeClock) -> None:
    for _ in range(8):
        breaker.trip(Unreachable("silence"))
    clock.advance(SHORTEST)
    breaker.check()


def test_a_success_closes_it(breaker: Breaker, clock: FakeClock) -> None:
    breaker.trip(Unreachable("silence"))
    breaker.reset()
    breaker.check()
    breaker.trip(Unreachable("silence"))
    clock.advance(SHORTEST)
    breaker.check()
