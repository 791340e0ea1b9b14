"""Databases that were there before: taken over with two consents, and never with less."""

from __future__ import annotations

import psycopg

from dbclaims.core.kinds import CLAIM, CLASS
from tests.servers.postgres import Account

from .world import World


def _legacy(world: World) -> tuple[str, Account]:
    """A database with a table, its own owner and that owner's login; the admin may act for it."""
    name = f"legacy_{world.tag}"
    owner = world.stranger("keeper")
    world.postgres.execute(f'GRANT "{owner.username}" TO "{world.admin.username}" WITH ADMIN OPTION')
    world.postgres.execute(f'CREATE DATABASE "{name}" OWNER "{owner.username}"')
    with psycopg.connect(world.postgres.dsn(owner, name), autocommit=True) as connection:
        connection.execute("CREATE TABLE remembered AS SELECT 42 AS answer")
    return name, owner


def _entry(world: World, name: str) -> dict[str, object]:
    return {"databases": [name], "namespaces": [world.named("shop")]}


def test_a_database_of_somebody_else_needs_both_consents(world: World) -> None:
    world.offer()
    name, _ = _legacy(world)
    world.claim(databaseName=name)
    world.settle()
    world.expect("Stalled", "NameTaken", name, "adopt")
    world.edit(CLAIM, "orders", adopt=True)
    world.settle()
    world.expect("Stalled", "NameTaken", "adoptable")
    world.edit(CLAIM, "orders", adopt=False)
    world.edit(CLASS, world.named("shared"), adoptable=[_entry(world, name)])
    world.settle()
    world.expect("Stalled", "NameTaken")
    world.edit(CLAIM, "orders", adopt=True)
    world.settle()
    assert world.is_current()
    world.expect("AdoptedOwner", "AdoptedOwner")
    with world.login() as connection:
        assert connection.execute("SELECT answer FROM remembered").fetchone() == (42,)


def test_adoption_changes_nobodys_password_or_login(world: World) -> None:
    name, keeper = _legacy(world)
    world.offer(adoptable=[_entry(world, name)])
    world.claim(databaseName=name, adopt=True)
    world.settle()
    assert world.is_current()
    with psycopg.connect(world.postgres.dsn(keeper, name)) as connection:
        assert connection.execute("SELECT answer FROM remembered").fetchone() == (42,)
    world.annotate(CLAIM, "orders", rotate="1")
    world.settle()
    assert world.logs_in()


def test_an_adopted_database_is_released_with_its_owner_still_in_charge(world: World) -> None:
    name, keeper = _legacy(world)
    world.offer(adoptable=[_entry(world, name)])
    world.claim(databaseName=name, adopt=True)
    world.settle()
    secret = world.secret()
    world.delete(CLAIM, "orders")
    world.settle()
    assert world.find(CLAIM, "orders") is None
    assert not world.logs_in(secret)
    with psycopg.connect(world.postgres.dsn(keeper, name)) as connection:
        assert connection.execute("SELECT answer FROM remembered").fetchone() == (42,)


def test_an_owner_that_the_admin_may_not_act_for_is_said_with_the_sql(world: World) -> None:
    name, keeper = _legacy(world)
    world.postgres.execute(f'REVOKE "{keeper.username}" FROM "{world.admin.username}"')
    world.offer(adoptable=[_entry(world, name)])
    world.claim(databaseName=name, adopt=True)
    world.settle()
    world.expect("Stalled", "AdminLacksRole", "GRANT", keeper.username)


def test_a_role_of_the_wished_name_that_is_somebody_elses_is_not_touched(world: World) -> None:
    world.offer()
    taken = world.postgres.create_login(f"{world.named('shop')}_orders_a")
    world.claim()
    world.settle()
    world.expect("Stalled", "NameTaken", taken.username)
    with psycopg.connect(world.postgres.dsn(taken)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert world.databases() == set()
