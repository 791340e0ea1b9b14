"""The core profile: from nothing to a database and back, whenever the process dies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest

from dbclaims.conformance.database import DatabaseDriver, Make
from dbclaims.core.converge import armed


def test_the_description_is_the_same_each_time(claim: DatabaseDriver) -> None:
    assert claim.engine.call("engine_info") == claim.engine.info


def test_a_database_that_nobody_made_is_none(claim: DatabaseDriver) -> None:
    assert claim.observe() is None, "where neither database nor role exists, engine_observe must answer None"


def test_a_claim_becomes_a_database_whose_secret_logs_in(claim: DatabaseDriver) -> None:
    claim.create()
    assert claim.look().present
    claim.require_working()
    with claim.login() as run:
        run("CREATE TABLE orders (n INTEGER)")
        run("INSERT INTO orders VALUES (7)")
        assert [tuple(row) for row in run("SELECT n FROM orders")] == [(7,)]


def test_a_settled_database_has_an_empty_plan(database: DatabaseDriver) -> None:
    for _ in range(3):
        assert database.plan() == (), "a settled database must have an empty plan"


def test_a_pass_over_a_settled_database_changes_nothing(database: DatabaseDriver) -> None:
    state = database.backend.state()
    database.converge(armed(database.wish()), deep=True)
    assert database.backend.state() == state


def test_planning_is_pure(database: DatabaseDriver) -> None:
    observed, state = database.look(), database.backend.state()
    spec = database.wish(a=database.verifier(database.accounts[0]))
    for desired, seen in [(spec, None), (spec, observed), (None, observed), (None, None)]:
        again = database.engine.plan(desired, seen)
        assert database.engine.plan(desired, seen) == again, "engine_plan must answer the same each time"
    assert database.backend.state() == state, "engine_plan must change nothing"


def test_every_action_may_be_applied_again(claim: DatabaseDriver) -> None:
    spec = claim.wish(a=claim.verifier(claim.accounts[0]))
    assert list(claim.steps(spec, repeat=True)), "a wished database that is absent must have a plan"
    claim.require_working()


def test_a_creation_goes_on_in_a_process_that_knows_nothing(make: Make) -> None:
    whole = make()
    number = len(list(whole.steps(whole.wish(a=whole.verifier(whole.accounts[0])))))
    for done in range(1, number):
        claim = make()
        list(islice(claim.steps(claim.wish(a=claim.verifier(claim.accounts[0]))), done))
        assert claim.observe() is not None, "what is half made is not absent"
        claim.reopen()
        claim.create()
        claim.require_working()


def test_a_dropped_database_is_none_again(database: DatabaseDriver) -> None:
    with database.login() as run:
        run("CREATE TABLE orders (n INTEGER)")
    database.drop()
    assert database.observe() is None, "what was dropped must be observed as None"
    with pytest.raises(database.backend.refusal), database.login():
        pass


def test_nothing_is_left_of_a_dropped_database(make: Make) -> None:
    neighbour = make()
    state = neighbour.backend.state()
    claim = make(like=neighbour)
    claim.create()
    claim.drop()
    assert claim.backend.state() == state, "a role, a right or a setting was left behind"


def test_a_drop_may_be_repeated(claim: DatabaseDriver) -> None:
    claim.create()
    assert list(claim.steps(None, repeat=True)), "a database that is to go must have a plan"
    claim.drop()
    assert claim.observe() is None


def test_a_drop_goes_on_in_a_process_that_knows_nothing(make: Make) -> None:
    whole = make()
    whole.create()
    for done in range(1, len(list(whole.steps(None)))):
        claim = make()
        claim.create()
        list(islice(claim.steps(None), done))
        claim.reopen()
        claim.drop()
        assert claim.observe() is None


def test_nothing_is_done_to_end_what_never_was(claim: DatabaseDriver) -> None:
    assert claim.engine.plan(None, None) == (), "there is nothing to do about what is absent and not wished"


def test_a_database_can_be_made_again_after_its_end(database: DatabaseDriver) -> None:
    database.drop()
    database.create()
    database.require_working()


def test_the_end_of_one_database_is_not_that_of_another(make: Make, database: DatabaseDriver) -> None:
    other = make(like=database, claim="stock")
    other.create()
    database.drop()
    other.require_working()


def test_several_threads_share_a_session(database: DatabaseDriver) -> None:
    observed = database.look()
    with database.recorder.unread(), ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda _: database.look(), range(12))) == [observed] * 12


def test_a_claim_of_the_longest_name_is_served(make: Make, claim: DatabaseDriver) -> None:
    info = claim.engine.info
    longest = make(name=claim.name.ljust(info.name_limit, "x"))
    longest.create()
    longest.require_working()
    almost = make(like=longest, name=longest.name[:-1], claim="other")
    assert almost.observe() is None, "a name was cut: two claims would meet in one database"
