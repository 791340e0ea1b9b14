"""The core profile: hostile names, and what an application's login must not be able to do."""

from __future__ import annotations

import attrs
import pytest

from dbclaims.conformance.database import DatabaseDriver, Make
from dbclaims.core.spi import InvalidSpec

HOSTILE = {
    "quotes": "\"'`",
    "a statement": '"; DROP ROLE x; --',
    "another statement": "`; DROP DATABASE x; #",
    "a comment": "/*x*/--",
    "a placeholder": "%s{0}%(x)s",
    "a pattern": "a_b%c",
    "a backslash": "\\'\\",
    "letters of other alphabets": "заказы注文",
    "a combined letter": "e\u0301",
    "capital letters": "OrdersEU",
    "spaces": " a b ",
    "a path": "../../x",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_name_is_served_exactly_or_refused(make: Make, name: str) -> None:
    neighbour = make()
    neighbour.create()
    state = neighbour.backend.state()
    claim = make(like=neighbour, name=f"{neighbour.name[-6:]}{name}", claim="hostile")
    try:
        claim.create()
    except InvalidSpec:
        assert claim.backend.state() == state, "a name that is refused must leave nothing behind"
        return
    claim.require_working()
    claim.drop()
    assert claim.backend.state() == state, "something else than what was named was changed"


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, ""], ids=["NUL", "300 letters", "nothing"])
def test_a_name_that_no_server_can_hold_is_refused(make: Make, name: str) -> None:
    claim = make(name=name)
    state = claim.backend.state()
    with pytest.raises(InvalidSpec):
        list(claim.steps(claim.wish(a=claim.verifier("any"))))
    assert claim.backend.state() == state, "a name that is refused must leave nothing behind"


def test_an_application_does_not_get_at_more_than_its_own(make: Make, database: DatabaseDriver) -> None:
    assert database.harness.attacks, "the harness must name statements by which a login may try"
    neighbour = make(like=database, claim="stock")
    neighbour.create()
    standing, theirs = _settled(database), _settled(neighbour)
    names = {"database": database.name, "owner": database.owner}
    names |= dict(zip(("account", "other"), database.accounts, strict=True))
    for attack in database.harness.attacks:
        with database.login() as run:
            database.refused(run, attack.format(**names))
        database.converge(database.wish(a=database.verifier(database.accounts[0])), deep=True)
        database.require_working()
        assert _settled(database) == standing, f"not undone by the next pass: {attack}"
        assert _settled(neighbour) == theirs, f"it reached another claim's database: {attack}"
    neighbour.require_working()


def test_an_application_does_not_drop_the_database_of_another(make: Make, database: DatabaseDriver) -> None:
    neighbour = make(like=database, claim="stock")
    neighbour.create()
    with neighbour.login() as run:
        assert neighbour.refused(run, f"DROP DATABASE {database.name}"), "a login can drop another's database"


def test_an_application_makes_neither_databases_nor_logins(database: DatabaseDriver) -> None:
    with database.login() as run:
        assert database.refused(run, f"CREATE DATABASE {database.name}x"), "a login can make databases"
        assert database.refused(run, f"CREATE USER {database.name}x"), "a login can make logins"


def _settled(database: DatabaseDriver) -> object:
    """What stands, without what is different at every look."""
    observed = database.look()
    return attrs.evolve(observed, roles={n: attrs.evolve(r, sessions=0) for n, r in observed.roles.items()})
