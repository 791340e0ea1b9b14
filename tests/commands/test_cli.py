"""The command line around the commands: usage, versions, CRDs, plugins, and one sentence for whatever goes wrong."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dbclaims.core import cli
from dbclaims.core.api import crds
from dbclaims.core.commands.command import CommandError
from dbclaims.core.definitions import WrongDefinitions
from dbclaims.core.installation import InstallationError
from dbclaims.core.kube.config import ConfigError, own_namespace
from dbclaims.core.manager import ManagerError
from dbclaims.core.objectstore import StoreError
from dbclaims.core.plugins import PluginError
from dbclaims.core.rights import own_rules, rules

Captured = pytest.CaptureFixture[str]


def subclasses(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for each in root.__subclasses__():
        yield from subclasses(each)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["upp"],
        ["up"],
        ["up", ".", "--onc"],
        ["delete", "orders", "."],
        ["run", "--resync", "10"],
        ["run", "--resync", "0s"],
        ["run", "--workers", "0"],
    ],
)
def test_wrong_usage_exits_with_2_and_says_how(arguments: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("usage: dbclaims")


def test_the_version_is_the_distribution_s(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, "dbclaims 0.1.0\n")


def test_crds_prints_what_the_api_server_takes(capsys: Captured) -> None:
    assert cli.main(["crds"]) == 0
    assert list(yaml.safe_load_all(capsys.readouterr().out)) == crds()


def test_plugins_lists_ours_with_what_they_can_do(capsys: Captured) -> None:
    assert cli.main(["plugins", "-o", "json"]) == 0
    listed = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert (listed["existing"]["kind"], listed["postgres"]["kind"]) == ("provider", "engine")
    assert {listed[name]["unavailable"] for name in ("existing", "postgres")} == {""}
    assert "Extensions" in listed["postgres"]["features"]


def test_the_table_of_plugins_cuts_nothing(capsys: Captured) -> None:
    assert cli.main(["plugins"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["NAME", "KIND", "VERSION", "DISTRIBUTION", "FEATURES", "AVAILABLE"]
    assert any(line.split()[:4] == ["postgres", "engine", "0.1.0", "dbclaims"] for line in lines)


@pytest.mark.parametrize(
    "root", [StoreError, PluginError, InstallationError, ManagerError, ConfigError, CommandError, WrongDefinitions]
)
def test_no_error_of_ours_reaches_the_terminal_as_a_traceback(
    root: type[Exception], monkeypatch: pytest.MonkeyPatch, capsys: Captured, tmp_path: Path
) -> None:
    for error in subclasses(root):

        def refuse(*_: object, error: type[Exception] = error, **__: object) -> None:
            raise error("what, and the way out")

        monkeypatch.setattr("dbclaims.core.commands.up.LocalStore", refuse)
        assert cli.main(["up", str(tmp_path)]) == 1
        assert capsys.readouterr().err == "dbclaims: what, and the way out\n"


def test_a_pod_s_own_namespace_is_known_and_nobody_has_one_outside(tmp_path: Path) -> None:
    assert own_namespace(tmp_path) is None
    (tmp_path / "namespace").write_text("databases\n")
    assert own_namespace(tmp_path) == "databases"


def test_secrets_are_never_listed_or_watched_and_no_spec_is_written() -> None:
    for rule in [*rules(), *own_rules()]:
        assert "*" not in (rule.group, *rule.resources, *rule.verbs)
        assert "deletecollection" not in rule.verbs
        if "secrets" in rule.resources:
            assert not {"list", "watch", "patch"} & set(rule.verbs)
