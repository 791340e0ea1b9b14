"""What the recorder saw: a whole life here, and every call of the tests before."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import pytest

from dbclaims.conformance.harness import PUBLIC
from dbclaims.conformance.recorder import Offence
from dbclaims.conformance.server import ServerDriver

WRONG = "conformance-wrong-secret"


def _wrong(key: str, secret: Mapping[str, str]) -> str:
    return secret[key] if key in PUBLIC else WRONG


def _require_none(server: ServerDriver, offence: Offence) -> None:
    found = server.recorder.found(offence)
    assert not found, "; ".join(found)


@pytest.fixture(autouse=True)
def life(server: ServerDriver) -> None:
    """Lead a server's life with its mishaps; what the plugin raises on the way is the recorder's business."""
    server.settled()
    with server.outage(), suppress(Exception):
        server.observe()
    server.recorder.guard(WRONG)
    kept = server.secrets
    server.secrets = {name: {key: _wrong(key, secret) for key in secret} for name, secret in kept.items()}
    with suppress(Exception):
        server.observe()
    server.secrets = kept
    server.settle(None)


def test_no_secret_shows_in_an_error_a_log_or_a_result(server: ServerDriver) -> None:
    _require_none(server, Offence.SHOWN)


def test_apply_never_waits(server: ServerDriver) -> None:
    _require_none(server, Offence.WAITED)


def test_a_hook_that_reads_changes_nothing(server: ServerDriver) -> None:
    _require_none(server, Offence.CHANGED)


def test_only_errors_of_the_spi_are_raised(server: ServerDriver) -> None:
    _require_none(server, Offence.FOREIGN)


def test_no_hook_takes_longer_than_it_may(server: ServerDriver) -> None:
    _require_none(server, Offence.SLOW)
