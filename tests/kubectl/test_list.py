"""`list`: the API server's own table, few requests, few imports, and the same table from a store without one."""

from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import yaml

from dbclaims.core.api.crd import columns
from dbclaims.core.api.kinds import RESOURCES
from dbclaims.core.kinds import CLAIM, CLASS, SERVER
from dbclaims.core.kubectl.cluster import ClusterHome
from dbclaims.core.kubectl.directory import row
from dbclaims.core.kubectl.words import WORDS
from dbclaims.core.objectstore import Kind
from tests.integration.world import World

from .conftest import Person

MANY = 1000
HEAVY = ("attr", "attrs", "cattrs", "urllib3", "orjson", "kubernetes", "prometheus_client", "rich", "pluggy", "logging")


def _requests(world: World, position: int) -> list[str]:
    return [each.uri for each in world.cluster.audit_since(position) if each.user_agent == "kubectl-claims"]


@pytest.fixture
def crowd(world: World) -> Person:
    """A namespace with a thousand claims that no controller looks at."""
    world.process.stop()
    path = f"/apis/dbclaims.io/v1alpha1/namespaces/{world.named('shop')}/databaseclaims"
    for number in range(MANY):
        name = f"claim-{number:04}"
        body = {"apiVersion": CLAIM.api_version, "kind": "DatabaseClaim", "metadata": {"name": name}}
        assert world.cluster.request("POST", path, {**body, "spec": {"className": "none"}})[0] == 201
    return Person(world)


def test_a_thousand_claims_are_listed_with_at_most_three_requests(crowd: Person) -> None:
    for arguments in (("list",), ("list", "-A", "-o", "wide"), ("list", "-o", "name")):
        position = crowd.world.cluster.audit_position()
        said = crowd.says(*arguments)
        assert said.code == 0
        assert sum("claim-" in line for line in said.out.splitlines()) == MANY
        assert len(_requests(crowd.world, position)) <= 3


def test_list_imports_nothing_heavy(person: Person, tmp_path: Path) -> None:
    world = person.world
    # As people have it: YAML, not the JSON that a ControlPlane writes.
    config = tmp_path / "config"
    config.write_text(yaml.safe_dump(yaml.safe_load(world.cluster.kubeconfig().read_text())))
    program = "import sys; from dbclaims.core.kubectl.claims import main; main(); print(*sys.modules, file=sys.stderr)"
    flags = ["--kubeconfig", str(config), "-n", world.named("shop")]
    done = subprocess.run([sys.executable, "-c", program, *flags], capture_output=True, text=True, check=True)
    assert "orders" in done.stdout
    loaded = set(done.stderr.split())
    assert loaded & set(HEAVY) == set()
    assert {name for name in loaded if name.startswith("dbclaims.")} == {
        "dbclaims.core",
        "dbclaims.core.kube",
        "dbclaims.core.kube.access",
        "dbclaims.core.kube.contexts",
        "dbclaims.core.kube.trace",
        "dbclaims.core.kubectl",
        *(f"dbclaims.core.kubectl.{name}" for name in ("claims", "cluster", "desk", "flags", "listing")),
        *(f"dbclaims.core.kubectl.{name}" for name in ("screen", "tables", "verb", "wire", "words")),
    }


@pytest.mark.parametrize("wide", [False, True])
def test_a_store_without_tables_gives_the_table_that_the_api_server_makes(person: Person, wide: bool) -> None:
    world = person.world
    world.grant()
    world.role()
    world.settle()
    flags = Namespace(
        kubeconfig=str(world.cluster.kubeconfig()), context="", cluster="", user="", as_user="", as_group=""
    )
    flags.request_timeout = 10.0
    home = ClusterHome(flags)
    for word in WORDS:
        namespace = {"RoleClaim": world.named("bi"), "DatabaseServer": world.named("platform")}.get(
            word.kind, world.named("shop")
        )
        theirs = home.table(word, namespace, {}, wide=wide)
        shown = [each for each in columns(RESOURCES[word.kind]) if wide or not each.wide]
        ours = [row(each, shown, world.clock.now()) for each in home.objects(word, namespace, {})]
        assert theirs.columns == ("Name", *(each.name for each in shown))
        dated = {at for at, each in enumerate(shown, 1) if each.type == "date"}
        assert theirs.rows
        for one, two in zip(theirs.rows, ours, strict=True):
            same = [(a, b) for at, (a, b) in enumerate(zip(one.cells, two.cells, strict=True)) if at not in dated]
            assert all(a == b for a, b in same), same
    home.close()


def test_the_forms_for_programs_are_kubectl_s(person: Person) -> None:
    world = person.world
    for form in (
        "json",
        "name",
        "jsonpath={.items[*].spec.className}",
        "jsonpath={range .items[*]}{.kind}{'\\n'}{end}",
    ):
        said = person.says("list", "-o", form)
        theirs = _kubectl(world, "get", "databaseclaims", "-n", world.named("shop"), "-o", form)
        assert (said.code, said.out.strip()) == (0, theirs.strip()), form
    one = person.says("list", "orders", "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')
    assert one.out == "True\n"
    single = _kubectl(world, "get", "databaseclaim", "orders", "-n", world.named("shop"), "-o", "json")
    assert person.says("list", "orders", "-o", "json").out.strip() == single.strip()
    assert "kind: DatabaseClaim" in person.says("list", "orders", "-o", "yaml").out


def test_selectors_are_the_api_server_s(person: Person) -> None:
    world = person.world
    world.patch(CLAIM, "orders", {"metadata": {"labels": {"team": "shop"}}})
    world.claim("carts")
    assert person.says("list", "-l", "team=shop", "-o", "name").out.split() == ["databaseclaim.dbclaims.io/orders"]
    said = person.says("list", "--field-selector", f"spec.className={world.named('shared')}", "-o", "name")
    assert len(said.out.split()) == 2


def test_labels_are_shown_as_kubectl_shows_them(person: Person) -> None:
    world = person.world
    world.patch(CLAIM, "orders", {"metadata": {"labels": {"team": "shop", "app.kubernetes.io/name": "orders"}}})
    world.claim("carts")
    theirs = _kubectl(world, "get", "databaseclaims", "-n", world.named("shop"), "--show-labels").splitlines()
    ours = person.says("list", "--show-labels").out.splitlines()
    # NOTE comes behind it, and only `carts` has one.
    assert [line.partition("   see ")[0].split()[-1] for line in ours[1:]] == [line.split()[-1] for line in theirs[1:]]
    assert ours[0].split()[-2:] == ["LABELS", "NOTE"]
    everywhere = person.says("list", "-A", "--show-labels", "-l", "team=shop", "--no-headers").out
    assert everywhere.endswith("   app.kubernetes.io/name=orders,team=shop\n")


def ageless(table: str) -> list[str]:
    """The lines without the last column, which the API server counts by its own clock."""
    return [line.rpartition(" ")[0] for line in table.splitlines()]


def test_each_request_is_told_of_from_6_on_and_nothing_that_is_secret(person: Person) -> None:
    world = person.world
    path = f"{world.cluster.url}/apis/dbclaims.io/v1alpha1/namespaces/{world.named('shop')}/databaseclaims"
    assert person.says("list", "-v", "5").err == ""
    told = person.says("list", "-v=6")
    assert ageless(told.out) == ageless(person.says("list").out)
    assert told.err == f"GET {path}?includeObject=None&limit=500 200 OK in 0 milliseconds\n"
    told = person.says("--v", "9", "credentials", "orders", "--show", "-o", "json")
    secret = f"{world.cluster.url}/api/v1/namespaces/{world.named('shop')}/secrets/orders"
    lines = [f"GET {url} 200 OK in 0 milliseconds" for url in (f"{path}/orders", secret)]
    assert told.err.splitlines() == lines
    password = world.secret()["password"]
    assert password in told.out
    assert [word for word in (password, world.cluster.token(), "Bearer") if word in told.err] == []
    refused = Person(world, "developer").says("list", "-v6")
    assert (refused.code, refused.err.splitlines()[0].partition("&")[2]) == (
        1,
        "limit=500 403 Forbidden in 0 milliseconds",
    )


def test_an_empty_namespace_is_said_in_kubectl_s_words(person: Person) -> None:
    place = person.world.named("bi")
    said = person.says("list", "-n", place)
    assert (said.code, said.out, said.err) == (0, "", f"No resources found in {place} namespace.\n")


def test_a_watch_goes_on_with_a_line_for_each_change(person: Person) -> None:
    world = person.world
    flags = ["--kubeconfig", str(world.cluster.kubeconfig()), "-n", world.named("shop"), "-w"]
    command = [sys.executable, "-u", "-m", "dbclaims.core.kubectl.claims", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().split()[0] == "NAME"
        assert process.stdout.readline().split()[:2] == ["orders", "True"]
        world.claim("carts")
        assert process.stdout.readline().split()[:2] == ["carts", "Unknown"]
        process.terminate()


def test_colours_are_for_eyes_alone(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[32mTrue\x1b[0m" in person.sees("list").out
    assert "\x1b" not in person.says("list").out
    assert "\x1b" in person.says("list", "--color", "always").out
    assert "\x1b" not in person.sees("list", "--color", "never").out
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in person.sees("list").out
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in person.sees("list").out


def _kubectl(world: World, *arguments: str) -> str:
    command = [str(world.cluster.kubectl), "--kubeconfig", str(world.cluster.kubeconfig()), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_kinds_of_the_core_have_the_same_places() -> None:
    by_kind: dict[str, Kind] = {kind.kind: kind for kind in (CLAIM, CLASS, SERVER)}
    for word in WORDS:
        if kind := by_kind.get(word.kind):
            assert (word.plural, word.namespaced) == (kind.plural, kind.namespaced)
