"""The canary can fail: a password that leaks anywhere ends a session with a failure, whose words do not repeat it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from dbclaims.core.secrets import new_password
from tests.canary import CANARY, Canary

ROOT = Path(__file__).parents[2]
CONFTEST = """
from tests.canary import CANARY


def pytest_configure(config):
    config.pluginmanager.register(CANARY)
"""
LEAKS = {
    "a log record of dbclaims.core": "logging.getLogger('dbclaims.core').info('made', extra={'what': password})",
    "a log record of dbclaims.x": "logging.getLogger('dbclaims.x').warning('made %s', password)",
    "the output of": "print(f'uri: postgres://u:{password}@host')",
    "up.log": "(tmp_path / 'up.log').write_text(base64.b64encode(password.encode()).decode())",
    "other.log": "published(tmp_path, secrets.token_urlsafe(30))",
    "objects.sqlite": "sqlite3.connect(tmp_path / 'objects.sqlite').execute(f'CREATE TABLE \"{password}\" (i int)')",
    "the log of a PostgreSQL": "leak_into_sql(password)",
}
TEST = """
import base64, logging, secrets, sqlite3

import psycopg
import pytest

from dbclaims.core.secrets import new_password
from tests.servers.installation import installation
from tests.servers.postgres import PostgresServer


def leak_into_sql(password):
    with PostgresServer(installation(17)) as server:
        server.execute(f"CREATE ROLE app PASSWORD '{password}'")


def published(folder, drawn_by_another_process):
    secret = folder / "secrets/shop/orders-db"
    secret.mkdir(parents=True)
    (secret / "password").write_text(drawn_by_another_process)
    (folder / "other.log").write_text(f"/a/path/that/is/long/enough/to/be/looked/at/x{drawn_by_another_process}x")
"""
CASE = """

def test_that_passes_{number}(tmp_path):
    password = new_password()
    {leak}
"""


def session(folder: Path, leaks: Iterable[str], *options: str) -> subprocess.CompletedProcess[str]:
    """A session of its own, in which each of these is a test that passes."""
    cases = [CASE.replace("{number}", str(number)).replace("{leak}", leak) for number, leak in enumerate(leaks)]
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_leak.py").write_text(TEST + "".join(cases))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([*command, str(folder)], env=environment, cwd=folder, capture_output=True, text=True)


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """A session with every leak."""
    return session(tmp_path_factory.mktemp("leaking"), LEAKS.values())


@pytest.mark.parametrize("where", LEAKS)
def test_a_leak_is_found_wherever_it_is(leaking: subprocess.CompletedProcess[str], where: str) -> None:
    told = re.sub(r"test_that_passes_\d0/", "", leaking.stdout)
    assert f"LEAKED: a generated password stands in {where}" in told


def test_leaks_fail_a_session_whose_tests_all_pass(leaking: subprocess.CompletedProcess[str]) -> None:
    assert leaking.returncode == 1, leaking.stdout + leaking.stderr
    assert f"{len(LEAKS)} passed" in leaking.stdout


def test_a_leak_in_a_parallel_worker_fails_the_session(tmp_path: Path) -> None:
    ended = session(tmp_path, [LEAKS["a log record of dbclaims.x"]], "-n", "1")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "LEAKED" in ended.stdout


def test_a_session_without_a_leak_passes(tmp_path: Path) -> None:
    assert session(tmp_path, ["print(len(password))"]).returncode == 0


def test_a_word_that_a_test_wrote_into_a_secret_is_no_password_of_ours(tmp_path: Path) -> None:
    assert session(tmp_path, ['published(tmp_path, "p")']).returncode == 0


def test_it_listens_in_this_session() -> None:
    password, here = new_password(), Canary()
    here.note(password)
    assert CANARY._known >= here._known
    here.examine("a status", f'{{"message": "x{password}y"}}')
    here.examine("another", password[:-1])
    assert here.leaks == ["a status"]
