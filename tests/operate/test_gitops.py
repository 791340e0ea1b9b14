"""What Argo CD and Flux make of our objects at recorded moments of a claim's life, and what k9s is given."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.kstatus import kstatus
from tests.conftest import needed
from tests.controlplane.cluster import ControlPlane
from tests.docs.blocks import REPOSITORY, blocks
from tests.lua.build import glua

from .flux import FluxHealth
from .record import OBJECTS

K9S = REPOSITORY / "docs" / "k9s" / "plugins.yaml"
ARGO = {
    "fresh": "Progressing",
    "ready": "Healthy",
    "paused": "Suspended",
    "refused": "Degraded",
    "edited": "Progressing",
}
FLUX = {"fresh": "inProgress", "ready": "current", "paused": "current", "refused": "failed", "edited": "inProgress"}


def claims() -> dict[str, dict[str, Any]]:
    """The claim at each moment, and just after an edit that nobody has looked at."""
    moments: dict[str, list[dict[str, Any]]] = json.loads(OBJECTS.read_text())
    found = {name: next(o for o in each if o["kind"] == "DatabaseClaim") for name, each in moments.items()}
    edited = copy.deepcopy(found["ready"])
    edited["metadata"]["generation"] += 1
    return {**found, "edited": edited}


def others() -> list[dict[str, Any]]:
    """The other kinds, ready."""
    return [each for each in json.loads(OBJECTS.read_text())["ready"] if each["kind"] != "DatabaseClaim"]


def shown(kind: str) -> dict[str, Any]:
    """The document of this kind on the page."""
    found = [yaml.safe_load(block.text) for block in blocks("yaml") if block.place.startswith("gitops.md")]
    return next(each for each in found if each["kind"] == kind)


def argo(obj: dict[str, Any], scratch: Path) -> dict[str, str]:
    """The health that Argo CD's own Lua finds, by the check on the page."""
    customizations = yaml.safe_load(shown("ConfigMap")["data"]["resource.customizations"])
    check = customizations["dbclaims.io/*"]["health.lua"]
    script = scratch / "health.lua"
    script.write_text(
        f"local obj = {lua(obj)}\nlocal function health()\n{check}\nend\n"
        "local hs = health()\nprint(hs.status)\nprint(hs.message)\n"
    )
    done = subprocess.run([needed(glua), script], capture_output=True, text=True, timeout=30, check=False)
    status, _, message = done.stdout.partition("\n")
    assert done.returncode == 0, done.stderr
    return {"status": status, "message": message.strip()}


def lua(value: object) -> str:
    """A value of JSON as Lua writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{lua(key)}] = {lua(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(lua, value)) + "}"
    return "nil" if value is None else json.dumps(value)


@pytest.mark.parametrize("moment", ARGO)
def test_argo_cd_finds_the_health_of_a_claim_at_each_moment_of_its_life(moment: str, tmp_path: Path) -> None:
    found = argo(claims()[moment], tmp_path)
    assert found["status"] == ARGO[moment]
    assert found["message"]


@pytest.mark.parametrize("obj", others(), ids=lambda obj: str(obj["kind"]))
def test_argo_cd_finds_every_other_kind_healthy_once_it_is(obj: dict[str, Any], tmp_path: Path) -> None:
    assert argo(obj, tmp_path)["status"] == "Healthy"


def test_argo_cd_waits_for_an_object_without_a_status(tmp_path: Path) -> None:
    bare = {key: value for key, value in claims()["fresh"].items() if key != "status"}
    assert argo(bare, tmp_path)["status"] == "Progressing"


def test_argo_cd_says_that_a_login_is_broken(tmp_path: Path) -> None:
    broken = copy.deepcopy(claims()["ready"])
    broken["status"]["conditions"][0] |= {"status": "False", "reason": "LoginRefused", "message": "refused"}
    assert argo(broken, tmp_path) == {"status": "Degraded", "message": "refused"}


def test_flux_finds_what_the_page_says_at_each_moment(cluster: ControlPlane) -> None:
    expressions = shown("Kustomization")["spec"]["healthCheckExprs"]
    assert {each["kind"] for each in expressions} == {"DatabaseClaim", "DatabaseServer"}
    checks = {each.pop("kind"): each for each in expressions}
    for each in checks.values():
        assert each.pop("apiVersion") == "dbclaims.io/v1alpha1"
    health = FluxHealth(cluster, "DatabaseClaim", checks["DatabaseClaim"])
    assert {moment: health.of(obj) for moment, obj in claims().items()} == FLUX
    server = next(each for each in others() if each["kind"] == "DatabaseServer")
    assert FluxHealth(cluster, "DatabaseServer", checks["DatabaseServer"]).of(server) == "current"


def test_flux_without_expressions_finds_the_same_but_for_the_time_that_it_takes() -> None:
    wanted = {"inProgress": "InProgress", "current": "Current", "failed": "Failed"}
    assert {moment: kstatus(obj) for moment, obj in claims().items()} == {
        moment: wanted[found] for moment, found in FLUX.items()
    }


def test_every_k9s_plugin_has_a_key_of_its_own_and_a_command() -> None:
    plugins = yaml.safe_load(K9S.read_text())["plugins"]
    keys = [plugin["shortCut"] for plugin in plugins.values()]
    assert len(keys) == len(set(keys)) > 4
    for plugin in plugins.values():
        assert {"shortCut", "description", "scopes", "command", "args"} <= plugin.keys()
        assert "claims" in " ".join(plugin["args"])
        assert plugin["scopes"] == ["databaseclaims"]


def test_what_k9s_changes_is_asked_for_first() -> None:
    plugins = yaml.safe_load(K9S.read_text())["plugins"]
    changing = {name for name in plugins if name.rpartition("-")[2] in ("rotate", "pause", "resume")}
    assert {name for name, plugin in plugins.items() if plugin.get("confirm")} == changing
