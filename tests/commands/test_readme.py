"""README.md: its example works as it stands, but for the server's address and login; its links lead somewhere."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import StartPostgres, needed
from tests.parts import MissingPart

from .directory import COMMAND

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
FILES = re.compile(r"Save this as `([^`]+)`:\n\n```yaml\n(.*?)```", re.DOTALL)
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def test_the_example_works_as_it_stands(new_postgres: StartPostgres, tmp_path: Path) -> None:
    needed(_psql)
    server = new_postgres()
    admin = server.create_admin()
    overlay = {
        "pg.example.internal": server.host,
        "5432": str(server.port),
        "change-me": admin.password,
        '"(PEM)"': yaml.safe_dump(server.ca_file.read_text(), default_style='"', width=10_000).strip(),
    }
    for name, text in FILES.findall(README):
        for placeholder, value in overlay.items():
            text = text.replace(placeholder, value)
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (commands,) = [block for block in SHELL.findall(README) if "dbclaims up" in block]
    environment = {**os.environ, "PATH": f"{COMMAND.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-euc", commands], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "(0 rows)" in done.stdout
    tables = "SELECT tableowner FROM pg_tables WHERE schemaname = 'app'"
    assert server.execute(tables, dbname="shop_orders") == [("shop_orders_owner",)]


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    targets = (ROOT / "Makefile").read_text()
    assert re.findall(r"^make (\w+)", README, re.MULTILINE) == ["demo", "test"]
    assert all(re.search(f"^{target}:", targets, re.MULTILINE) for target in ("demo", "test"))


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)]+)\)", README))
def test_every_link_leads_to_a_file(target: str) -> None:
    assert (ROOT / target).is_file()


def _psql() -> None:
    if not shutil.which("psql"):
        raise MissingPart("the README's example logs in with psql; apt-get install postgresql-client brings it")
