"""A claim's whole way on the local home: from its document to a Secret that logs in, through rotation to its end.

The core, the provider `existing` and the engine are the real ones, and so is the server; only the clock stands still.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pymysql
import pytest
import yaml
from prometheus_client import CollectorRegistry

from dbclaims.core import plugins
from dbclaims.core.kinds import CLAIM, ROLE, SECRET
from dbclaims.core.local import LocalStore
from dbclaims.core.machine import Machine
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import Object
from dbclaims.core.secrets import decoded
from dbclaims.core.spi import Installation
from tests.clock import FakeClock
from tests.core.test_manager import until
from tests.local.home import document, secret
from tests.proofs.world import ImpatientClock
from tests.servers.mysql import MySQLServer
from tests.servers.postgres import Account

ROTATION = {"interval": "24h", "min": "1h", "grace": "10m", "maxOverlap": "24h"}
PASSES = 100


class Home:
    """A directory with a claim `orders` for a database on a MySQL server, and the controller that serves it."""

    def __init__(self, directory: Path, server: MySQLServer) -> None:
        self.directory, self.server, self.clock = directory, server, FakeClock()
        self.database = f"orders_{secrets.token_hex(4)}"
        self.admin = server.create_admin(f"admin_{self.database}")
        self.store = LocalStore(directory, clock=ImpatientClock(self.clock))
        self._machine = Machine(
            self.store,
            plugins.load(),
            Installation(secrets.token_hex(4), secrets.token_bytes(32)),
            clock=self.clock,
            metrics=Metrics(CollectorRegistry()),
            rng=random.Random(1),
            resync=timedelta(minutes=10),
        )

    def offer(self) -> None:
        """Write the server, its admin and its class."""
        config = {
            "host": self.server.host,
            "port": self.server.port,
            "adminSecretRef": {"name": "admin"},
            "tls": {"mode": "verify-full", "caSecretRef": {"name": "ca", "key": "ca.crt"}},
        }
        self.write(
            document("DatabaseServer", "shared", "platform", provider="existing", engine="mysql", config=config),
            secret("admin", username=self.admin.username, password=self.admin.password),
            secret("ca", **{"ca.crt": self.server.ca_file.read_text()}),
            document(
                "DatabaseClass",
                "shared",
                None,
                serverRef={"name": "shared", "namespace": "platform"},
                rotation=ROTATION,
                connectionLimit=50,
                allowedDeletionPolicies=["Retain", "Delete"],
            ),
        )

    def claim(self, **spec: Any) -> None:
        """Write the claim."""
        self.write(document("DatabaseClaim", "orders", className="shared", databaseName=self.database, **spec))

    def write(self, *documents: Any) -> None:
        """Write documents as one file, named after the first."""
        first = documents[0]
        path = self.directory / f"{first['kind']}-{first['metadata']['name']}.yaml"
        path.write_text(yaml.safe_dump_all(documents))
        self.settle()

    def vanish(self) -> None:
        """Take the claim away, and mean it."""
        (self.directory / "DatabaseClaim-orders.yaml").unlink()
        self.store.scan(prune=True)
        self.settle()

    def settle(self) -> None:
        """Do everything that is to be done now."""
        assert self.store.scan().problems == ()
        for _ in range(PASSES):
            for informer in self._machine.informers:
                informer.step()
            if not sum(controller.process_next(0) for controller in self._machine.controllers):
                return
        raise AssertionError("there is always something left to do")

    def pass_time(self, time: timedelta, steps: int = 1) -> None:
        """Let time pass, and the controller work."""
        for _ in range(steps):
            self.clock.advance(time.total_seconds() / steps)
            self.settle()

    def login(self, name: str = "orders") -> Account:
        """The published login."""
        found = self.store.get(SECRET, "shop", name)
        assert found is not None, self.store.get(CLAIM, "shop", "orders")
        keys = decoded(found)
        return Account(keys["username"], keys["password"])

    def run(self, statement: str, name: str = "orders") -> tuple[tuple[Any, ...], ...]:
        """Run a statement as the application would, with the published login."""
        with self.server.connect(self.login(name), self.database) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def ready(self, kind: Any = CLAIM, name: str = "orders") -> tuple[str, str]:
        """The condition Ready of an object: status and message."""
        return self.condition("Ready", kind, name)

    def condition(self, type_: str, kind: Any = CLAIM, name: str = "orders") -> tuple[str, str]:
        """A condition of an object: status and message."""
        found: Object | None = self.store.get(kind, "shop", name)
        assert found is not None
        conditions = {each["type"]: each for each in found["status"]["conditions"]}
        return conditions[type_]["status"], conditions[type_]["message"]

    def close(self) -> None:
        """End the controller."""
        self._machine.close()
        self.store.close()


@pytest.fixture
def home(tmp_path: Path, mysql: MySQLServer) -> Iterator[Home]:
    """Return a home whose server is offered."""
    directory = tmp_path / "objects"
    directory.mkdir()
    home = Home(directory, mysql)
    home.offer()
    yield home
    home.close()


@pytest.fixture
def live(home: Home) -> Home:
    """Return a home with a claim that is Ready."""
    home.claim()
    assert home.ready()[0] == "True", home.ready()
    return home


def test_a_claim_becomes_a_secret_that_logs_in(live: Home) -> None:
    live.run("CREATE TABLE t AS SELECT 1 AS one")
    assert live.run("SELECT one FROM t") == ((1,),)
    found = live.store.get(SECRET, "shop", "orders")
    assert found is not None
    assert found["type"] == "servicebinding.io/mysql"
    keys = decoded(found)
    assert keys["sslmode"] == "VERIFY_IDENTITY"
    assert keys["uri"].startswith(f"mysql://{keys['username']}:")


def test_a_rotation_publishes_the_other_account_and_closes_the_first(live: Home) -> None:
    live.run("CREATE VIEW v AS SELECT 1 AS one")
    first = live.login()
    live.pass_time(timedelta(hours=25))
    second = live.login()
    assert {first.username, second.username} == {f"{live.database}_a", f"{live.database}_b"}
    assert live.run("SELECT one FROM v") == ((1,),)
    with live.server.connect(first, live.database):
        pass
    live.pass_time(timedelta(minutes=30), steps=6)
    with pytest.raises(pymysql.OperationalError):
        live.server.connect(first, live.database)
    assert live.run("SELECT one FROM v") == ((1,),)


def test_a_changed_password_is_mended_by_the_published_one(live: Home) -> None:
    before = live.login()
    live.run("SET PASSWORD = " + ("PASSWORD('mine')" if live.server.is_mariadb else "'mine'"))
    live.pass_time(timedelta(minutes=30), steps=3)
    assert live.login() == before
    assert live.run("SELECT 1") == ((1,),)
    assert live.ready()[0] == "True"


def test_a_role_claim_reads_and_cannot_write(live: Home) -> None:
    live.run("CREATE TABLE t AS SELECT 1 AS one")
    live.write(document("RoleClaim", "reports", claimRef={"name": "orders"}, access="reader"))
    assert live.ready(ROLE, "reports")[0] == "True", live.ready(ROLE, "reports")
    assert live.run("SELECT one FROM t", "reports") == ((1,),)
    with pytest.raises(pymysql.OperationalError):
        live.run("DELETE FROM t", "reports")


def test_a_role_claim_with_the_owners_access_is_narrowed_and_dropped(live: Home) -> None:
    live.write(document("RoleClaim", "reports", claimRef={"name": "orders"}, access="owner"))
    live.run("CREATE TABLE made (id INT)", "reports")
    live.write(document("RoleClaim", "reports", claimRef={"name": "orders"}, access="reader"))
    assert live.ready(ROLE, "reports")[0] == "True", live.ready(ROLE, "reports")
    with pytest.raises(pymysql.OperationalError):
        live.run("DROP TABLE made", "reports")
    live.write(document("RoleClaim", "reports", claimRef={"name": "orders"}, access="owner"))
    login = live.login("reports")
    (live.directory / "RoleClaim-reports.yaml").unlink()
    live.store.scan(prune=True)
    live.settle()
    with pytest.raises(pymysql.OperationalError):
        live.server.connect(login, live.database)
    assert live.store.get(ROLE, "shop", "reports") is None
    assert live.run("SELECT * FROM made") == ()


@pytest.mark.parametrize(("field", "words"), [("schemas", "does not support Schemas"), ("extensions", "extensions")])
def test_what_mysql_has_not_is_refused_with_a_sentence(home: Home, field: str, words: str) -> None:
    home.claim(**{field: ["app"]})
    status, message = home.condition("Stalled")
    assert status == "True"
    assert words in message
    exists = "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = %s"
    assert home.server.execute(exists, [home.database]) == ((0,),)


def test_a_pass_over_a_claim_in_sync_writes_nothing(live: Home) -> None:
    position = live.server.log_position()
    live.pass_time(timedelta(minutes=40), steps=4)
    admin = live.admin.username
    said = [entry.text.split()[0] for entry in live.server.log_since(position).by(admin).statements]
    assert set(said) <= {"SELECT", "SHOW", "SET"}


def _cost(live: Home, what: str, act: Callable[[], object]) -> tuple[int, int]:
    """Statements and connections of the admin and of the claim's accounts; connections that were refused count too."""
    position = live.server.log_position()
    act()
    mine = (live.admin.username, f"{live.database}_a", f"{live.database}_b")
    log = live.server.log_since(position).by(*mine)
    print(f"\n{what}: {len(log.statements)} statements, {len(log.connections)} connections")
    return len(log.statements), len(log.connections)


def test_what_a_claim_costs_the_server(home: Home) -> None:
    # The server itself is looked at first; the admin's connections stay open.
    home.settle()
    statements, connections = _cost(home, "create", home.claim)
    assert home.ready()[0] == "True", home.ready()
    assert 10 < statements <= 26
    assert 1 <= connections <= 3
    statements, connections = _cost(home, "pass in sync", lambda: home.pass_time(timedelta(minutes=12)))
    assert 1 < statements <= 10, "with the look at the server itself, which comes as often"
    assert connections == 1
    before = home.login()
    statements, connections = _cost(home, "rotation", lambda: home.pass_time(timedelta(hours=25)))
    assert home.login().username != before.username
    assert 10 < statements <= 26
    assert connections <= 3


def test_delete_drops_the_database_and_its_accounts(live: Home) -> None:
    login = live.login()
    live.claim(deletionPolicy="Delete")
    live.vanish()
    like = f"{live.database}%"
    assert live.server.execute("SELECT User FROM mysql.user WHERE User LIKE %s", [like]) == ()
    with pytest.raises(pymysql.OperationalError):
        live.server.connect(login, live.database)


def test_retain_keeps_the_data_and_the_claim_gets_them_back(live: Home) -> None:
    live.run("CREATE TABLE t AS SELECT 1 AS one")
    login = live.login()
    live.vanish()
    with pytest.raises(pymysql.OperationalError):
        live.server.connect(login, live.database)
    live.claim()
    assert live.ready()[0] == "True", live.ready()
    assert live.run("SELECT one FROM t") == ((1,),)


class Clients:
    """Applications that read the Secret before each connection and never stop asking."""

    def __init__(self, home: Home, number: int) -> None:
        self.failures: list[Exception] = []
        self._home, self._asked, self._stop = home, [0] * number, threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(place,)) for place in range(number)]
        for thread in self._threads:
            thread.start()

    def wait_for_everyone(self) -> None:
        """Return when each has read the Secret and asked anew, as a grace is for."""
        before = list(self._asked)
        # The answer to a question that was on its way already proves nothing, so two are waited for.
        until(lambda: self._stop.is_set() or all(now > then + 1 for now, then in zip(self._asked, before, strict=True)))

    def stop(self) -> int:
        """End them; return how many questions were asked."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return sum(self._asked)

    def _ask(self, place: int) -> None:
        while not self._stop.is_set():
            try:
                assert self._home.run("SELECT 1") == ((1,),)
            except Exception as error:  # noqa: BLE001 - whatever fails is what the test is about
                self.failures.append(error)
                self._stop.set()
            self._asked[place] += 1


def test_no_question_fails_while_logins_rotate(live: Home) -> None:
    rotate_under_load(live, number=4, seconds=0)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_no_question_of_twenty_clients_fails_in_a_minute_of_rotations(live: Home) -> None:
    rotate_under_load(live, number=20, seconds=60)


def rotate_under_load(live: Home, *, number: int, seconds: float) -> None:
    """Rotate five times, and on until the time is over."""
    clients = Clients(live, number)
    used, rotations, end = {live.login().username}, 0, time.monotonic() + seconds
    while rotations < 5 or time.monotonic() < end:
        before = live.login()
        live.pass_time(timedelta(hours=25))
        assert live.login().username != before.username
        used.add(live.login().username)
        clients.wait_for_everyone()
        live.pass_time(timedelta(minutes=30), steps=6)
        rotations += 1
    asked = clients.stop()
    print(f"\n{asked} questions of {number} clients over {rotations} rotations, {len(clients.failures)} failed")
    assert clients.failures == []
    assert len(used) == 2
    assert live.condition("Synced")[0] == "True"
