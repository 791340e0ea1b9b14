"""Killed between any two statements: the next pass sees the world and goes on (DESIGN.md §1)."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pymysql
import pytest

from dbclaims.core.spi import RELEASED, Access, SPIError, Verdict
from dbclaims.engines.mysql.dial import Line

from .world import World, without_verifiers

MANY = 60
"""More statements than any of these works takes."""


class Killed(BaseException):
    """The process ended here."""


def _killed_after(patch: pytest.MonkeyPatch, count: int, work: Callable[[], object]) -> bool:
    """Do the work with its connection cut before the statement after `count` changes; whether it was cut."""
    run, left = Line.run, [count]

    def counted(self: Line, statement: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            self.close()
            raise Killed
        run(self, statement)

    with patch.context() as patched:
        patched.setattr(Line, "run", counted)
        try:
            work()
        except (Killed, SPIError, pymysql.err.Error):
            return True
    return False


@pytest.fixture
def shop(world: World) -> World:
    """Return a claim with a RoleClaim, not made yet."""
    world.role_claim("bi", Access.READER)
    return world


def _every_death(patch: pytest.MonkeyPatch, work: Callable[[], object], check: Callable[[], None]) -> int:
    """Kill the work after each number of changes in turn, check what can be done then; return how many there were."""
    for count in range(MANY):
        cut = _killed_after(patch, count, work)
        check()
        if not cut:
            return count
    raise AssertionError("it never ends")


def test_making_it_survives_every_death(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def check() -> None:
        shop.create()
        assert shop.probe().verdict is Verdict.ACCEPTED
        assert shop.probe(account=f"{shop.name}_bi_a").verdict is Verdict.ACCEPTED
        assert shop.look().mark == shop.mark
        assert shop.converge(without_verifiers(shop.spec())) == []
        shop.converge(None)
        assert shop.observe() is None

    assert _every_death(monkeypatch, shop.create, check) > 5


def test_releasing_it_survives_every_death(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    released = attrs.evolve(shop, state=RELEASED)
    shop.create()

    def check() -> None:
        released.converge(without_verifiers(released.spec()))
        assert shop.probe().verdict is Verdict.CLOSED
        assert shop.grants() == {}
        shop.create()
        assert shop.probe().verdict is Verdict.ACCEPTED

    assert _every_death(monkeypatch, lambda: released.converge(without_verifiers(released.spec())), check) > 3


def test_dropping_it_survives_every_death(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.create()

    def check() -> None:
        shop.converge(None)
        assert shop.observe() is None
        shop.create()

    assert _every_death(monkeypatch, lambda: shop.converge(None), check) > 3
