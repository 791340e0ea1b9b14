"""What the recorder saw: a whole life here, and every call of the tests before."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import pytest

from dbclaims.conformance.harness import PUBLIC
from dbclaims.conformance.recorder import Offence
from dbclaims.conformance.server import ServerDriver
from dbclaims.core.spi import SPIError


WRONG = "conformance-wrong-secret"


def _wrong(key: str, secret: Mapping[str, str]) -> str:
    return secret[key] if key in PUBLIC else WRONG


@pytest.fixture(autouse=True)
def life(server: ServerDriver) -> None:
    """A server's life with its mishaps."""
    server.settled()
    with server.outage(), suppress(SPIError):
        server.observe()
    server.recorder.guard(WRONG)
    kept = server.backend.secrets
    server.backend.secrets = {name: {key: _wrong(key, secret) for key in secret} for name, secret in kept.items()}
    with suppress(SPIError):
        server.observe()
    server.backend.secrets = kept
    server.settle(None)


def test_no_secret_shows_in_an_error_a_log_or_a_result(server: ServerDriver) -> None:
    assert server.recorder.found(Offence.SHOWN) == []


def test_apply_never_waits(server: ServerDriver) -> None:
    assert server.recorder.found(Offence.WAITED) == []


def test_a_hook_that_reads_changes_nothing(server: ServerDriver) -> None:
    assert server.recorder.found(Offence.CHANGED) == []


def test_only_errors_of_the_spi_are_raised(server: ServerDriver) -> None:
    assert server.recorder.found(Offence.FOREIGN) == []


def test_no_hook_takes_longer_than_it_may(server: ServerDriver) -> None:
    assert server.recorder.found(Offence.SLOW) == []
