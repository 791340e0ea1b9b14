"""The clients that we start: the login reaches them in files of their own, and no password stands where others look."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from dbclaims.core.kinds import CLAIM, SECRET
from dbclaims.core.kubectl.client import ask, talk
from dbclaims.core.kubectl.login import Login
from dbclaims.core.kubectl.verb import VerbError

from .conftest import Person

PASSWORD = "open:se\\same'\"x"
LOGIN = Login("postgresql", "db.example.internal", "5433", "orders", "orders_a", PASSWORD, "verify-full", "(PEM)\n", {})

_SPY = """#!{python}
import json, os, stat, sys
names = [os.environ.get("PGPASSFILE"), os.environ.get("PGSSLROOTCERT")]
names += [each.partition("=")[2] for each in sys.argv if each.startswith("--defaults-file=")]
files = {{}}
for name in filter(os.path.exists, filter(None, names)):
    folder = os.stat(os.path.dirname(name)).st_mode
    files[name] = [oct(stat.S_IMODE(os.stat(name).st_mode)), oct(stat.S_IMODE(folder)), open(name).read()]
json.dump({{"argv": sys.argv, "environ": dict(os.environ), "files": files}}, open({out!r}, "w"))
sys.exit(7)
"""


class Spy:
    """A program in PATH that notes how it was started; it ends with 7."""

    def __init__(self, folder: Path, name: str) -> None:
        self._out = folder / "seen.json"
        program = folder / name
        program.write_text(_SPY.format(python=sys.executable, out=str(self._out)))
        program.chmod(program.stat().st_mode | stat.S_IEXEC)

    def seen(self) -> tuple[list[str], dict[str, str], dict[str, tuple[str, str, str]]]:
        """Its arguments, its environment, and its files with their mode, their folder's mode and their text."""
        found = json.loads(self._out.read_text())
        return found["argv"], found["environ"], found["files"]


@pytest.mark.parametrize(
    ("program", "engine", "mode"), [("psql", "postgresql", "verify-full"), ("mysql", "mysql", "VERIFY_IDENTITY")]
)
def test_no_password_stands_in_an_argument_or_an_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, engine: str, mode: str
) -> None:
    spy = Spy(tmp_path, program)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("PGOPTIONS", "-c role=admin")
    login = attrs.evolve(LOGIN, engine=engine, sslmode=mode)
    assert talk(login, ["--further"]) == 7, "the client's exit code is ours"
    argv, environ, files = spy.seen()
    assert argv[-1] == "--further"
    assert PASSWORD not in " ".join(argv) + " ".join(environ.values())
    assert "PGOPTIONS" not in environ or engine == "mysql", "nobody else's variables reach libpq"
    assert {(file, folder) for file, folder, _ in files.values()} == {("0o600", "0o700")}
    assert not any(Path(name).exists() for name in files), "the files go with the client"
    assert PASSWORD not in repr(login)


def test_psql_is_told_where_and_as_whom_by_libpq_s_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(tmp_path, "psql")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    talk(LOGIN, [])
    _, environ, files = spy.seen()
    assert (environ["PGHOST"], environ["PGPORT"], environ["PGDATABASE"]) == ("db.example.internal", "5433", "orders")
    assert (environ["PGUSER"], environ["PGSSLMODE"]) == ("orders_a", "verify-full")
    assert files[environ["PGPASSFILE"]][2] == "*:*:*:*:open\\:se\\\\same'\"x\n"
    assert files[environ["PGSSLROOTCERT"]][2] == "(PEM)\n"
    talk(attrs.evolve(LOGIN, ca=""), [])
    assert spy.seen()[1]["PGSSLROOTCERT"] == "system"


def test_mysql_is_told_by_one_option_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(tmp_path, "mysql")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    talk(attrs.evolve(LOGIN, engine="mysql", sslmode="VERIFY_IDENTITY"), [])
    argv, _, files = spy.seen()
    name = argv[1].removeprefix("--defaults-file=")
    assert argv[2] == "orders"
    assert 'password="open:se\\\\same\'\\"x"\n' in files[name][2]
    assert 'loose-ssl-mode="VERIFY_IDENTITY"\n' in files[name][2]
    assert f'ssl-ca="{Path(name).with_name("ca.crt")}"\n' in files[name][2]


@pytest.mark.parametrize(
    ("version", "there", "taken"),
    [
        ("9.7", ["mysql", "mariadb"], "mysql"),
        ("9.7", ["mariadb"], "mariadb"),
        ("11.8", ["mysql", "mariadb"], "mariadb"),
        ("11.8", ["mysql"], "mysql"),
        ("", ["mysql", "mariadb"], "mysql"),
    ],
)
def test_a_server_s_own_client_comes_first_and_the_other_one_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, there: list[str], taken: str
) -> None:
    spies = {name: Spy(tmp_path, name) for name in there}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert talk(attrs.evolve(LOGIN, engine="mysql", sslmode="VERIFY_IDENTITY", version=version), []) == 7
    argv, _, _ = spies[taken].seen()
    assert argv[0] == str(tmp_path / taken)
    assert PASSWORD not in " ".join(argv)


def test_a_missing_client_is_named_with_the_way_to_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VerbError, match="psql is not installed: install PostgreSQL's client"):
        ask(LOGIN, "SELECT 1")
    said = (
        r"neither mariadb nor mysql is installed: install MariaDB's \(Debian: mariadb-client, .* or MySQL's client \("
    )
    with pytest.raises(VerbError, match=said):
        ask(attrs.evolve(LOGIN, engine="mysql", version="10.11"), "SELECT 1")
    with pytest.raises(VerbError, match="no client is known for oracle; `credentials` shows"):
        ask(attrs.evolve(LOGIN, engine="oracle"), "SELECT 1")


def test_psql_acts_as_the_application_does(person: Person) -> None:
    flags = ["--kubeconfig", str(person.world.cluster.kubeconfig()), "-n", person.world.named("shop")]
    command = [sys.executable, "-m", "dbclaims.core.kubectl.claims", "psql", "orders", *flags, "--", "-XAtc"]
    done = subprocess.run([*command, "SELECT current_user"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("_owner")
    assert "password from Secret orders, not shown" in done.stderr
    assert person.world.secret()["password"] not in done.stdout + done.stderr
    done = subprocess.run([*command, "SELECT 1/0"], capture_output=True, text=True, check=False)
    assert (done.returncode, "division by zero" in done.stderr) == (1, True)


@pytest.mark.parametrize("keys", [["jdbc.user=username", "jdbc.password=password"], ["DATABASE_URL=uri"]])
def test_a_secret_of_another_shape_is_read_as_well(person: Person, keys: list[str]) -> None:
    world = person.world
    world.claim("shaped", secretFormat={"type": "Opaque", "keys": keys})
    world.settle()
    said = person.says("credentials", "shaped", "--show", "-o", "pgpass")
    assert said.code == 0, said.err
    host, port, database, user, _ = said.out.split(":")
    assert (host, port) == (world.postgres.host, str(world.postgres.port))
    assert database == f"{world.named('shop')}_shaped"
    assert user == f"{database}_a"
    refused = person.says("credentials", "shaped", "--show", "-o", "dsn")
    assert (refused.code, "the Secret has no key dsn" in refused.err) == (1, True)


def test_a_secret_that_holds_no_login_any_more_is_said(person: Person) -> None:
    person.world.patch(SECRET, "orders", {"data": {"password": None}})
    said = person.says("psql", "orders")
    assert (said.code, "holds no login that can be read; was it edited by hand?" in said.err) == (1, True)


def test_credentials_show_a_password_only_when_asked(person: Person) -> None:
    secret = person.world.secret()
    assert secret["password"] not in person.says("credentials", "orders").out
    for form in ("env", "dsn", "uri", "pgpass", "json"):
        refused = person.says("credentials", "orders", "-o", form)
        assert (refused.code, refused.out) == (1, "")
        assert secret["password"] in person.says("credentials", "orders", "--show", "-o", form).out
    assert person.says("credentials", "orders", "--show", "-o", "uri").out == f"{secret['uri']}\n"
    assert json.loads(person.says("credentials", "orders", "--show", "-o", "json").out) == secret


def test_the_shell_understands_what_env_prints(person: Person) -> None:
    printed = person.says("credentials", "orders", "--show", "-o", "env").out
    done = subprocess.run(["sh", "-c", f"{printed}\nprintf %s $PGPASSWORD"], capture_output=True, text=True, check=True)
    assert done.stdout == person.world.secret()["password"]


def test_a_login_that_is_not_published_is_explained(person: Person) -> None:
    person.world.claim("late")
    said = person.says("psql", "late")
    assert (said.code, said.out) == (1, "")
    assert "has published no Secret yet (Pending); `explain late` says why" in said.err
    person.world.delete(CLAIM, "late")
