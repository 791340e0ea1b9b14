"""Every error of the driver has its row: none reaches the core as something else than an `SPIError`."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors as driver

from dbclaims.core.spi import SPIError, Transient, Unreachable
from dbclaims.engines.postgres.errors import CLASSES, CODES, mapped, translated

KINDS = [kind for kind in vars(driver).values() if isinstance(kind, type) and issubclass(kind, psycopg.Error)]
STATES = sorted({kind.sqlstate for kind in KINDS if isinstance(kind.sqlstate, str)})
NEVER_OURS = {f"{number:02}" for number in (1, 2, 3, 9, 10, 20, 21, 24, 26, 27, 34, 38, 39, 44, 72)}
NEVER_OURS |= {"0B", "0F", "0Z", "2D", "2F", "3B", "F0", "HV"}
"""Classes of SQL that we do not write (cursors, functions, savepoints, foreign data); they are met as `Transient`."""


@pytest.mark.parametrize("sqlstate", STATES)
def test_every_sqlstate_of_the_driver_has_a_row(sqlstate: str) -> None:
    assert sqlstate in CODES or sqlstate[:2] in CLASSES or sqlstate[:2] in NEVER_OURS
    error = translated(driver.lookup(sqlstate)("words"), "what")
    assert isinstance(error, SPIError)
    assert error.message.startswith("what: words")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not isinstance(kind.sqlstate, str)])
def test_every_kind_of_error_comes_out_mapped(kind: type[psycopg.Error]) -> None:
    with pytest.raises(SPIError), mapped("what"):
        raise kind("words")


def test_a_lost_connection_is_unreachable_and_a_race_is_not() -> None:
    assert isinstance(translated(psycopg.OperationalError("server closed the connection"), "x"), Unreachable)
    race = translated(driver.UniqueViolation("duplicate"), "x")
    assert (type(race), race.reason) == (Transient, "Raced")
