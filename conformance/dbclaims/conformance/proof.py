"""One run of the suite over one plugin: which tests it runs, and what came of each."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dbclaims.core.plugins import PluginError

from .driver import Driver, drive
from .harness import HarnessError
from .plugin import SUITE
from .report import CORE, KnownFailure, KnownFailuresError, Outcome, Result, known_failures, report

DRIVER = pytest.StashKey[Driver]()
"""Where the suite's fixtures find the plugin."""


def start(config: pytest.Config) -> None:
    """Load what the options name. Raises `pytest.UsageError`."""
    try:
        driver = drive(config.option.plugin, _names(config.option.observers))
        path = config.option.known_failures
        known = known_failures(Path(path)) if path else ()
    except (PluginError, HarnessError, KnownFailuresError) as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[DRIVER] = driver
    config.pluginmanager.register(Proof(driver, known, config), "dbclaims-conformance-proof")


class Proof:
    """Chooses the tests, listens to the run and writes the report."""

    def __init__(self, driver: Driver, known: Sequence[KnownFailure], config: pytest.Config) -> None:
        self._driver, self._known = driver, known
        self._path: str | None = config.option.conformance_report
        self._only = _names(config.option.servers)
        # A part of the suite proves nothing.
        self._complete = not self._only
        self._chosen: list[pytest.Item] = []
        self._results: dict[str, Result] = {}
        self._watch = ExitStack()

    def pytest_sessionstart(self) -> None:
        """Watch from the first test on."""
        self._watch.enter_context(self._driver.recorder.watching())

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run every test once per server of its harness, or per kind of server."""
        if "server_name" in metafunc.fixturenames and self._driver.servers:
            names = [name for name in self._driver.servers if not self._only or name in self._only]
            metafunc.parametrize("server_name", names, scope="session")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out the other kind's tests and the profiles that the plugin does not declare."""
        folder = SUITE / f"{self._driver.listing.kind}s"
        suite = [item for item in items if folder in item.path.parents]
        chosen = [item for item in suite if profile(item) in (CORE, *self._driver.features)]
        self._results = {item.nodeid: _undeclared(item) for item in suite if item not in chosen}
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = sorted(chosen, key=lambda item: item.path.name == "test_watched.py")
        self._chosen = list(items)
        self._complete &= {item.path for item in suite} == set(folder.glob("test_*.py"))
        for item in items:
            self._expect(item)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """See what -k, -m and their like have left."""
        self._complete &= len(session.items) == len(self._chosen) and not any(
            "::" in arg for arg in session.config.args
        )

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Tell the recorder where we are."""
        self._driver.recorder.test = item.name

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep how the test ended; a broken fixture counts as a failure of its test."""
        made = yield
        before = self._results.get(item.nodeid)
        if made.when == "call" or made.outcome != "passed":
            outcome = _outcome(made)
            if before is None or outcome == "failed":
                message = self._driver.recorder.masked(_message(made, call))
                self._results[item.nodeid] = Result(item.name, profile(item), outcome, message)
        return made

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the report; a run that proved nothing does not end well."""
        self._watch.close()
        # With -x, or after ctrl-C, some were not run.
        self._complete &= {item.nodeid for item in self._chosen} <= self._results.keys()
        if self._path:
            Path(self._path).write_text(json.dumps(self._report(), indent=2, ensure_ascii=False) + "\n")
        if exitstatus == pytest.ExitCode.OK and self._complete and not self._report()["conformant"]:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say the verdict."""
        made = self._report()
        terminalreporter.section(f"{made['kind']} {made['plugin']}: {made['verdict']}")
        for name, each in made["profiles"].items():
            counts = ", ".join(f"{len(each[key])} {key}" for key in ("failed", "knownFailures", "skipped") if each[key])
            terminalreporter.line(f"{name}: {each['result']} ({each['passed']} passed{', ' * bool(counts)}{counts})")

    def _report(self) -> Mapping[str, Any]:
        date = datetime.now(UTC).isoformat(timespec="seconds")
        servers = self._only or self._driver.servers
        return report(self._driver.listing, servers, list(self._results.values()), date, complete=self._complete)

    def _expect(self, item: pytest.Item) -> None:
        for each in self._known:
            if each.names(item.name):
                item.add_marker(pytest.mark.xfail(reason=f"{each.reason} {each.url}".strip(), strict=True))


def profile(item: pytest.Item) -> str:
    """The profile that a test belongs to."""
    marker = item.get_closest_marker("feature")
    return str(marker.args[0]) if marker else CORE


def _undeclared(item: pytest.Item) -> Result:
    return Result(item.name, profile(item), "skipped", f"the plugin does not declare {profile(item)}")


def _outcome(made: pytest.TestReport) -> Outcome:
    if made.outcome == "skipped":
        return "known" if hasattr(made, "wasxfail") else "skipped"
    return made.outcome


def _message(made: pytest.TestReport, call: pytest.CallInfo[None]) -> str:
    if hasattr(made, "wasxfail"):
        return str(made.wasxfail)
    if isinstance(made.longrepr, tuple):
        return made.longrepr[2].removeprefix("Skipped: ")
    return call.excinfo.exconly().splitlines()[0] if call.excinfo else made.longreprtext


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
