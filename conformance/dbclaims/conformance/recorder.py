"""A wrapper around every hook: it sees each call of a plugin and notes what a plugin must not do.

It needs nothing of the plugin. What it finds is a violation, and the tests in `suite/*/test_watched.py` fail by it.
"""

from __future__ import annotations

import enum
import inspect
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, SupportsIndex

import attrs

from dbclaims.core.spi import SPIError, hookimpl, hookspecs

BOUND_S = 10.0
"""The longest that one hook may take (`dbclaims.core.spi.hookspecs`)."""

_SHORT = 6
"""Secrets that are not longer appear by chance."""

_READ = frozenset({"provider_observe", "engine_observe", "engine_survey", "engine_sessions", "engine_probe"})
"""Hooks that change nothing."""

_TELLS = frozenset({"engine_verifier", "engine_connection"})
"""Hooks whose result is a secret by contract."""


Sleep = Callable[[float | SupportsIndex], None]


class Offence(enum.StrEnum):
    """What a plugin must not do."""

    SHOWN = "a secret shows"
    WAITED = "apply waits"
    CHANGED = "a hook that only reads changed something"
    FOREIGN = "an error that is not of the SPI"
    SLOW = "a hook took too long"


@attrs.frozen
class Violation:
    """One offence: in which hook, in which test, and what exactly."""

    offence: Offence
    hook: str
    test: str
    detail: str

    def __str__(self) -> str:
        return f"{self.hook}: {self.offence}: {self.detail} (seen in {self.test})"


class _Log(logging.Handler):
    def __init__(self, check: Callable[[str, str], None]) -> None:
        super().__init__(logging.DEBUG)
        self._check = check

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.getMessage()} {record.args!r}"
        self._check(text + _told(record.exc_info[1] if record.exc_info else None), f"the log of {record.name}")


class Recorder:
    """Watches while a block runs; one for a whole run of the suite.

    Attributes:
        violations: what was found.
        test: the test that runs now.
        state: reads the backend's state; None while there is no backend.
        reading: whether the state is compared around every hook that only reads.
    """

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.test = ""
        self.state: Callable[[], object] | None = None
        self.reading = True
        self._secrets: set[str] = set()
        self._hook = threading.local()
        for hook in _hooks():
            setattr(self, hook, self._wrapper(hook))

    def guard(self, *secrets: str) -> None:
        """Texts that must not show from now on."""
        self._secrets |= {secret for secret in secrets if len(secret) > _SHORT}

    def masked(self, text: str) -> str:
        """A text without what must not show."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def found(self, offence: Offence) -> list[str]:
        """What was found of one kind, as sentences, each once."""
        return sorted({str(each) for each in self.violations if each.offence is offence})

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Listen to the log and to `time.sleep` for as long as the block runs."""
        root, handler, sleep = logging.getLogger(), _Log(self._check_text), time.sleep
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        time.sleep = self._slept(sleep)
        try:
            yield
        finally:
            time.sleep = sleep
            root.setLevel(level)
            root.removeHandler(handler)

    @contextmanager
    def unread(self) -> Iterator[None]:
        """Compare no state while the block runs: several threads are at work, or the backend is away."""
        self.reading = False
        try:
            yield
        finally:
            self.reading = True

    def _wrapper(self, hook: str) -> Callable[[], Generator[None, Any, Any]]:
        @hookimpl(wrapper=True)
        def watch() -> Generator[None, Any, Any]:
            with self._inside(hook):
                before = self._state(hook)
                try:
                    result = yield
                except BaseException as error:
                    self._check_error(error, hook)
                    raise
                return self._checked(hook, before, result)

        return watch

    @contextmanager
    def _inside(self, hook: str) -> Iterator[None]:
        self._hook.name = hook
        started = time.monotonic()
        try:
            yield
        finally:
            self._check_time(started, hook)
            self._hook.name = ""

    def _checked(self, hook: str, before: object, result: Any) -> Any:
        """What the core gets: the result, or a lock that is watched while it is taken."""
        if before is not None and before != self._state(hook):
            self._note(Offence.CHANGED, hook, "the backend is not what it was before")
        if hook == "engine_lock":
            return self._watched_lock(result)
        if hook not in _TELLS:
            self._check_text(repr(result), "its result")
        return result

    @contextmanager
    def _watched_lock(self, lock: AbstractContextManager[object]) -> Iterator[object]:
        with ExitStack() as taken:
            try:
                session = taken.enter_context(lock)
            except BaseException as error:
                self._check_error(error, "engine_lock")
                raise
            yield session

    def _state(self, hook: str) -> object:
        return self.state() if self.state and self.reading and hook in _READ else None

    def _slept(self, sleep: Sleep) -> Sleep:
        def slept(seconds: float | SupportsIndex) -> None:
            hook = getattr(self._hook, "name", "")
            if hook.endswith("_apply"):
                self._note(Offence.WAITED, hook, f"it sleeps {seconds} s")
            else:
                sleep(seconds)

        return slept

    def _check_error(self, error: BaseException, hook: str) -> None:
        self._check_text(_told(error), "an error")
        if isinstance(error, Exception) and not isinstance(error, SPIError):
            self._note(Offence.FOREIGN, hook, f"{type(error).__name__}: {error}")

    def _check_time(self, started: float, hook: str) -> None:
        # The wait for an answer ends below the bound; half a second is for a busy machine.
        if (took := time.monotonic() - started) > BOUND_S + 0.5:
            self._note(Offence.SLOW, hook, f"{took:.1f} s")

    def _check_text(self, text: str, where: str) -> None:
        if any(secret in text for secret in self._secrets):
            self._note(Offence.SHOWN, getattr(self._hook, "name", "") or "outside of a hook", f"in {where}")

    def _note(self, offence: Offence, hook: str, detail: str) -> None:
        self.violations.append(Violation(offence, hook, self.test, self.masked(detail)))


def _told(error: BaseException | None) -> str:
    """All that an error and those behind it say."""
    parts, seen = [], set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        parts.append(f"{error!r} {error}")
        error = error.__cause__ or error.__context__
    return " ".join(parts)


def _hooks() -> list[str]:
    described = {"provider_info", "engine_info"}
    found = [name for name, _ in inspect.getmembers(hookspecs, inspect.isfunction)]
    return [name for name in found if name.startswith(("provider_", "engine_")) and name not in described]
