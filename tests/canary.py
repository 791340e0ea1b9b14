"""The canary: no password that we make may appear anywhere but in a Secret (PROTOCOL.md, SECURITY.md).

Every password is noted where it is drawn, and whatever the suite produces is searched for all of them: log records,
tests' output, servers' SQL logs, statuses, Events, metrics, STATE. A find fails the whole session.
"""

from __future__ import annotations

import base64
import logging
import re
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbclaims.core.secrets import PASSWORD_LENGTH, new_password

MAKER = new_password.__module__
"""The only module that draws passwords."""
_RUN = re.compile(rf"[A-Za-z0-9_+/=-]{{{PASSWORD_LENGTH},}}")
_MADE = re.compile(rf"[A-Za-z0-9_-]{{{PASSWORD_LENGTH}}}")
_LOGGER = logging.getLogger("dbclaims")
_FILES = ("*.log", "log", "log-*", "objects.sqlite*")


class Canary(logging.Handler):
    """A pytest plugin and a log handler.

    Attributes:
        leaks: where a password was found, never which.
    """

    def __init__(self) -> None:
        super().__init__()
        self.leaks: list[str] = []
        self._known: set[str] = set()
        self._draw: Callable[[int | None], str] = secrets.token_urlsafe

    def note(self, password: str) -> None:
        """Search for this password from now on, also in the form in which a Secret carries it."""
        self._known |= {password, base64.b64encode(password.encode()).decode()}

    def examine(self, where: str, text: str) -> None:
        """Search a text."""
        lengths = {len(each) for each in self._known}
        # A log says the same thing over and over.
        for run in set(_RUN.findall(text)) if lengths else ():
            pieces = {run[at : at + size] for size in lengths for at in range(len(run) - size + 1)}
            if pieces & self._known and where not in self.leaks:
                self.leaks.append(where)

    def emit(self, record: logging.LogRecord) -> None:
        """Search a log record, with its traceback and whatever else it carries."""
        self.examine(f"a log record of {record.name}", f"{self.format(record)} {record.__dict__}")

    # --- pytest ------------------------------------------------------------------------------------------------

    def pytest_configure(self) -> None:
        """Begin to listen."""
        setattr(secrets, "token_urlsafe", self._drawn)  # noqa: B010 -- a module's function is no field to mypy
        _LOGGER.addHandler(self)
        _LOGGER.setLevel(logging.INFO)

    def pytest_unconfigure(self) -> None:
        """Listen no more."""
        setattr(secrets, "token_urlsafe", self._draw)  # noqa: B010
        _LOGGER.removeHandler(self)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Search what a test printed and how it failed."""
        self.examine(f"the output of {report.nodeid}", f"{report.sections} {report.longreprtext}")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Search what is left in files; fail the session if anything was found anywhere."""
        folder: Path | None = getattr(getattr(session.config, "_tmp_path_factory", None), "_basetemp", None)
        if folder is not None:
            self._examine_files(folder)
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["leaks"] = self.leaks
        elif self.leaks:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of xdist found."""
        self.leaks += getattr(node, "workeroutput", {}).get("leaks", [])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where."""
        for leak in self.leaks:
            terminalreporter.write_line(f"LEAKED: a generated password stands in {leak}", red=True)

    def _drawn(self, size: int | None = None) -> str:
        drawn = self._draw(size)
        if sys._getframe(1).f_globals.get("__name__") == MAKER:
            self.note(drawn)
        return drawn

    def _examine_files(self, folder: Path) -> None:
        # Commands that ran as processes of their own drew passwords that only their Secrets show. A test's own "p" in
        # such a file would be found in every log.
        for password in (path.read_text() for path in folder.glob("**/secrets/*/*/password")):
            if _MADE.fullmatch(password):
                self.note(password)
        for path in (path for pattern in _FILES for path in folder.rglob(pattern) if path.is_file()):
            self.examine(str(path.relative_to(folder)), path.read_bytes().decode(errors="replace"))


CANARY = Canary()
"""The one of this process."""
