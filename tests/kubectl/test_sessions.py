"""What `who-uses` and `top` ask a MySQL server, on real ones; the client is a stand-in where there is none."""

from __future__ import annotations

import secrets
import shutil
import sys
from contextlib import closing
from pathlib import Path

import pytest

from dbclaims.core.kubectl.login import Login
from dbclaims.core.kubectl.sessions import groups, load
from tests.docs.blocks import REPOSITORY
from tests.servers.mysql import MySQLServer


@pytest.fixture
def login(mysql: MySQLServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Login:
    """A login on a database of its own, and a client for it."""
    if shutil.which("mysql") is None:
        program = tmp_path / "mysql"
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH={REPOSITORY} exec {sys.executable} -m tests.kubectl.mysql_client "$@"\n'
        )
        program.chmod(0o700)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    database = f"it's_{secrets.token_hex(3)}"
    account = mysql.create_login(f"app_{secrets.token_hex(3)}")
    mysql.execute(f"CREATE DATABASE `{database}`")
    mysql.execute(f"GRANT ALL ON `{database}`.* TO '{account.username}'")
    authority = mysql.ca_file.read_text()
    port, name, password = str(mysql.port), account.username, account.password
    return Login("mysql", mysql.host, port, database, name, password, "VERIFY_IDENTITY", authority, {})


def test_sessions_are_counted_by_login(mysql: MySQLServer, login: Login) -> None:
    assert groups(login, login.database) == []
    with closing(mysql.connect(database=login.database)):
        found = groups(login, login.database)
        assert found == [], "a login sees nobody else's sessions without PROCESS"
        mysql.execute(f"GRANT PROCESS ON *.* TO '{login.username}'")
        (other,) = groups(login, login.database)
        assert (other.username, other.count, other.oldest) == (mysql.superuser.username, 1, None)


def test_how_full_a_database_is(mysql: MySQLServer, login: Login) -> None:
    mysql.execute(f"CREATE TABLE `{login.database}`.orders (id INT PRIMARY KEY)")
    found = load(login)
    assert found.size > 0
    assert (found.sessions, found.limit) == (0, 0)
