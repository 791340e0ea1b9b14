"""What every verb says, word for word, on a terminal of 100 columns and in a pipe: `golden/<verb>.<where>.txt`.

`GOLDEN=write pytest tests/kubectl/test_golden.py` writes the files anew; look at the difference before you commit it.
What differs from run to run (tags, ports, uids, moments) is replaced by something of the same length.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from dbclaims.core.kinds import CLAIM
from dbclaims.core.kubectl.claims import ROOMS
from tests.controlplane.cluster import ControlPlane
from tests.integration.account import Account
from tests.integration.planning import identify
from tests.integration.world import World
from tests.servers.postgres import PostgresServer

from .conftest import Person
from .terminal import Said

GOLDEN = Path(__file__).with_name("golden")

CASES: dict[str, tuple[str, ...]] = {
    "list": (
        "list",
        "",
        "list -o wide",
        "list -A -l none=of-them",
        "list -o name",
        "list search --no-headers",
        "list orders --show-labels -v 6",
    ),
    "explain": ("explain orders", "explain billing --exit-code", "explain search", "explain orders -o json"),
    "tree": ("tree orders", "tree orders -o yaml"),
    "events": ("events orders",),
    "top": ("top", "top --sort size --no-headers"),
    "classes": ("classes", "classes -o name"),
    "servers": ("servers -n PLATFORM",),
    "grants": ("grants", "grants billing"),
    "psql": ("psql orders -- -o /dev/null -c 'SELECT 1'",),
    "connect": ("connect orders -- -o /dev/null -c 'SELECT 1'",),
    "credentials": ("credentials orders", "credentials billing"),
    "who-uses": ("who-uses orders", "who-uses orders --admin"),
    "plan": (
        "plan orders --system-namespace PLATFORM",
        "plan search",
        "plan billing --system-namespace PLATFORM -o json",
    ),
    "rotate": ("rotate orders --dry-run=client", "rotate orders --dry-run=server", "rotate search"),
    "pause": ("pause orders --dry-run=client", "pause orders --dry-run=server", "pause search --dry-run=client"),
    "resume": ("resume search --dry-run=client", "resume search --dry-run=server", "resume orders --dry-run=server"),
    "approve": ("approve orders", "approve orders 0123456789ab"),
    "wait": ("wait orders", "wait billing"),
    "check": ("check --system-namespace PLATFORM",),
    "report": ("report -f REPORT --force",),
    "init": ("init claim carts", "init platform shared -n platform"),
    "version": ("version", "version --client -o json"),
    "completion": ("completion", "completion --script"),
}


@pytest.fixture(scope="module")
def scene(
    api_server: ControlPlane, everywhere: Account, pg: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Person]:
    """A shop with a claim that was just rotated and is used, one that is paused, and one that is refused."""
    world = World(api_server, pg, shared=True, account=everywhere)
    with ExitStack() as stack:
        stack.callback(world.close)
        world.offer()
        for name in ("orders", "search"):
            world.claim(name, databaseName=f"{name}_{world.tag}")
        world.grant()
        world.grant("events-for-all", to="platform")
        world.role()
        world.settle()
        world.pass_time(60)
        stack.enter_context(_session(world, "orders-api"))
        world.annotate(CLAIM, "orders", rotate="1")
        world.annotate(CLAIM, "search", paused="true")
        world.patch(CLAIM, "orders", {"metadata": {"labels": {"app": "orders", "team": "shop"}}})
        world.claim("billing", databaseName="postgres")
        world.settle()
        world.pass_time(60)
        stack.enter_context(_session(world, "orders-job"))
        _pod(world)
        identify(world)
        yield Person(world)
    assert world.chronicle.wrong == []


def _session(world: World, application: str) -> psycopg.Connection[object]:
    authority = str(world.postgres.ca_file)
    return psycopg.connect(make_conninfo(world.secret()["dsn"], sslrootcert=authority, application_name=application))


def _pod(world: World) -> None:
    """A pod that reads the claim's Secret, at the address from which the job's session comes."""
    path = f"/api/v1/namespaces/{world.named('shop')}/pods"
    secret = {"secretRef": {"name": "orders"}}
    spec = {"containers": [{"name": "job", "image": "images.example.internal/job", "envFrom": [secret]}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "orders-job-x7k2p"}, "spec": spec}
    assert world.cluster.request("POST", path, pod)[0] == 201
    status = {"status": {"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]}}
    answer = world.cluster.request("PATCH", f"{path}/orders-job-x7k2p/status", status, kind="merge-patch+json")
    assert answer[0] == 200


def test_every_verb_has_a_golden_text() -> None:
    assert set(CASES) == set(ROOMS)
    assert {path.name for path in GOLDEN.iterdir()} == {
        f"{verb}.{w}.txt" for verb in CASES for w in ("terminal", "pipe")
    }


@pytest.mark.parametrize("where", ["terminal", "pipe"])
@pytest.mark.parametrize("verb", CASES)
def test_a_verb_says_what_it_said_before(
    scene: Person, verb: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if re.search("PASS|TOKEN|SECRET", name)]:
        monkeypatch.delenv(name)
    text = "\n".join(_case(scene, case, where, tmp_path) for case in CASES[verb])
    path = GOLDEN / f"{verb}.{where}.txt"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(text)
    assert text == path.read_text()


def _case(scene: Person, case: str, where: str, folder: Path) -> str:
    report = folder / "report.zip"
    typed = case.replace("PLATFORM", scene.world.named("platform")).replace("REPORT", str(report))
    arguments = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", typed)]
    said = (scene.sees if where == "terminal" else scene.says)(*arguments)
    shown = _shown(case, said).replace(str(report), "REPORT").replace(scene.world.admin.username, "admin_a0b1c2")
    dated = any(word in shown for word in ("AGE ", "SINCE", "OLDEST", "--no-headers"))
    return _steady(_aged(shown) if dated else shown, scene.world)


def _shown(case: str, said: Said) -> str:
    beside = f"--- stderr\n{said.err}" if said.err else ""
    return f"$ kubectl claims {case}\n{said.out}{beside}--- exit {said.code}\n"


def _steady(text: str, world: World) -> str:
    """The text without what differs from run to run."""
    for pattern, steady in (
        (world.tag, "a0b1c2"),
        (rf"\b{world.postgres.port}\b", "54321"),
        (re.escape(world.cluster.url), "https://127.0.0.1:6443"),
        (r"_[0-9a-f]{8}(?=_[ab]\b)", "_0123abcd"),
        (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", "2026-11-20 10:00:00"),
        (r"\d+ files, \d+ KiB", "N files, N KiB"),
    ):
        text = re.sub(pattern, steady, text)
    return text


def _aged(table: str) -> str:
    """The ages that the API server counts by its own clock, as one and the same."""
    text = re.sub(r"(?m)(?<=   )\d+[sm]\w*( *)(?=   |$)", "1s ", re.sub(r"AGE +(?=NOTE|LABELS)", "AGE   ", table))
    return re.sub(r"(?m) +$", "", text)
