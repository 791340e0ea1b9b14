"""`rotate --wait` and `who-uses`: under load, to the end, and who keeps an end from coming."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo

from dbclaims.core.kinds import CLAIM
from dbclaims.core.kubectl.facts import Facts
from dbclaims.core.kubectl.rotate import progress
from dbclaims.core.kubectl.words import CLAIM as WORD
from tests.commands.served import Running, Served
from tests.conftest import StartPostgres
from tests.core.test_manager import until
from tests.overlay import overlaid
from tests.proofs.load import load
from tests.servers.postgres import PostgresServer

from .conftest import Person


@pytest.fixture
def offered(served: Served, new_postgres: StartPostgres) -> PostgresServer:
    """The examples with a class that rotates on demand and has a grace of two seconds; the server that they name."""
    server = new_postgres()
    documents = [each for _, group in overlaid(server, server.create_admin()) for each in group]
    for document in documents:
        if document["kind"] == "DatabaseClass":
            document["spec"]["rotation"] = {"interval": "0s", "grace": "2s", "maxOverlap": "1h"}
        if document["kind"] == "DatabaseClaim":
            del document["spec"]["rotation"]
    documents.sort(key=lambda document: document["kind"] != "Namespace")
    served.apply(yaml.safe_dump_all(documents))
    return server


def test_under_load_no_login_fails_and_the_old_one_is_closed(
    served: Served, offered: PostgresServer, tmp_path: Path
) -> None:
    running = Running(served, tmp_path / "log")
    served.kubectl("wait", "--for=condition=Ready", "--timeout=60s", "dbclaim/orders", "-n", "shop")
    plane = served.plane
    url = f"{plane.url}/api/v1/namespaces/shop/secrets/orders-db"
    source = {"url": url, "token": plane.token("admin"), "ca": str(plane.ca_file), "authority": str(offered.ca_file)}
    said = []
    with load(source) as tally:
        for old in ("orders_a", "orders_b"):
            flags = ["-n", "shop", "--kubeconfig", str(plane.kubeconfig())]
            command = [sys.executable, "-m", "dbclaims.core.kubectl.claims", "rotate", "orders", "--wait", *flags]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            said.append(done.stdout)
            closed = "SELECT rolname FROM pg_roles WHERE rolname ~ '^orders_[ab]$' AND NOT rolcanlogin"
            assert offered.execute(closed) == [(old,)], "when the verb ends, the old login is closed"
    assert running.stop() == 0
    assert tally.failures == []
    assert set(tally.usernames) == {"orders_a", "orders_b"}
    assert tally.logins > 50
    print(f"{tally.logins} logins, {tally.queries} queries, {len(tally.failures)} failed")
    assert [text.splitlines()[-1] for text in said] == [
        "orders: orders_b is published; orders_a is closed",
        "orders: orders_a is published; orders_b is closed",
    ]


def test_who_holds_the_old_login_is_named_while_it_waits(person: Person) -> None:
    world = person.world
    dsn = make_conninfo(world.secret()["dsn"], sslrootcert=str(world.postgres.ca_file), application_name="orders-api")
    old = world.secret()["username"]
    with closing(psycopg.connect(dsn)):
        assert person.says("rotate", "orders").code == 0
        world.settle()
        world.pass_time(3600, steps=6)
        found = json.loads(person.says("who-uses", "orders", "-o", "json").out)["sessions"]
        held = [each for each in found if each["old"]]
        assert [(each["username"], each["application"], each["count"]) for each in held] == [(old, "orders-api", 1)]
        shown = person.says("who-uses", "orders").out
        assert any("orders-api" in line and line.endswith("<- still on the old login") for line in shown.splitlines())
        settled = Facts(WORD, world.get(CLAIM, "orders"))
        assert [each["action"] for each in settled.pending] == ["close"]
    world.pass_time(3600, steps=6)
    assert world.roles()[old] is False
    assert person.says("who-uses", "orders").err.startswith("nobody is on ")


def test_as_admin_one_sees_what_the_admin_may_see(person: Person) -> None:
    world = person.world
    world.postgres.execute(f'GRANT pg_read_all_stats TO "{world.admin.username}"')
    dsn = make_conninfo(world.secret()["dsn"], sslrootcert=str(world.postgres.ca_file), application_name="orders-api")
    with closing(psycopg.connect(dsn)):
        found = json.loads(person.says("who-uses", "orders", "--admin", "-o", "json").out)["sessions"]
        assert [(each["application"], each["client"]) for each in found] == [("orders-api", "127.0.0.1")]
        developer = Person(world, "developer").says("who-uses", "orders", "--admin")
        assert (developer.code, "403 Forbidden" in developer.err) == (1, True)


def test_wait_tells_each_step_once(person: Person) -> None:
    world = person.world
    answers = []
    asking = threading.Thread(target=lambda: answers.append(person.says("rotate", "orders", "--wait")))
    asking.start()
    until(lambda: bool(world.get(CLAIM, "orders")["metadata"].get("annotations")))
    token = world.get(CLAIM, "orders")["metadata"]["annotations"]["dbclaims.io/rotate"]

    def carried_out() -> bool:
        world.settle()
        return bool(world.get(CLAIM, "orders")["status"]["login"]["rotateToken"] == token)

    until(carried_out)
    world.pass_time(1200, steps=4)
    asking.join()
    (said,) = answers
    old, new = (f"{world.named('shop')}_orders_{each}" for each in "ab")
    assert said.code == 0, said.err
    assert said.out.splitlines() == [
        f"orders: a new password is asked for; {old} goes on working",
        "orders: not carried out yet",
        f"orders: {new} is published; {old} stays open for 10m without a session",
        f"orders: {new} is published; {old} is closed",
    ]


def _facts(**status: object) -> Facts:
    login = {"username": "orders_a", "rotateToken": "old"}
    whole = {"observedGeneration": 1, "conditions": [], "login": login, **status}
    return Facts(WORD, {"metadata": {"name": "orders", "generation": 1}, "status": whole})


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({}, "not carried out yet (Pending: )"),
        (
            {"pending": [{"action": "rotate", "waitsFor": "the end of login orders_b"}]},
            "waits for the end of login orders_b",
        ),
        (
            {"conditions": [{"type": "Stalled", "status": "True", "reason": "Refused", "message": "no"}]},
            "stalled (Pending): ",
        ),
        ({"login": {"username": "orders_b", "rotateToken": "new"}}, "orders_b is published; orders_a is closed"),
    ],
)
def test_how_far_a_rotation_is(status: dict[str, object], said: str) -> None:
    assert progress(_facts(**status), "new", "orders_a") == said
