"""A stranger's provider from `pip install` to the end of a server, against its own little cloud on loopback.

The same file stands in docs/plugins.md; `test_docs.py` holds the two together.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest

from dbclaims.core import spi
from dbclaims.core.config import structure_config
from dbclaims.core.plugins import Provider, load

from .acme_cloud import TOKEN, AcmeCloud, acme_cloud

SOURCE = Path(__file__).parent / "acme"
REF = spi.ServerRef("platform", "orders", "uid-1")
SPEC = spi.ServerSpec(REF, "postgres", version="17", size="small", admin=spi.Credentials("admin", "hunter2"))


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip has installed the plugin, without a network."""
    target = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(SOURCE)], check=True)
    return target


@pytest.fixture
def cloud() -> Iterator[AcmeCloud]:
    with acme_cloud() as cloud:
        yield cloud


@pytest.fixture
def acme(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.syspath_prepend(installed)
    return load(["acme-dbclaims"]).providers["acme"]


@pytest.fixture
def session(acme: Provider, cloud: AcmeCloud) -> object:
    return opened(acme, cloud, token=TOKEN)


def opened(acme: Provider, cloud: AcmeCloud, **secret: str) -> object:
    def read(name: str) -> Mapping[str, str]:
        assert name == "acme-token"
        return secret

    assert acme.info.config is not None
    return acme.open(structure_config(acme.info.config, {"url": cloud.url, "tokenSecretName": "acme-token"}), read)


def pass_over(acme: Provider, session: object, desired: spi.ServerSpec | None) -> list[str]:
    """One turn of the loop; every action twice, since each may be repeated."""
    plan = acme.plan(desired, acme.observe(session, REF))
    for action in (*plan, *plan):
        acme.apply(session, REF, action)
    return [action.verb for action in plan]


def test_the_provider_stays_as_short_as_the_guide_says() -> None:
    lines = (SOURCE / "acme_provider.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= 48


def test_its_harness_stays_as_short_as_the_guide_says() -> None:
    lines = (SOURCE / "acme_harness.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= 35


def test_pip_install_alone_brings_the_plugin_into_a_new_process(installed: Path) -> None:
    program = (
        "import json, attrs; from dbclaims.core.plugins import load\n"
        "print(json.dumps([attrs.astuple(each) for each in load(['acme-dbclaims']).listings]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(installed)}, capture_output=True, text=True, check=True
    )
    assert ["acme", "provider", "acme-dbclaims", "1.2.3", ["Create", "Resize"], ""] in json.loads(ran.stdout)


def test_it_is_conformant_with_one_command(installed: Path, tmp_path: Path) -> None:
    report = tmp_path / "acme.json"
    search = os.pathsep.join([str(installed), str(SOURCE.parents[2]), *filter(None, sys.path)])
    ran = subprocess.run(
        [sys.executable, "-m", "dbclaims.conformance", "acme", "--report", str(report)],
        env={**os.environ, "PYTHONPATH": search},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    made = json.loads(report.read_text())
    assert (made["distribution"], made["version"], made["verdict"]) == ("acme-dbclaims", "1.2.3", "conformant")


def test_a_server_s_life_from_absent_to_absent(acme: Provider, cloud: AcmeCloud, session: object) -> None:
    assert acme.observe(session, REF) is None
    assert pass_over(acme, session, SPEC) == ["create"]
    made = acme.observe(session, REF)
    assert made is not None
    assert (made.ready, made.endpoint) == (False, None)
    cloud.settle()
    running = acme.observe(session, REF)
    assert running is not None
    assert running.ready
    assert running.endpoint == spi.Endpoint("127.0.0.1", 5432)
    assert cloud.servers["platform.orders"]["admin"] == {"username": "admin", "password": "hunter2"}
    assert pass_over(acme, session, SPEC) == []
    assert pass_over(acme, session, attrs.evolve(SPEC, size="large")) == ["resize"]
    cloud.settle()
    assert pass_over(acme, session, attrs.evolve(SPEC, size=None)) == []
    assert cloud.servers["platform.orders"]["size"] == "large"
    assert pass_over(acme, session, None) == ["delete"]
    cloud.settle()
    assert cloud.servers == {}
    assert pass_over(acme, session, None) == []


def test_a_server_of_somebody_else_is_not_touched(acme: Provider, cloud: AcmeCloud, session: object) -> None:
    pass_over(acme, session, SPEC)
    cloud.servers["platform.orders"]["owner"] = "uid-2"
    with pytest.raises(spi.NotOwned, match="choose another name"):
        acme.observe(session, REF)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, spi.Transient), (500, spi.Transient), (503, spi.Transient), (403, spi.Refused), (400, spi.Refused)],
)
def test_what_the_cloud_answers_is_never_absence(
    acme: Provider, cloud: AcmeCloud, session: object, status: int, kind: type[spi.SPIError]
) -> None:
    cloud.refuse_with = status
    with pytest.raises(kind, match=str(status)):
        acme.observe(session, REF)


def test_a_cloud_that_is_away_is_unreachable(acme: Provider) -> None:
    with acme_cloud() as cloud:
        session = opened(acme, cloud, token=TOKEN)
    with pytest.raises(spi.Unreachable, match="cannot be reached for GET orders"):
        acme.observe(session, REF)


@pytest.mark.parametrize("secret", [{"token": "wrong-hunter2"}, {}])
def test_a_wrong_token_is_refused_without_being_shown(acme: Provider, cloud: AcmeCloud, secret: dict[str, str]) -> None:
    with pytest.raises(spi.Refused) as caught:
        acme.observe(opened(acme, cloud, **secret), REF)
    assert "hunter2" not in str(caught.value)


def test_no_password_shows_in_a_plan(acme: Provider) -> None:
    assert "hunter2" not in repr(acme.plan(SPEC, None))


def test_the_configuration_takes_a_secret_s_name_and_no_secret(acme: Provider) -> None:
    assert acme.info.config is not None
    with pytest.raises(spi.InvalidSpec, match=r"spec\.config\.token: a secret does not belong here"):
        structure_config(acme.info.config, {"url": "x", "tokenSecretName": "y", "token": TOKEN})
