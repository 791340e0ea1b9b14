"""Fixtures for real servers, started when the first test asks and kept for the session (one set per xdist worker).

See tests/README.md for their use.
"""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import coverage
import pytest

from .canary import CANARY
from .controlplane.cluster import ControlPlane
from .parts import MissingPart
from .servers.installation import installation
from .servers.mysql import MySQLServer
from .servers.mysqlinstallation import mysql_installation
from .servers.postgres import PostgresServer

T = TypeVar("T")

DEFAULT_POSTGRES = 17

UNTRACED = ("aws/test_claims.py", "aws/test_histories.py", "chart", "conformance/test_mutants.py", "docs", "proofs")
"""Tests that play again what others reach, in many orders and processes: tracing doubles their time, and finds nothing.

On Python 3.12 and newer it would cost next to nothing, and this could go.
"""


class StartPostgres(Protocol):
    """Starts a private server: `new_postgres(16, settings={...})`; arguments are PostgresServer's."""

    def __call__(self, version: int = DEFAULT_POSTGRES, **options: object) -> PostgresServer: ...


class StartMySQL(Protocol):
    """Starts a private server: `new_mysql("9.7", options=[...])`; arguments are MySQLServer's."""

    def __call__(self, version: str, **options: object) -> MySQLServer: ...


def needed(make: Callable[[], T]) -> T:
    """Return what `make` makes; where a part of it is missing, fail in CI and skip, visibly, elsewhere."""
    try:
        return make()
    except MissingPart as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"in CI nothing is skipped: {missing}", pytrace=False)
        pytest.skip(str(missing))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what tests run against: `--pg`, `--mysql` (versions), `--scope` (rights) and `--seed` (one history)."""
    parser.addoption("--pg", default="14,18", help="PostgreSQL major versions for the fixture `postgres`")
    parser.addoption("--mysql", default="9.7,mariadb-11.8", help="versions for the fixture `mysql`")
    parser.addoption("--scope", default="cluster", choices=("cluster", "namespaces"), help="the controller's rights")
    parser.addoption("--seed", type=int, default=0, help="the history that tests/proofs/test_histories.py replays")


def pytest_configure(config: pytest.Config) -> None:
    """Let the canary listen from the first test on."""
    config.pluginmanager.register(CANARY, "canary")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Leave out of coverage what adds nothing to it."""
    if any(item.path.is_relative_to(Path(__file__).parent / name) for name in UNTRACED):
        with _untraced():
            return (yield)
    return (yield)


@contextmanager
def _untraced() -> Iterator[None]:
    """Trace neither this process nor those that it starts, as far as it does now."""
    tracing = coverage.Coverage.current()
    if tracing is None:
        yield
        return
    handed_on = os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    tracing.stop()
    try:
        yield
    finally:
        tracing.start()
        if handed_on is not None:
            os.environ["COVERAGE_PROCESS_CONFIG"] = handed_on


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that asks for `postgres` or `mysql` once per version of `--pg` or `--mysql`."""
    if "postgres" in metafunc.fixturenames:
        versions = [int(version) for version in metafunc.config.getoption("--pg").split(",")]
        metafunc.parametrize("postgres", versions, indirect=True, ids=[f"pg{version}" for version in versions])
    if "mysql" in metafunc.fixturenames:
        named = metafunc.config.getoption("--mysql").split(",")
        metafunc.parametrize("mysql", named, indirect=True, ids=[name.replace(".", "") for name in named])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[[int], PostgresServer]]:
    """Return a function from a major version to the session's shared server of that version."""
    servers: dict[int, PostgresServer] = {}

    def server(version: int = DEFAULT_POSTGRES) -> PostgresServer:
        if version not in servers:
            servers[version] = needed(lambda: PostgresServer(installation(version)))
        return servers[version]

    yield server
    for started in servers.values():
        started.close()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest, postgres_server: Callable[[int], PostgresServer]) -> PostgresServer:
    """Return the shared server of each version of `--pg` in turn."""
    version: int = request.param
    return postgres_server(version)


@pytest.fixture(scope="session")
def pg(postgres_server: Callable[[int], PostgresServer]) -> PostgresServer:
    """Return the shared server of the default version."""
    return postgres_server(DEFAULT_POSTGRES)


@pytest.fixture
def new_postgres() -> Iterator[StartPostgres]:
    """Return a function that starts a private server (0.3 s), closed after the test: for pauses, stops and settings."""
    with ExitStack() as started:

        def start(version: int = DEFAULT_POSTGRES, **options: object) -> PostgresServer:
            server = needed(lambda: PostgresServer(installation(version), **options))  # type: ignore[arg-type]
            return started.enter_context(server)

        yield start


@pytest.fixture(scope="session")
def mysql_servers() -> Iterator[dict[str, MySQLServer]]:
    """Return the session's shared MySQL and MariaDB servers, by version, as far as they were asked for."""
    servers: dict[str, MySQLServer] = {}
    yield servers
    for started in servers.values():
        started.close()


@pytest.fixture(scope="session")
def mysql(request: pytest.FixtureRequest, mysql_servers: dict[str, MySQLServer]) -> MySQLServer:
    """Return the shared server of each version of `--mysql` in turn."""
    version: str = request.param
    if version not in mysql_servers:
        mysql_servers[version] = needed(lambda: MySQLServer(mysql_installation(version)))
    return mysql_servers[version]


@pytest.fixture
def new_mysql() -> Iterator[StartMySQL]:
    """Return a function that starts a private server (a second), closed after the test: for pauses and options."""
    with ExitStack() as started:

        def start(version: str, **options: object) -> MySQLServer:
            server = needed(lambda: MySQLServer(mysql_installation(version), **options))  # type: ignore[arg-type]
            return started.enter_context(server)

        yield start


@pytest.fixture(scope="session")
def cluster() -> Iterator[ControlPlane]:
    """Return the session's control plane: a real kube-apiserver, etcd and garbage collector."""
    with needed(ControlPlane) as control_plane:
        yield control_plane
