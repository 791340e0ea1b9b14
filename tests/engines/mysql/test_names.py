"""Hostile names and passwords: what is made is exactly what was named, or nothing is.

A share runs in every test run; DBCLAIMS_LONG=1 makes it thousands.
"""

from __future__ import annotations

import os
import secrets
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dbclaims.core.spi import TLS, Credentials, Endpoint, InvalidSpec, SPIError, Verdict
from dbclaims.engines import mysql as engine
from dbclaims.engines.mysql.quoting import ACCOUNT_LIMIT, account, identifier, pattern
from dbclaims.engines.mysql.steps import CreateDatabase, DropAccounts, DropDatabase, MarkRole, action
from tests.servers.mysql import MySQLServer

from .conftest import MakeWorld
from .world import World

LONG = bool(os.environ.get("DBCLAIMS_LONG"))
pytestmark = pytest.mark.timeout(1800 if LONG else 180)
PROFILE = settings(
    max_examples=3000 if LONG else 25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
HOSTILE = ["`; DROP DATABASE mysql; --", "'; DROP USER root; --", "x" * 65, "../../x", "a\0b", "\ud800", "", "a ", "\\"]
NAMES = st.one_of(
    st.text(max_size=70), st.text(alphabet="`\"';\\-$ %_{}\0\n\tab@", max_size=40), st.sampled_from(HOSTILE)
)
PASSWORDS = st.text(alphabet=st.characters(min_codepoint=1, max_codepoint=0x17F), max_size=60)


def _accounts(server: MySQLServer) -> set[tuple[str, str]]:
    return set(server.execute("SELECT User, Host FROM mysql.user"))


def _databases(server: MySQLServer) -> set[str]:
    return {name for (name,) in server.execute("SELECT schema_name FROM information_schema.schemata")}


@PROFILE
@given(name=NAMES)
@example(name="`; DROP USER root; --")
@example(name="\\\n")
@example(name="\n")
@example(name="a\\")
@example(name="emoji \U0001f600")
def test_an_account_is_made_as_named_or_refused(claim: World, name: str) -> None:
    before = _accounts(claim.server)
    step = action("createRole", "", MarkRole(name, claim.mark.write(), create=True))
    try:
        engine.engine_apply(session=claim.session, ref=claim.ref, action=step)
    except SPIError:
        assert _accounts(claim.server) == before
        return
    assert _accounts(claim.server) == before | {(name, "%")}
    engine.engine_apply(session=claim.session, ref=claim.ref, action=action("dropRoles", "", DropAccounts((name,))))
    assert _accounts(claim.server) == before


@PROFILE
@given(name=NAMES)
@example(name="`; DROP DATABASE mysql; --")
@example(name="\\_%")
@example(name="emoji \U0001f600")
def test_a_database_is_made_as_named_or_refused(claim: World, name: str) -> None:
    before = _databases(claim.server)
    other = World(claim.server, claim.session, name)
    try:
        engine.engine_apply(session=claim.session, ref=other.ref, action=action("createDatabase", "", CreateDatabase()))
    except SPIError:
        assert _databases(claim.server) == before
        return
    assert _databases(claim.server) == before | {name}
    engine.engine_apply(session=claim.session, ref=other.ref, action=action("dropDatabase", "", DropDatabase()))
    assert _databases(claim.server) == before


@PROFILE
@given(password=PASSWORDS)
@example(password="'; DROP USER root; --")
@example(password="\\' %s {}")
def test_a_password_logs_in_as_it_is_or_is_refused(claim: World, password: str) -> None:
    try:
        engine.engine_verifier(login=Credentials(claim.a, password))
    except InvalidSpec:
        assert not (password and password.isascii() and password.isprintable())
        return
    claim.password = password
    claim.create()
    assert claim.probe().verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("name", ["`; DROP x; --", "Grüße ' \" \\", "select", "%s {}", "a.b/c", "x\\_y%"])
def test_a_whole_claim_stands_under_a_hostile_name(new_world: MakeWorld, name: str) -> None:
    world = new_world(name=f"{name} {secrets.token_hex(3)}")
    world.create()
    assert world.probe().verdict is Verdict.ACCEPTED
    with world.login() as cursor:
        cursor.execute("CREATE TABLE t (id INT)")
        cursor.execute("SELECT DATABASE()")
        assert cursor.fetchall() == ((world.name,),)
    assert world.converge(world.spec()) == []
    world.converge(None)
    assert world.observe() is None


@given(name=NAMES)
def test_a_name_is_quoted_whole_or_refused(name: str) -> None:
    for quote in (identifier, account):
        try:
            quoted = quote(name).removesuffix("@'%'")
        except InvalidSpec:
            continue
        assert quoted[0] == quoted[-1] == "`"
        assert quoted[1:-1].replace("``", "`") == name
        assert quote is identifier or len(name) <= ACCOUNT_LIMIT


@given(name=st.text("ab_%\\", max_size=12))
def test_an_escaped_pattern_is_the_name_again_when_read(name: str) -> None:
    read, letters = "", iter(pattern(name, literal=False))
    for letter in letters:
        assert letter not in "_%"
        read += next(letters) if letter == "\\" else letter
    assert read == name
    assert pattern(name, literal=True) == name


@given(
    password=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1), database=st.text("aß '\"/?@\\")
)
def test_the_uri_says_the_same_as_the_keys(password: str, database: str) -> None:
    endpoint = Endpoint("db.example", 3307, TLS(ca="PEM"))
    keys = engine.engine_connection(
        endpoint=endpoint, database=database, login=Credentials("us er@x", password), ca_path="/etc/db/ca.crt"
    )
    found = urlsplit(keys["uri"])
    assert (unquote(found.username or ""), unquote(found.password or "")) == ("us er@x", password)
    assert (found.hostname, found.port, unquote(found.path[1:])) == ("db.example", 3307, database)
    assert parse_qs(found.query) == {"ssl-mode": ["VERIFY_IDENTITY"], "ssl-ca": ["/etc/db/ca.crt"]}
    named = {"type", "host", "port", "database", "username", "password", "sslmode", "uri", "dsn", "ca.crt"}
    assert keys.keys() == named


def test_the_dsn_is_the_go_drivers() -> None:
    endpoint = Endpoint("::1", 3306, TLS())
    keys = engine.engine_connection(endpoint=endpoint, database="a/b", login=Credentials("u", "p@:w"), ca_path=None)
    assert keys["dsn"] == "u:p@:w@tcp([::1]:3306)/a%2Fb?tls=true"
    assert "ca.crt" not in keys
