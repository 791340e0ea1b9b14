"""What people are told about a server and a database although the work goes on, and what stops it with a sentence."""

from __future__ import annotations

import secrets

import attrs
import pytest
from psycopg import sql

from dbclaims.core.spi import Credentials, Finding, InvalidSpec, NotOwned, SPIError, Survey
from dbclaims.engines import postgres as engine
from tests.servers.postgres import PostgresServer

from .conftest import MakeWorld, OpenSession
from .world import World, installation


def _reasons(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.reason for finding in findings}


def _inside(world: World) -> set[str]:
    contents = world.deep().contents
    assert contents is not None
    return _reasons(contents.findings)


def _survey(world: World) -> Survey:
    return engine.engine_survey(session=world.session)


def test_a_new_server_has_no_identity_until_it_is_held(world: World, connect: OpenSession) -> None:
    session = connect(world.server, world.session.admin)
    before = engine.engine_survey(session=session)
    assert (before.identity, before.marked, before.read_only) == (None, False, False)
    assert engine.engine_hold(session=session, identity="one") == "one"
    assert engine.engine_hold(session=session, identity="two") == "one"
    assert engine.engine_survey(session=session).identity == "one"


def test_a_role_that_only_looks_like_our_holder_is_left_alone(world: World, connect: OpenSession) -> None:
    session = connect(world.server, world.session.admin)
    world.server.create_login(session.holder)
    with pytest.raises(NotOwned):
        engine.engine_hold(session=session, identity="one")


def test_an_installation_id_that_makes_no_role_name_is_refused(world: World, connect: OpenSession) -> None:
    session = connect(world.server, world.session.admin, ours=attrs.evolve(installation(), id="x" * 60))
    with pytest.raises(InvalidSpec):
        engine.engine_hold(session=session, identity="one")


def test_a_second_creator_of_roles_is_a_finding_where_it_can_take_ours(world: World) -> None:
    other = world.server.create_admin(f"other_{secrets.token_hex(4)}")
    shared = "SharedCreaterole" in _reasons(_survey(world).findings)
    assert shared == (world.server.installation.major < 16)
    world.server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(other.username)))


def test_another_member_of_the_holder_is_a_finding(world: World) -> None:
    other = world.server.create_login(f"{world.name}_friend")
    grant = sql.SQL("GRANT {} TO {}").format(sql.Identifier(world.session.holder), sql.Identifier(other.username))
    assert "SharedHolder" not in _reasons(_survey(world).findings)
    world.server.execute(grant)
    assert "SharedHolder" in _reasons(_survey(world).findings)


def test_an_open_public_schema_is_a_finding_only_where_it_is_open(new_world: MakeWorld) -> None:
    for superuser in (False, True):
        world = new_world(superuser=superuser)
        world.create()
        is_open = world.server.installation.major < 15 and not superuser
        assert ("PublicSchemaOpen" in _inside(world)) == is_open
        reader = world.role_claim("reports", {})
        world.converge(world.spec())
        may_create = "SELECT has_schema_privilege(%s, 'public', 'CREATE')"
        assert world.server.execute(may_create, [reader.role], dbname=world.ref.name) == [(is_open,)]


def test_a_superusers_revoke_ends_the_finding_of_an_open_public_schema(claim: World) -> None:
    database = claim.ref.name
    claim.server.execute("ALTER SCHEMA public OWNER TO CURRENT_USER", dbname=database)
    claim.server.execute("GRANT CREATE ON SCHEMA public TO PUBLIC", dbname=database)
    assert "PublicSchemaOpen" in _inside(claim)
    claim.server.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC", dbname=database)
    assert _inside(claim) == set()


@pytest.mark.parametrize("extension", ["no_such_extension", "file_fdw"])
def test_an_extension_that_cannot_be_had_is_named_and_leaves_the_login_alone(claim: World, extension: str) -> None:
    wanting = attrs.evolve(claim, extensions=(extension,))
    with pytest.raises(SPIError, match=extension):
        wanting.converge(wanting.spec(), deep=True)
    assert claim.converge(claim.spec(), deep=True) == []
    assert claim.probe().acts_as == claim.owner


def test_a_session_whose_admin_changed_its_password_is_refused(postgres: PostgresServer, connect: OpenSession) -> None:
    admin = postgres.create_admin(f"rotated_{secrets.token_hex(4)}")
    session = connect(postgres, Credentials(admin.username, "stale"))
    with pytest.raises(SPIError) as refusal:
        engine.engine_survey(session=session)
    assert refusal.value.reason == "AdminLoginRefused"
    postgres.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(admin.username)))
