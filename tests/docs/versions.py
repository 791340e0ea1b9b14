"""The table in docs/versions.md: what is supported, and what the tests run, each read where it is decided."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from dbclaims.core import plugins
from tests.helm.build import MAJORS
from tests.servers.mysqlinstallation import SOURCES

from .blocks import REPOSITORY
from .chart import CHART
from .markdown import remade, table

BEGIN, END = "<!-- versions, made by `make docs` -->", "<!-- end of versions -->"

_TESTS = REPOSITORY / "tests"
_FIRST_MARIADB = 10
"""MySQL's own numbers are below it."""


def tabled(page: str) -> str:
    """The page with its table made anew. Raises `ValueError` where the markers are missing."""
    return remade(page, BEGIN, END, table(("what", "supported", "run by the tests"), _rows()))


def _rows() -> Iterator[tuple[str, str, str]]:
    engines = plugins.load().engines
    mysql, mariadb = _apart(engines["mysql"].info.versions)
    run_mysql, run_mariadb = _apart(name.removeprefix("mariadb-") for name in SOURCES)
    helms = (_required(_TESTS / "helm" / f"v{major}", f"helm.sh/helm/v{major}") for major in MAJORS)
    yield "Kubernetes", _kubernetes(), _required(_TESTS / "controlplane", "k8s.io/kubernetes")
    yield "helm", ", ".join(map(str, MAJORS)), ", ".join(helms)
    yield "PostgreSQL", ", ".join(engines["postgres"].info.versions), ", ".join(_postgres())
    yield "MySQL", mysql, run_mysql
    yield "MariaDB", mariadb, run_mariadb
    yield "Python", _python(), _found(r"command -v python([\d.]+)", REPOSITORY / "Makefile")


def _apart(versions: Iterable[str]) -> tuple[str, str]:
    """MySQL's versions and MariaDB's, each as a list of words."""
    every = list(versions)
    mysql = [version for version in every if int(version.partition(".")[0]) < _FIRST_MARIADB]
    return ", ".join(mysql), ", ".join(version for version in every if version not in mysql)


def _required(module: Path, name: str) -> str:
    """The version of a Go module that a folder's go.mod pins."""
    return _found(rf"^require {re.escape(name)} v(\S+)|^\t{re.escape(name)} v(\S+)", module / "go.mod")


def _postgres() -> list[str]:
    """Those that are pinned, and Debian's."""
    lock = json.loads((_TESTS / "servers" / "installation.lock.json").read_text())["versions"]
    releases = {major: each["version"].rpartition(".0-")[0] for major, each in lock.items()}
    debian = _found(r"postgresql-(\d+)", REPOSITORY / "Makefile")
    return sorted([*releases.values(), f"{debian} (Debian's)"], key=lambda text: int(text[:2]))


def _kubernetes() -> str:
    wanted = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]
    return f"{wanted.removeprefix('>=').removesuffix('.0-0')} and newer"


def _python() -> str:
    wanted = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["requires-python"]
    return f"{wanted.removeprefix('>=')} and newer"


def _found(pattern: str, path: Path) -> str:
    """What the one group that matches holds. Raises `ValueError` where nothing does."""
    match = re.search(pattern, path.read_text(), re.MULTILINE)
    if match is None:
        raise ValueError(f"{path} holds nothing like {pattern}")
    return next(group for group in match.groups() if group)
