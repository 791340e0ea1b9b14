"""A newcomer's path: every block of README.md and of the tutorial, in their order, as somebody would copy them.

What a page cannot know is laid over it: the server's address, the admin's password, the authority. There is no kubelet:
once the chart is installed, the controller runs as a process from its Deployment.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.chart.stand import SYSTEM, Installed, Stand, until_ready
from tests.conftest import StartPostgres, needed
from tests.controlplane.cluster import ControlPlane
from tests.helm.build import MAJORS
from tests.helm.build import helm as built
from tests.parts import MissingPart
from tests.servers.postgres import PostgresServer

from .blocks import README, REPOSITORY, Block, blocks_of
from .walk import Walk

TUTORIAL = REPOSITORY / "docs" / "tutorial.md"
TABLES = "SELECT tableowner FROM pg_tables WHERE schemaname = 'app'"
FILES = [block for block in blocks_of(README) if block.file]
LAPTOP = list(blocks_of(README, "### Without a cluster"))
INSTALL, *CLUSTER = blocks_of(README, "### In a cluster")
LAST = list(blocks_of(TUTORIAL, "### Delete, and come back"))
TAUGHT = [block for block in blocks_of(TUTORIAL, "## In a cluster") if block not in LAST]


@pytest.fixture
def server(new_postgres: StartPostgres) -> PostgresServer:
    """A server of its own: the names on the pages are plain ones."""
    needed(_psql)
    return new_postgres()


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    needed(lambda: built(MAJORS[-1]))
    with needed(ControlPlane) as plane, closing(Stand(plane, MAJORS[-1], tmp_path)) as made:
        yield made


def overlay(server: PostgresServer) -> Mapping[str, str]:
    """The README's server is this one."""
    return {
        "pg.example.internal": server.host,
        "5432": str(server.port),
        "change-me": server.create_admin().password,
        '"(PEM)"': json.dumps(server.ca_file.read_text()),
    }


def test_nothing_of_the_readme_is_left_out_but_the_repository_s_own_commands_and_the_drawing() -> None:
    left = [block for block in blocks_of(README) if block not in (*FILES, *LAPTOP, INSTALL, *CLUSTER)]
    assert [line.split()[0] for line in left.pop(0).text.splitlines()] == ["make", "make"]
    assert [block.language for block in left] == ["text"]


def test_the_readme_without_a_cluster(server: PostgresServer, tmp_path: Path) -> None:
    said = Walk(tmp_path, overlay(server)).follow([*FILES, *LAPTOP])
    assert "(0 rows)" in said
    assert server.execute(TABLES, dbname="shop_orders") == [("shop_orders_owner",)]


def test_the_tutorial_on_one_machine(server: PostgresServer, tmp_path: Path) -> None:
    port, superuser = {"5432": str(server.port)}, {"PGPASSWORD": server.superuser.password}
    Walk(tmp_path, port, superuser).follow(blocks_of(TUTORIAL, "## On one machine"))
    assert server.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'shop%%'") == []


# The last chapter waits 30 s for the garbage collector, to which the CRDs are new.
@pytest.mark.parametrize("further", [[], pytest.param(LAST, marks=pytest.mark.long)], ids=["most", "all"])
def test_the_readme_and_the_tutorial_in_a_cluster(
    server: PostgresServer, stand: Stand, tmp_path: Path, further: Sequence[Block]
) -> None:
    (tmp_path / "charts").symlink_to(REPOSITORY / "charts")
    environment = {"HOME": str(tmp_path), "KUBECONFIG": str(stand.plane.kubeconfig())}
    walk = Walk(tmp_path, overlay(server), environment, [built(MAJORS[-1]).parent, stand.plane.kubectl.parent])

    replica = Installed(stand, "dbclaims", SYSTEM, walk.follow([INSTALL])).start()
    until_ready(replica)
    assert "(0 rows)" in walk.follow([*FILES, *CLUSTER])
    assert server.execute(TABLES, dbname="shop_orders") == [("shop_orders_owner",)]

    walk.follow([*TAUGHT, *further])
    reader = "SELECT count(*) FROM pg_roles WHERE rolname ~ '^shop_orders_[0-9a-f]{8}_[ab]$' AND rolcanlogin"
    assert server.execute(reader) == [(1,)]
    assert replica.stop() == 0


def _psql() -> None:
    if not shutil.which("psql"):
        raise MissingPart("the pages log in with psql; apt-get install postgresql-client brings it")
