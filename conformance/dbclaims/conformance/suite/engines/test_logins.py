"""The core profile: two accounts that take turns, and a login that is repaired on proof only."""

from __future__ import annotations

import string

import pytest

from dbclaims.conformance.database import DatabaseDriver, Make
from dbclaims.core.spi import Credentials, Verdict

PASSWORD = "".join(sorted({*string.printable} - {*string.whitespace})) + " x"
"""Every character that a password may have."""


def test_a_verifier_does_not_hold_the_password(database: DatabaseDriver) -> None:
    verifier = database.engine.verifier(Credentials(database.accounts[0], "hunter2-hunter2"))
    assert "hunter2" not in verifier, "the password itself must not travel: compute what the server stores"


def test_both_accounts_log_in_during_a_rotation(database: DatabaseDriver) -> None:
    first, second = database.accounts
    database.armed = (None, True)
    database.converge(database.wish(b=database.verifier(second, "the-second-password")))
    assert database.probe(first).verdict is Verdict.ACCEPTED, "the old login must go on working"
    assert database.probe(second, "the-second-password").verdict is Verdict.ACCEPTED
    with database.login(first) as run:
        run("CREATE TABLE orders (n INTEGER)")
    with database.login(second, password="the-second-password") as run:
        run("INSERT INTO orders VALUES (7)")
        run("DROP TABLE orders")


def test_a_rotation_ends_no_session_of_the_old_login(database: DatabaseDriver) -> None:
    with database.login() as run:
        database.armed = (None, True)
        database.converge(database.wish(b=database.verifier(database.accounts[1])))
        run("SELECT 1")


def test_the_old_login_is_closed_after_a_rotation(database: DatabaseDriver) -> None:
    first, second = database.accounts
    database.armed = (None, True)
    database.converge(database.wish(b=database.verifier(second)))
    database.armed = (False, True)
    database.converge(database.wish())
    assert database.probe(first).verdict is Verdict.CLOSED
    database.require_working(second)


def test_the_login_rotates_back_to_its_first_account(database: DatabaseDriver) -> None:
    first, second = database.accounts
    for armed, verifier in [((None, True), {"b": second}), ((False, True), {}), ((True, None), {"a": first})]:
        database.armed = armed
        database.converge(database.wish(**{key: database.verifier(name) for key, name in verifier.items()}))
    database.require_working(first)


def test_the_open_connections_of_each_account_are_counted(database: DatabaseDriver) -> None:
    first, second = database.accounts
    with database.login() as run:
        run("SELECT 1")
        counted = database.engine.sessions(database.session, database.ref)
    assert (counted[first], counted.get(second, 0)) == (1, 0)


def test_a_password_may_hold_every_printable_character(claim: DatabaseDriver) -> None:
    claim.password = PASSWORD
    claim.create()
    claim.require_working()


def test_a_secret_is_the_same_each_time(database: DatabaseDriver) -> None:
    secret = database.secret()
    assert database.secret() == secret
    wanted = {"type", "host", "port", "database", "username", "password", "uri"}
    assert secret.keys() >= wanted, f"the Secret lacks {', '.join(sorted(wanted - secret.keys()))}"
    assert (secret["database"], secret["username"]) == (database.name, database.accounts[0])


def test_a_wrong_password_is_refused(database: DatabaseDriver) -> None:
    assert database.probe(password="not-the-password").verdict is Verdict.REFUSED


def test_a_login_that_does_not_exist_is_not_said_to_have_a_wrong_password(claim: DatabaseDriver) -> None:
    assert claim.probe().verdict in (Verdict.CLOSED, Verdict.UNKNOWN)


def test_a_login_that_was_disabled_is_not_said_to_have_a_wrong_password(database: DatabaseDriver) -> None:
    database.armed = (False, None)
    database.converge(database.wish())
    assert database.probe(password="not-the-password").verdict is Verdict.CLOSED


def test_a_login_does_not_reach_the_database_of_another(make: Make, database: DatabaseDriver) -> None:
    other = make(like=database, claim="stock")
    other.create()
    with pytest.raises(database.backend.refusal), database.login(database=other.name):
        pass


def test_what_somebody_broke_is_mended_by_the_next_pass(database: DatabaseDriver) -> None:
    assert database.harness.damages, "the harness must name what a superuser may break"
    for what, statements in database.harness.damages.items():
        account, other = database.accounts
        names = {"database": database.name, "owner": database.owner, "account": account, "other": other}
        for statement in statements:
            database.backend.execute(statement.format(**names))
        database.converge(database.wish(a=database.verifier(account)), deep=True)
        try:
            database.require_working()
        except AssertionError as error:
            raise AssertionError(f"not mended: {what}: {error}") from error
