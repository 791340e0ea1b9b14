"""One profile for each feature that an engine declares."""

from __future__ import annotations

import attrs
import pytest

from dbclaims.conformance.database import DatabaseDriver, Make
from dbclaims.core.converge import armed
from dbclaims.core.spi import Access, Feature, Verdict

schemas = pytest.mark.feature(Feature.SCHEMAS)
extensions = pytest.mark.feature(Feature.EXTENSIONS)
roles = pytest.mark.feature(Feature.ROLES)
limits = pytest.mark.feature(Feature.CONNECTION_LIMIT)
adoption = pytest.mark.feature(Feature.ADOPTION)


WRITES = ("INSERT INTO orders VALUES (8)", "UPDATE orders SET n = 9", "DELETE FROM orders")
SHAPES = (
    "CREATE TABLE theirs (n INTEGER)",
    "DROP TABLE orders",
    "ALTER TABLE orders ADD m INTEGER",
    "TRUNCATE TABLE orders",
)


@schemas
def test_schemas_are_made_and_belong_to_the_owner(make: Make) -> None:
    claim = make(schemas=("app", "audit"))
    claim.create()
    contents = claim.probe().contents
    assert contents is not None
    assert {name: contents.schemas.get(name) for name in claim.schemas} == dict.fromkeys(claim.schemas, claim.owner)


@schemas
def test_a_schema_may_be_added_and_none_is_taken_away(database: DatabaseDriver) -> None:
    database.schemas = ("app", "audit")
    database.converge(database.wish(), deep=True)
    with database.login() as run:
        run("CREATE TABLE audit.log (n INTEGER)")
    database.schemas = ("app",)
    database.converge(database.wish(), deep=True)
    with database.login() as run:
        assert not run("SELECT n FROM audit.log")


@extensions
def test_an_extension_is_installed(database: DatabaseDriver) -> None:
    assert database.harness.extension, "the harness must name an extension that the server has"
    database.extensions = (database.harness.extension,)
    database.converge(database.wish(), deep=True)
    contents = database.probe().contents
    assert contents is not None
    assert database.harness.extension in contents.extensions
    database.require_working()


@roles
def test_a_reader_reads_and_does_not_write(database: DatabaseDriver) -> None:
    reader, _ = database.role_claim(Access.READER)
    database.create()
    _fill(database)
    with database.login(reader) as run:
        assert [tuple(row) for row in run("SELECT n FROM orders")] == [(7,)]
        for statement in (*WRITES, *SHAPES):
            assert database.refused(run, statement), f"a reader can {statement}"
    database.require_working()


@roles
def test_a_writer_writes_and_does_not_change_the_shape(database: DatabaseDriver) -> None:
    writer, _ = database.role_claim(Access.WRITER)
    database.create()
    _fill(database)
    with database.login(writer) as run:
        for statement in WRITES:
            assert not database.refused(run, statement), f"a writer cannot {statement}"
        for statement in SHAPES:
            assert database.refused(run, statement), f"a writer can {statement}"
    database.require_working()


@roles
def test_rights_hold_for_what_was_there_before(database: DatabaseDriver) -> None:
    _fill(database)
    reader, _ = database.role_claim(Access.READER)
    database.create()
    with database.login(reader) as run:
        assert [tuple(row) for row in run("SELECT n FROM orders")] == [(7,)]
        assert database.refused(run, WRITES[0])


@roles
def test_access_can_be_lowered(database: DatabaseDriver) -> None:
    database.role_claim(Access.WRITER)
    database.create()
    _fill(database)
    account, _ = database.role_claim(Access.READER)
    database.converge(database.wish(), deep=True)
    with database.login(account) as run:
        assert database.refused(run, WRITES[0]), "a writer that became a reader still writes"
        run("SELECT n FROM orders")


@roles
def test_a_role_claim_that_ends_takes_nothing_with_it(database: DatabaseDriver) -> None:
    account, _ = database.role_claim(Access.WRITER)
    database.create()
    _fill(database)
    own, login = database.wish().logins
    database.converge(attrs.evolve(database.wish(), logins=(own, attrs.evolve(login, drop=True))))
    assert login.role not in database.look().roles
    with pytest.raises(database.backend.refusal), database.login(account):
        pass
    database.further = ()
    database.require_working()
    with database.login() as run:
        assert [tuple(row) for row in run("SELECT n FROM orders")] == [(7,)]


@roles
def test_the_logins_of_role_claims_are_closed_with_the_database(database: DatabaseDriver) -> None:
    account, _ = database.role_claim(Access.READER)
    database.create()
    database.state, database.armed = "released", (False, False)
    own, login = database.wish().logins
    first, second = (attrs.evolve(each, login=False) for each in login.accounts)
    database.converge(attrs.evolve(database.wish(), logins=(own, attrs.evolve(login, accounts=(first, second)))))
    with pytest.raises(database.backend.refusal), database.login(account):
        pass


@limits
def test_a_connection_limit_holds_and_is_no_wrong_password(make: Make) -> None:
    claim = make(limit=1)
    claim.create()
    with claim.login() as run:
        run("SELECT 1")
        assert claim.probe().verdict is Verdict.FULL, "a limit that is reached proves nothing about the password"
    assert claim.look().roles[claim.accounts[0]].limit == 1


@limits
def test_a_connection_limit_may_change_and_end(make: Make) -> None:
    claim = make(limit=1)
    claim.create()
    for limit in (5, None):
        claim.limit = limit
        claim.converge(claim.wish())
        assert claim.look().roles[claim.accounts[0]].limit == limit
        claim.require_working()


@adoption
def test_a_database_of_another_claim_is_adopted_with_consent_and_with_its_data(
    make: Make, database: DatabaseDriver
) -> None:
    _fill(database)
    heir = make(like=database, name=database.name, claim="heir", adopt=True)
    heir.create()
    assert heir.look().mark == heir.mark
    with heir.login() as run:
        assert [tuple(row) for row in run("SELECT n FROM orders")] == [(7,)]
    assert heir.engine.plan(armed(heir.wish()), heir.look()) == ()


def _fill(database: DatabaseDriver) -> None:
    with database.login() as run:
        run("CREATE TABLE orders (n INTEGER)")
        run("INSERT INTO orders VALUES (7)")
