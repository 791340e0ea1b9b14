"""The recorder on a plugin of one hook each: what it notes, and what it lets pass."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import pluggy
import pytest

from dbclaims.conformance.recorder import Offence, Recorder
from dbclaims.core import spi

SECRET = "hunter2-hunter2"


class Watched:
    """A plugin's hook with the recorder around it."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.recorder.guard(SECRET)
        self.recorder.test = "test_x"

    def call(self, hook: str, body: Callable[[], Any]) -> Any:
        """Call the hook, whose work is `body`."""
        manager = pluggy.PluginManager("dbclaims")
        manager.add_hookspecs(spi.hookspecs)

        class Plugin:
            """One hook."""

        plugin = Plugin()
        setattr(plugin, hook, spi.hookimpl(lambda: body()))
        manager.register(plugin)
        manager.register(self.recorder)
        caller = getattr(manager.hook, hook)
        with self.recorder.watching():
            return caller(**dict.fromkeys(caller.spec.argnames))

    def found(self) -> list[tuple[Offence, str]]:
        return [(each.offence, each.hook) for each in self.recorder.violations]


@pytest.fixture
def watched() -> Watched:
    return Watched()


def raising(error: Exception) -> Callable[[], None]:
    def body() -> None:
        raise error

    return body


def test_a_sound_hook_leaves_nothing(watched: Watched) -> None:
    assert watched.call("provider_observe", lambda: "a server") == "a server"
    assert watched.found() == []


def test_a_secret_in_a_result_an_error_or_what_lies_behind_it_is_noted(watched: Watched) -> None:
    watched.call("provider_observe", lambda: f"password={SECRET}")

    def chained() -> None:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise spi.Transient("no key") from error

    with suppress(spi.Transient):
        watched.call("provider_observe", chained)
    assert watched.found() == [(Offence.SHOWN, "provider_observe")] * 2


def test_a_note_itself_shows_no_secret(watched: Watched) -> None:
    with suppress(RuntimeError):
        watched.call("provider_plan", raising(RuntimeError(SECRET)))
    assert watched.found() == [(Offence.SHOWN, "provider_plan"), (Offence.FOREIGN, "provider_plan")]
    assert not [each for each in watched.recorder.violations if SECRET in str(each)]


def test_a_secret_in_the_log_is_noted_wherever_it_was_logged(watched: Watched) -> None:
    def log() -> None:
        thread = threading.Thread(target=lambda: logging.getLogger("driver").debug("sent %s", SECRET))
        thread.start()
        thread.join()

    watched.call("provider_observe", log)
    assert [offence for offence, _ in watched.found()] == [Offence.SHOWN]


def test_a_hook_that_tells_a_secret_by_contract_may(watched: Watched) -> None:
    watched.call("engine_connection", lambda: {"password": SECRET})
    watched.call("engine_verifier", lambda: SECRET)
    assert watched.found() == []


def test_apply_does_not_sleep_and_other_hooks_may(watched: Watched) -> None:
    started = time.monotonic()
    watched.call("provider_apply", lambda: time.sleep(60))
    watched.call("provider_observe", lambda: time.sleep(0))
    assert watched.found() == [(Offence.WAITED, "provider_apply")]
    assert time.monotonic() - started < 30


def test_a_hook_that_reads_is_noted_when_the_state_differs_and_one_that_writes_is_not(watched: Watched) -> None:
    held: list[int] = []
    watched.recorder.state = lambda: list(held)
    for hook in ("provider_observe", "engine_survey", "provider_apply"):
        watched.call(hook, lambda: held.append(1))
    with watched.recorder.unread():
        watched.call("provider_observe", lambda: held.append(1))
    assert watched.found() == [(Offence.CHANGED, "provider_observe"), (Offence.CHANGED, "engine_survey")]


def test_an_error_while_a_lock_is_taken_is_noted_and_one_inside_it_is_not(watched: Watched) -> None:
    @contextmanager
    def taking(error: Exception | None) -> Iterator[str]:
        if error:
            raise error
        yield "session"

    refused: AbstractContextManager[str] = watched.call("engine_lock", lambda: taking(OSError("refused")))
    with suppress(OSError), refused:
        pass
    granted: AbstractContextManager[str] = watched.call("engine_lock", lambda: taking(None))
    with suppress(ZeroDivisionError), granted as session:
        assert session == "session"
        raise ZeroDivisionError
    assert watched.found() == [(Offence.FOREIGN, "engine_lock")]


def test_the_log_and_the_clock_are_as_before_when_watching_ends(watched: Watched) -> None:
    handlers, level, sleep = list(logging.getLogger().handlers), logging.getLogger().level, time.sleep
    watched.call("provider_observe", lambda: None)
    assert (logging.getLogger().handlers, logging.getLogger().level, time.sleep) == (handlers, level, sleep)
