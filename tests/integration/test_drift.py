"""What somebody changed by hand where the class only reports it: it is told, left alone, and repaired if approved."""

from __future__ import annotations

from typing import Any

import pytest

from dbclaims.core.kinds import CLAIM, CLASS, ROLE

from .conftest import MakeWorld
from .test_secrets import RESYNC
from .world import World

EVERYTHING = {"login": "report", "grants": "report", "schemas": "report", "extensions": "report"}


@pytest.fixture
def watched(new_world: MakeWorld) -> World:
    """A world with a Ready claim and RoleClaim whose class reports every part."""
    world = new_world()
    world.offer(drift=EVERYTHING, connectionLimit=9)
    world.claim(schemas=["app"], extensions=["pgcrypto"])
    world.role(ns="shop", access="reader")
    world.settle()
    assert world.is_current()
    assert world.is_current("reports", ROLE)
    return world


def is_as_wished(world: World, part: str) -> bool:
    """Whether nothing of a part differs in the server."""
    database = world.secret()["database"]
    return bool(world.postgres.execute(AS_WISHED[part].format(db=database), dbname=database)[0][0])


def harmed(world: World, harm: str) -> dict[str, Any]:
    """Change something by hand, and let two resyncs pass; the claim's secret names the database."""
    database, reader = world.secret()["database"], world.secret("reports")["username"][:-2]
    world.postgres.execute(harm.format(db=database, reader=reader), dbname=database)
    world.pass_time(2 * RESYNC, steps=2)
    return dict(world.get(CLAIM, "orders")["status"])


HARMS = {
    "login": 'ALTER ROLE "{db}_b" CONNECTION LIMIT 3',
    "grants": 'GRANT CONNECT ON DATABASE "{db}" TO PUBLIC',
    "schemas": "DROP SCHEMA app CASCADE",
    "extensions": "DROP EXTENSION pgcrypto",
}
STEPS = {
    "login": ["changeLogin"],
    "grants": ["closeDatabase"],
    "schemas": ["createSchemas", "createExtensions"],  # which stood in that schema
    "extensions": ["createExtensions"],
}
AS_WISHED = {
    "login": "SELECT rolconnlimit = 9 FROM pg_roles WHERE rolname = '{db}_b'",
    "grants": "SELECT count(*) = 0 FROM pg_database, aclexplode(datacl) WHERE datname = '{db}' AND grantee = 0",
    "schemas": "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'app')",
    "extensions": "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pgcrypto')",
}


@pytest.mark.parametrize("part", HARMS)
def test_a_change_by_hand_is_reported_left_alone_and_repaired_when_approved(watched: World, part: str) -> None:
    assert is_as_wished(watched, part)
    status = harmed(watched, HARMS[part])
    assert [step["action"] for step in status["pending"]] == STEPS[part]
    assert {step["waitsFor"] for step in status["pending"]} == {"approval"}
    assert watched.verdicts() == {"Ready": "True", "Synced": "True", "Drifted": "True"}
    watched.expect("Drifted", "Drifted", *STEPS[part], status["pendingHash"])
    assert len(watched.events("Drifted")) == 1
    assert watched.is_current()
    since = watched.postgres.log_position()
    watched.pass_time(RESYNC)
    said = watched.postgres.log_since(since).by(user=watched.admin.username).statements
    assert [each.text for each in said if not each.text.lstrip().startswith(("SELECT", "WITH"))] == []
    assert not is_as_wished(watched, part)
    watched.annotate(CLAIM, "orders", approve=status["pendingHash"])
    watched.pass_time(RESYNC, steps=2)
    assert is_as_wished(watched, part)
    assert "Drifted" not in watched.verdicts()
    # With a schema went the grants in it, which are the RoleClaim's matter and need an approval of their own.
    assert ("Drifted" in watched.verdicts("reports", ROLE)) == (part == "schemas")
    assert not watched.get(CLAIM, "orders")["status"].get("pending")
    assert watched.logs_in()


def test_what_was_changed_back_is_reported_no_more(watched: World) -> None:
    assert harmed(watched, HARMS["login"])["pendingHash"]
    harmed(watched, 'ALTER ROLE "{db}_b" CONNECTION LIMIT 9')
    assert watched.verdicts() == {"Ready": "True", "Synced": "True"}
    assert "pendingHash" not in watched.get(CLAIM, "orders")["status"]


def test_a_grant_that_somebody_took_is_reported_on_the_role_claim(watched: World) -> None:
    harmed(watched, 'REVOKE USAGE ON SCHEMA app FROM "{reader}"')
    status = watched.get(ROLE, "reports")["status"]
    assert [step["action"] for step in status["pending"]] == ["grant"]
    watched.expect("Drifted", "Drifted", name="reports", kind=ROLE)
    assert "Drifted" not in watched.verdicts()
    watched.annotate(ROLE, "reports", approve=status["pendingHash"])
    watched.pass_time(RESYNC, steps=2)
    assert watched.verdicts("reports", ROLE) == {"Ready": "True", "Synced": "True"}


def test_a_login_that_was_locked_by_hand_stays_locked_and_says_so(watched: World) -> None:
    status = harmed(watched, 'ALTER ROLE "{db}_a" NOLOGIN')
    assert not watched.logs_in()
    watched.expect("Stalled", "Drifted", status["pendingHash"])
    assert watched.verdicts()["Ready"] == "False"
    watched.annotate(CLAIM, "orders", approve=status["pendingHash"])
    watched.settle()
    assert watched.logs_in()
    assert watched.is_current()


def test_an_edit_is_no_drift(watched: World) -> None:
    watched.edit(CLAIM, "orders", schemas=["app", "more"])
    watched.edit(CLASS, watched.named("shared"), connectionLimit=4)
    watched.settle()
    assert watched.verdicts() == {"Ready": "True", "Synced": "True"}
    with watched.login() as connection:
        connection.execute("CREATE TABLE more.made ()")
    database = watched.secret()["database"]
    limits = watched.postgres.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname ~ %s", [f"^{database}_[ab]$"])
    assert limits == [(4,), (4,)]


def test_a_class_that_repairs_takes_the_change_back(watched: World) -> None:
    assert harmed(watched, HARMS["schemas"])["pending"]
    watched.edit(CLASS, watched.named("shared"), drift={"schemas": "repair", "extensions": "repair"})
    watched.settle()
    assert watched.verdicts() == {"Ready": "True", "Synced": "True"}
    with watched.login() as connection:
        connection.execute("CREATE TABLE app.made_again ()")


def test_a_repair_is_told_once_and_a_rotation_is_none(live: World) -> None:
    live.postgres.execute(f'ALTER ROLE "{live.secret()["database"]}_b" CONNECTION LIMIT 3')
    live.pass_time(2 * RESYNC, steps=4)
    (note,) = live.events("Repaired")
    assert "changeLogin" in note
    assert "another connection limit" in note
    live.annotate(CLAIM, "orders", rotate="now")
    live.pass_time(1300, steps=13)
    assert len(live.events("Repaired")) == 1


def test_a_rotation_goes_on_beside_a_reported_change(watched: World) -> None:
    assert harmed(watched, HARMS["schemas"])["pending"]
    before = watched.secret()
    watched.annotate(CLAIM, "orders", rotate="now")
    watched.settle()
    assert watched.secret()["username"] != before["username"]
    assert watched.logs_in()
    assert watched.verdicts()["Drifted"] == "True"
