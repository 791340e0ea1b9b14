"""Hostile names and passwords: what is made is exactly what was named, or nothing is.

A share runs in every test run; DBCLAIMS_LONG=1 makes it ten thousand.
"""

from __future__ import annotations

import os

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from dbclaims.core.spi import TLS, Credentials, Endpoint, InvalidSpec, SPIError
from dbclaims.engines import postgres as engine
from dbclaims.engines.postgres.quoting import NAME_LIMIT, identifier
from dbclaims.engines.postgres.steps import AccountChange, ChangeLogin, DropRoles, action
from tests.servers.postgres import PostgresServer

from .conftest import MakeWorld
from .world import World

LONG = bool(os.environ.get("DBCLAIMS_LONG"))
pytestmark = pytest.mark.timeout(1800 if LONG else 180)
PROFILE = settings(
    max_examples=5000 if LONG else 40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

INJECTION = '"; DROP ROLE postgres; --'
HOSTILE = [INJECTION, "x" * 64, "ä" * 32, "../../x", "a\0b", "\ud800", "none", "", "select"]
NAMES = st.one_of(
    st.text(max_size=70),
    st.text(alphabet="\"';\\-$ %{}\0\n\tab", max_size=70),
    st.sampled_from(HOSTILE),
)
PRINTABLE = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=1)
PASSWORDS = st.text(alphabet=st.characters(min_codepoint=1, max_codepoint=0x17F), max_size=60)


def _role_names(server: PostgresServer) -> set[str]:
    return {name for (name,) in server.execute("SELECT rolname FROM pg_roles")}


@PROFILE
@given(name=NAMES)
@example(name=INJECTION)
def test_a_role_is_made_as_named_or_refused(claim: World, name: str) -> None:
    before = _role_names(claim.server)
    step = ChangeLogin(claim.owner, accounts=(AccountChange(name, claim.owner, create=True, login=False, settle=True),))
    try:
        engine.engine_apply(session=claim.session, ref=claim.ref, action=action("createLogin", "", step))
    except SPIError:
        assert _role_names(claim.server) == before
        return
    assert _role_names(claim.server) == before | {name}
    assert name not in before
    drop = action("dropRoles", "", DropRoles((name,)))
    engine.engine_apply(session=claim.session, ref=claim.ref, action=drop)
    assert _role_names(claim.server) == before


@PROFILE
@given(password=PASSWORDS)
@example(password="'; DROP ROLE postgres; --")
@example(password="\\' $1 %s {}")
def test_a_password_logs_in_as_it_is_or_is_refused(claim: World, password: str) -> None:
    try:
        engine.engine_verifier(login=Credentials(claim.a, password))
    except InvalidSpec:
        assert not (password and password.isascii() and password.isprintable())
        return
    claim.password = password
    claim.create()
    with claim.login() as connection:
        assert connection.execute("SELECT current_user").fetchone() == (claim.owner,)


@pytest.mark.parametrize("name", ['"; DROP ROLE x; --', "Grüße ' \" \\", "select", "%s {} $1", "a b", "-c role=none"])
def test_a_whole_claim_stands_under_a_hostile_name(new_world: MakeWorld, name: str) -> None:
    world = new_world(name=f"{name} {os.getpid()}", schemas=(name, "app"))
    world.create()
    assert world.probe().acts_as == world.owner
    assert world.converge(world.spec(), deep=True) == []
    world.converge(None)
    assert world.observe() is None


@given(name=NAMES)
def test_a_name_is_quoted_whole_or_refused(name: str) -> None:
    try:
        quoted = identifier(name).as_string(None)
    except InvalidSpec:
        return
    assert len(name.encode()) <= NAME_LIMIT
    assert quoted[0] == quoted[-1] == '"'
    assert quoted[1:-1].replace('""', '"') == name


@given(password=PRINTABLE, database=st.text("aß '\"/?@\\"))
def test_uri_and_dsn_say_the_same_as_the_keys(password: str, database: str) -> None:
    login = Credentials("us er@x", password)
    endpoint = Endpoint("db.example", 6432, TLS(ca="PEM"))
    keys = engine.engine_connection(endpoint=endpoint, database=database, login=login, ca_path="/etc/db/ca.crt")
    for form in (keys["uri"], keys["dsn"]):
        found = conninfo_to_dict(form)
        assert (found["user"], found["password"]) == (login.username, password)
        assert found.get("dbname", "") == database
        assert (found["host"], found["port"]) == ("db.example", "6432")
        assert (found["sslmode"], found["sslrootcert"]) == ("verify-full", "/etc/db/ca.crt")
    assert keys["ca.crt"] == "PEM"
    named = {"type", "host", "port", "database", "username", "password", "sslmode", "uri", "dsn", "ca.crt"}
    assert keys.keys() == named


def test_without_a_mounted_ca_no_path_is_named() -> None:
    endpoint = Endpoint("db.example", 5432, TLS())
    keys = engine.engine_connection(endpoint=endpoint, database="d", login=Credentials("u", "p"), ca_path=None)
    assert "sslrootcert" not in keys["uri"] + keys["dsn"]
    assert "ca.crt" not in keys
    assert psycopg.conninfo.conninfo_to_dict(keys["uri"])["host"] == "db.example"
