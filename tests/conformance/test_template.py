"""`dbclaims new`: an empty plugin fails the suite, and the suite's messages lead from hook to hook to a sound one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dbclaims.core.cli import main
from tests.plugins.acme import acme_provider

from .stand import Ran, lay_out, prove

ACME = """
import urllib3

@attrs.frozen
class Config:
    url: str
    token_secret_name: str

Session = tuple[Config, spi.SecretReader, urllib3.PoolManager]
"""
BY_ACME = "import tests.plugins.acme.acme_harness as acme\nbackend = acme.backend\n"
BY_POSTGRES = "from dbclaims.conformance.harnesses import postgres\nbackend = postgres.HARNESS.servers['17']\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "acme-dbclaims"


def test_an_empty_provider_is_led_to_a_sound_one(folder: Path) -> None:
    assert main(["new", "provider", "acme"]) == 0
    lay_out(folder, {"acme": "acme_provider"}, {"acme": "acme_harness:HARNESS"})
    plugin, harness = folder / "acme_provider.py", folder / "acme_harness.py"

    def write(hook: str) -> None:
        if hook == "backend":
            write_function(harness, hook, BY_ACME)
            write_function(plugin, "Config", ACME)
        else:
            extra = inspect.getsource(acme_provider.call) if hook == "provider_observe" else ""
            write_function(plugin, hook, inspect.getsource(getattr(acme_provider, hook)) + "\n\n" + extra)

    written = follow(folder, write, "-x")
    assert written == ["backend", "provider_open", "provider_observe", "provider_plan", "provider_apply"]
    ran = prove("acme", folder)
    assert (ran.code, ran.report["verdict"]) == (0, "conformant"), ran.output


@pytest.mark.long
def test_an_empty_engine_is_led_to_a_sound_one(folder: Path) -> None:
    assert main(["new", "engine", "acme"]) == 0
    lay_out(folder, {"acme": "acme_engine"}, {"acme": "acme_harness:HARNESS"})
    plugin, harness = folder / "acme_engine.py", folder / "acme_harness.py"

    def write(hook: str) -> None:
        if hook == "backend":
            write_function(harness, hook, BY_POSTGRES)
        else:
            write_function(plugin, hook, f"from dbclaims.engines import postgres\n{hook} = postgres.{hook}\n")

    some = "nobody_made or secret_logs_in or counted or survey or whether_anything or wrong_password"
    written = follow(folder, write, "-x", "-k", some)
    stubs = set(re.findall(r'"write (\w+)', (folder / "acme_engine.py").read_text()))
    assert (stubs, len(written)) == (set(), 12)


def test_a_template_never_overwrites_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder.mkdir()
    assert main(["new", "provider", "acme"]) == 1
    assert "is there already; choose another name" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_a_name_that_cannot_be_a_plugin_s_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["new", "provider", "../Acme"])
    assert "use up to 40 lower-case letters, digits and hyphens" in capsys.readouterr().err


def follow(folder: Path, write: Callable[[str], None], *options: str) -> list[str]:
    """Write what the first failure asks for, until nothing fails; return what was written, in order."""
    written: list[str] = []
    while (ran := prove("acme", folder, *options)).code:
        written.append(asked(ran))
        assert len(set(written)) == len(written), ran.output
        write(written[-1])
    return written


def asked(ran: Ran) -> str:
    """The name that the first failure's message says to write."""
    (message,) = ran.failed.values()
    found = re.search(r"\bwrite (\w+)", message)
    assert found, ran.output
    return found[1]


def write_function(file: Path, name: str, source: str) -> None:
    """Put source in the place of a function or class of the template."""
    text = file.read_text()
    pattern = rf"(?:@[\w.]+\n)?(?:def|class) {name}\b.*?(?=\n\n\n|\Z)"
    assert re.search(pattern, text, re.DOTALL)
    file.write_text(re.sub(pattern, lambda _: source.strip(), text, count=1, flags=re.DOTALL))
