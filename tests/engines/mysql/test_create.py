"""A claim becomes a database: what stands then, what it costs, and that doing it again changes nothing."""

from __future__ import annotations

import pytest

from dbclaims.core.spi import Verdict
from dbclaims.engines import mysql as engine

from .conftest import MakeWorld
from .world import World


def test_nothing_is_observed_where_nothing_is(world: World) -> None:
    assert world.observe() is None


@pytest.mark.parametrize("superuser", [False, True], ids=["hosted", "superuser"])
def test_a_claim_becomes_a_database_whose_login_works(new_world: MakeWorld, superuser: bool) -> None:
    world = new_world(superuser=superuser)
    world.create()
    assert world.probe().verdict is Verdict.ACCEPTED
    assert world.plan(world.spec(), world.look()) == ()
    with world.login() as cursor:
        cursor.execute("CREATE TABLE t (id INT PRIMARY KEY)")
        cursor.execute("INSERT INTO t VALUES (1)")
        cursor.execute("SELECT id FROM t")
        assert cursor.fetchall() == ((1,),)
