"""Rotation under load: clients that read the Secret anew at each connection never see a query fail.

`make test` rotates some seconds on a directory, with the controller left alone and with it killed again and again;
`make test-long` a minute on a real API server, with one controller, with two at once, and with kills.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands.conftest import empty, examples
from tests.commands.directory import Directory
from tests.commands.served import USERS, Running, Served
from tests.conftest import StartPostgres, needed
from tests.controlplane.cluster import ControlPlane
from tests.core.test_manager import until
from tests.overlay import edit, overlaid
from tests.servers.postgres import PostgresServer

from .load import Tally, load

ROTATIONS, SECONDS, MINUTE, PATIENCE = 5, 12.0, 60.0, 60.0
OFTEN = {"interval": "2s", "min": "1s", "grace": "1s", "maxOverlap": "1h"}
"""Rotated again as soon as the old login is closed; the grace is far longer than a client holds what it read."""

DENSE = 0.03
"""Seconds between a client's queries where the machine has nothing else to do: some hundred logins a second."""

__all__ = ["empty", "examples"]

CYCLE = 3.0
"""Seconds from one rotation to the next."""

Look = Callable[[], str]


class Rotations:
    """Counts publications of another login; `look` reads the published name."""

    def __init__(self, look: Look) -> None:
        self._look, self._last, self.seen = look, "", -1

    def enough(self, seconds: float) -> Callable[[], bool]:
        """A condition: so much time has passed, and the login was rotated often enough."""
        end = time.monotonic() + seconds

        def is_enough() -> bool:
            found = self._look()
            if found and found != self._last:
                self._last, self.seen = found, self.seen + 1
            return self.seen >= ROTATIONS and time.monotonic() >= end

        return is_enough


def assert_none_failed(tally: Tally, rotations: Rotations) -> None:
    print(f"{rotations.seen} rotations, {tally.logins} logins, {tally.queries} queries, {len(tally.failures)} failed")
    assert tally.failures == []
    assert len(tally.usernames) >= ROTATIONS, "the clients saw every rotation but, it may be, the last"
    assert tally.queries > tally.logins > 100


def kills(begin: Callable[[], Any], end: Callable[[Any], None], rotations: Rotations, seconds: float) -> int:
    """Start a controller, kill it some random time after it rotated, and so on; return how often it died."""
    draw, done = random.Random(20), rotations.enough(seconds)
    for deaths in count():
        before, controller = rotations.seen, begin()
        until(lambda seen=before: done() or rotations.seen > seen, PATIENCE)  # type: ignore[misc]
        at = time.monotonic() + draw.uniform(0.0, CYCLE)
        until(lambda at=at: done() or time.monotonic() >= at, PATIENCE)  # type: ignore[misc]
        end(controller)
        if done():
            return deaths
    raise AssertionError("unreachable")


# --- on a directory ------------------------------------------------------------------------------------------------


@pytest.fixture
def directory(examples: Directory) -> Directory:
    """A directory whose one claim rotates as often as it can."""
    (examples.path / "roleclaim.yaml").unlink()
    edit(examples.path / "databaseclass.yaml", lambda document: document["spec"].update(rotation=OFTEN))
    edit(examples.path / "databaseclaim.yaml", lambda document: document["spec"].pop("rotation"))
    assert examples.once().returncode == 0
    return examples


def username(directory: Directory) -> str:
    """The published login's name; empty in the moment in which one version of the files takes the other's place."""
    with suppress(FileNotFoundError):
        return (_secret(directory) / "username").read_text()
    return ""


def _secret(directory: Directory) -> Path:
    return directory.path / ".dbclaims/secrets/shop/orders-db"


@contextmanager
def clients(directory: Directory) -> Iterator[Tally]:
    with load({"file": str(_secret(directory) / "uri"), "authority": str(directory.server.ca_file)}) as tally:
        yield tally


def test_no_query_fails_while_a_login_rotates(directory: Directory, tmp_path: Path) -> None:
    rotations = Rotations(lambda: username(directory))
    running = directory.up(tmp_path / "log")
    with clients(directory) as tally:
        until(rotations.enough(SECONDS), 90)
    running.stop()
    assert_none_failed(tally, rotations)


def test_no_query_fails_while_the_controller_is_killed_again_and_again(directory: Directory, tmp_path: Path) -> None:
    rotations = Rotations(lambda: username(directory))
    with clients(directory) as tally:
        deaths = kills(lambda: directory.up(tmp_path / "log"), lambda process: process.kill(), rotations, SECONDS)
    assert deaths >= 3
    assert_none_failed(tally, rotations)


# --- on an API server ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A control plane of our own, since a controller serves all of one."""
    with needed(ControlPlane) as plane:
        yield Served(plane)


@pytest.fixture
def offered(served: Served, new_postgres: StartPostgres) -> PostgresServer:
    """The examples, with one claim that rotates as often as it can; the server that they name."""
    server = new_postgres()
    documents = [each for name, group in overlaid(server, server.create_admin()) for each in group]
    for document in documents:
        if document["kind"] == "DatabaseClass":
            document["spec"]["rotation"] = OFTEN
        if document["kind"] == "DatabaseClaim":
            del document["spec"]["rotation"]
    documents.sort(key=lambda document: document["kind"] != "Namespace")
    served.apply(yaml.safe_dump_all(each for each in documents if each["kind"] != "RoleClaim"))
    return server


@contextmanager
def cluster_clients(served: Served, server: PostgresServer) -> Iterator[tuple[Tally, Rotations]]:
    def look() -> str:
        found = served.published("orders-db", "shop")
        return found.username if found else ""

    until(lambda: bool(look()), PATIENCE)
    rotations = Rotations(look)
    plane = served.plane
    url = f"{plane.url}/api/v1/namespaces/shop/secrets/orders-db"
    source = {"url": url, "token": plane.token("admin"), "ca": str(plane.ca_file), "authority": str(server.ca_file)}
    with load(source, pause=DENSE) as tally:
        yield tally, rotations
    assert_none_failed(tally, rotations)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("users", [USERS[:1], USERS], ids=["one controller", "two at once"])
def test_no_query_fails_in_a_minute_of_rotations(
    served: Served, offered: PostgresServer, tmp_path: Path, users: tuple[str, ...]
) -> None:
    running = [Running(served, tmp_path / user, "--no-leader-election", user=user) for user in users]
    with cluster_clients(served, offered) as (_, rotations):
        until(rotations.enough(MINUTE), 200)
    assert [each.stop() for each in running] == [0] * len(users)
    _forget_claims(served)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_no_query_fails_in_a_minute_of_kills(served: Served, offered: PostgresServer, tmp_path: Path) -> None:
    def begin() -> Running:
        return Running(served, tmp_path / "log", "--no-leader-election")

    first = begin()
    with cluster_clients(served, offered) as (_, rotations):
        first.process.kill()
        assert kills(begin, lambda each: each.process.kill(), rotations, MINUTE) >= 3
    _forget_claims(served)


def _forget_claims(served: Served) -> None:
    """Let the next test begin anew, on another server."""
    running = Running(served, Path("/dev/null"), "--no-leader-election")
    served.kubectl("delete", "databaseclaims,databaseservers,databaseclasses", "--all", "--all-namespaces", "--wait")
    running.stop()
