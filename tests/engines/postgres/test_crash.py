"""Killed between any two statements: the next pass sees the world and goes on (DESIGN.md §1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import psycopg
import pytest
from psycopg.errors import DuplicateObject
from psycopg.sql import SQL

from dbclaims.core.spi import RELEASED, Access, SPIError, Verdict
from dbclaims.engines.postgres.quoting import identifier
from dbclaims.engines.postgres.session import atomically

from .conftest import MakeWorld
from .world import World, without_verifiers


class Killed(BaseException):
    """The process ended here."""


def _killed_after(patch: pytest.MonkeyPatch, count: int, work: Callable[[], object]) -> bool:
    """Do the work with its connection cut after `count` statements; whether it was cut."""
    execute, left = psycopg.Connection.execute, [count]

    def counted(self: psycopg.Connection[Any], *arguments: Any, **options: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            self.close()
            raise Killed
        return execute(self, *arguments, **options)

    with patch.context() as patched:
        patched.setattr(psycopg.Connection, "execute", counted)
        try:
            work()
        except (Killed, SPIError):
            return True
    return False


@pytest.fixture
def shop(new_world: MakeWorld) -> World:
    """Return a claim with a RoleClaim, not made yet."""
    shop = new_world(extensions=("citext",))
    shop.role_claim("bi", {"app": Access.READER})
    return shop


def _spec(world: World) -> Any:
    return world.spec(world.verifier(world.a))


def test_making_it_survives_every_death(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for count in range(60):
        cut = _killed_after(monkeypatch, count, lambda: shop.converge(_spec(shop)))
        shop.converge(_spec(shop))
        shop.converge(without_verifiers(shop.spec()), deep=True)
        assert shop.deep().contents.grants[f"{shop.name}_bi"] == {"app": Access.READER}  # type: ignore[union-attr]
        if shop.server.installation.major >= 15:
            assert shop.deep().contents.schemas["public"] == shop.owner  # type: ignore[union-attr]
        shop.converge(None)
        if not cut:
            assert count > 10
            return
    pytest.fail("it never came to its end")


def test_dropping_it_survives_every_death(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for count in range(60):
        shop.converge(_spec(shop))
        cut = _killed_after(monkeypatch, count, lambda: shop.converge(None))
        shop.converge(None)
        assert shop.observe() is None
        if not cut:
            return
    pytest.fail("it never came to its end")


def test_releasing_it_survives_every_death(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for count in range(60):
        shop.converge(_spec(shop))
        released = attrs.evolve(shop, state=RELEASED)
        cut = _killed_after(monkeypatch, count, lambda world=released: world.converge(world.spec()))  # type: ignore[misc]
        released.converge(released.spec())
        assert shop.probe().verdict is Verdict.CLOSED
        if not cut:
            return
    pytest.fail("it never came to its end")


def test_a_statement_that_is_refused_undoes_the_rest_and_leaves_the_connection_its_lock(world: World) -> None:
    made, taken = identifier(f"{world.name}_half"), identifier(world.session.holder)
    statements = [SQL("CREATE ROLE {}").format(made), SQL("CREATE ROLE {}").format(taken)]
    # So many that the refusal arrives while the rest is still being sent.
    statements += [SQL("COMMENT ON ROLE {} IS {}").format(made, "x" * 1000)] * 2000
    with world.session.maintenance() as connection:
        connection.execute("SELECT pg_advisory_lock(7)")
        with pytest.raises(DuplicateObject):
            atomically(connection, statements)
        assert connection.execute("SELECT pg_advisory_unlock(7)").fetchone() == (True,)
    assert not world.server.execute("SELECT FROM pg_roles WHERE rolname = %s", [f"{world.name}_half"])
