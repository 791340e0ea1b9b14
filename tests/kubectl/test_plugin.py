"""Through a real kubectl: it finds the plugin, hands it its arguments, and asks it for completions."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from dbclaims.core.kubectl.claims import ROOMS
from tests.docs.blocks import REPOSITORY
from tests.integration.world import World

from .conftest import Person

SCRIPTS = {"kubectl-claims": "claims:main", "kubectl_complete-claims": "completion:main"}


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with the plugin as its console scripts install it."""
    for name, entry in SCRIPTS.items():
        module, _, function = entry.partition(":")
        script = tmp_path / name
        body = f"from dbclaims.core.kubectl.{module} import {function}\nsys.exit({function}())\n"
        script.write_text(f"#!{sys.executable}\nimport sys\n{body}")
        script.chmod(0o700)
    return f"{tmp_path}:{os.environ['PATH']}"


def kubectl(world: World, path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": path, "KUBECONFIG": str(world.cluster.kubeconfig())}
    command = [str(world.cluster.kubectl), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_distribution_installs_both_scripts() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    for name, entry in SCRIPTS.items():
        assert project["scripts"][name] == f"dbclaims.core.kubectl.{entry}"
        module, _, function = project["scripts"][name].partition(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_kubectl_runs_it(person: Person, path: str) -> None:
    shop = person.world.named("shop")
    done = kubectl(person.world, path, "claims", "-n", shop)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].split()[:3] == ["orders", "True", "Available"]
    assert kubectl(person.world, path, "claims", "explain", "nope", "-n", shop).returncode == 1
    assert kubectl(person.world, path, "claims", "explain", "orders", "-n", shop, "--exit-code").returncode == 0


def completions(world: World, path: str, *words: str) -> list[str]:
    done = kubectl(world, path, "__complete", "claims", *words)
    assert done.returncode == 0, done.stderr
    *found, directive = done.stdout.splitlines()
    assert directive == ":4", "no file names are offered"
    return [each.partition("\t")[0] for each in found]


def test_kubectl_completes_verbs_and_names(person: Person, path: str) -> None:
    world, shop = person.world, person.world.named("shop")
    world.claim("carts")
    assert completions(world, path, "") == list(ROOMS)
    assert completions(world, path, "re") == [name for name in ROOMS if name.startswith("re")]
    assert completions(world, path, "-n", shop, "explain", "") == ["carts", "orders"]
    assert completions(world, path, "psql", "-n", shop, "or") == ["orders"]
    assert completions(world, path, "explain", "-n", shop, "orders", "") == []
    assert completions(world, path, "classes", world.named("shared")[:4]) == [world.named("shared")]
    assert completions(world, path, "--context", "") == ["test"]
    assert completions(world, path, "explain", "-n", "nowhere", "") == []


def test_trouble_is_no_completion(person: Person, path: str) -> None:
    environment = {**os.environ, "KUBECONFIG": "/nowhere"}
    command = [path.partition(":")[0] + "/kubectl_complete-claims", "explain", ""]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, ":4\n", "")


def test_the_saved_script_asks_the_plugin(person: Person, path: str) -> None:
    folder = Path(path.partition(":")[0])
    (folder / "kubectl_complete-claims").write_text(person.says("completion", "--script").out)
    assert "rotate" in completions(person.world, path, "ro")
