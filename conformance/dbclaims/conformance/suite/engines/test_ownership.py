"""The core profile: what is somebody else's stays somebody else's, and this server is known again."""

from __future__ import annotations

import secrets

import attrs
import pytest

from dbclaims.conformance.database import DatabaseDriver, Make
from dbclaims.core.spi import RELEASED, NotOwned, Terminal


def test_the_mark_is_read_as_it_was_written(database: DatabaseDriver) -> None:
    assert database.look().mark == database.mark


def test_a_claim_that_was_applied_anew_is_the_same_owner(make: Make, database: DatabaseDriver) -> None:
    again = make(like=database, name=database.name, uid="another-uid", password=database.password)
    again.create()
    assert again.look().mark == again.mark, "the mark's uid is for people, and follows the object"
    again.require_working()


def test_a_database_of_a_stranger_is_left_alone(claim: DatabaseDriver) -> None:
    claim.backend.execute(f"CREATE DATABASE {claim.name}")
    _require_refused(claim)
    with pytest.raises(NotOwned):
        claim.drop()
    claim.backend.execute(f"DROP DATABASE {claim.name}")


@pytest.mark.parametrize("field", ["claim", "nsuid"])
def test_a_database_of_another_claim_is_left_alone(make: Make, database: DatabaseDriver, field: str) -> None:
    other = make(like=database, name=database.name, **{field: "another"})
    _require_refused(other)
    database.require_working()


def test_a_database_of_another_installation_is_left_alone(make: Make, database: DatabaseDriver) -> None:
    _require_refused(make(name=database.name))
    database.require_working()


def test_a_refusal_does_not_say_whose_it_is(make: Make, database: DatabaseDriver) -> None:
    other = make(like=database, name=database.name, claim="another")
    with pytest.raises(NotOwned) as caught:
        other.create()
    for told in (database.mark.nsuid, database.mark.ns, database.mark.uid, database.mark.name):
        assert told not in str(caught.value).split(), "a name's owner is not told to a stranger"


def test_a_server_keeps_the_identity_that_it_was_given(database: DatabaseDriver) -> None:
    assert database.identity
    assert database.engine.hold(database.session, secrets.token_hex(8)) == database.identity
    assert database.engine.survey(database.session).identity == database.identity


def test_two_installations_know_a_server_by_identities_of_their_own(make: Make, database: DatabaseDriver) -> None:
    other = make()
    assert other.identity != database.identity
    assert other.engine.survey(other.session).identity == other.identity


def test_another_server_is_never_taken_for_this_one(database: DatabaseDriver) -> None:
    state, identity = database.backend.state(), database.identity
    database.identity = "of-another-server"
    with pytest.raises(Terminal) as caught:
        database.observe()
    assert caught.value.reason == "ServerChanged"
    assert database.backend.state() == state
    database.identity = identity
    database.require_working()


def test_a_server_says_whether_anything_on_it_is_ours(make: Make) -> None:
    claim = make()
    assert not claim.engine.survey(claim.session).marked
    claim.create()
    assert claim.engine.survey(claim.session).marked
    other = make()
    assert not other.engine.survey(other.session).marked, "what another installation made is not ours"


def test_a_server_says_which_version_it_is(claim: DatabaseDriver) -> None:
    survey = claim.engine.survey(claim.session)
    assert survey.version[:1].isdecimal()
    assert not survey.read_only


def test_a_released_database_keeps_its_data_and_lets_nobody_in(database: DatabaseDriver) -> None:
    with database.login() as run:
        run("CREATE TABLE orders (n INTEGER)")
        run("INSERT INTO orders VALUES (7)")
        _release(database)
        with pytest.raises(database.backend.refusal):
            run("SELECT n FROM orders")
    assert database.look().mark == attrs.evolve(database.mark, state=RELEASED)
    with pytest.raises(database.backend.refusal), database.login():
        pass


def test_a_released_database_is_taken_back_with_its_data(database: DatabaseDriver) -> None:
    with database.login() as run:
        run("CREATE TABLE orders (n INTEGER)")
        run("INSERT INTO orders VALUES (7)")
    _release(database)
    database.state, database.armed = "held", (True, None)
    database.create()
    database.require_working()
    with database.login() as run:
        assert [tuple(row) for row in run("SELECT n FROM orders")] == [(7,)]


def _release(database: DatabaseDriver) -> None:
    database.state, database.armed = RELEASED, (False, False)
    for _ in range(2):
        database.converge(database.wish())


def _require_refused(claim: DatabaseDriver) -> None:
    state = claim.backend.state()
    with pytest.raises(NotOwned):
        claim.create()
    assert claim.backend.state() == state, "what belongs to somebody else must not be changed"
