"""Every error of the driver has its row: none reaches the core as something else than an `SPIError`."""

from __future__ import annotations

import ssl

import pymysql
import pytest
from pymysql import err
from pymysql.constants import CR, ER

from dbclaims.core.spi import Refused, SPIError, Terminal, Transient, Unreachable, Unsupported
from dbclaims.engines.mysql.errors import NUMBERS, UNREACHABLE, mapped, translated

KINDS = [kind for kind in vars(err).values() if isinstance(kind, type) and issubclass(kind, pymysql.MySQLError)]
KNOWN = sorted({number for names in (ER, CR) for number in vars(names).values() if isinstance(number, int)})


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_error_comes_out_mapped(kind: type[pymysql.MySQLError]) -> None:
    for arguments in ((), ("words",), (1234, "words")):
        with pytest.raises(SPIError, match=r"^what: "), mapped("what"):
            raise kind(*arguments)


def test_every_number_that_the_driver_knows_is_mapped_and_only_chosen_ones_are_final() -> None:
    for number in KNOWN:
        error = translated(pymysql.OperationalError(number, "words"), "what")
        assert isinstance(error, SPIError)
        assert not isinstance(error, Terminal) or number in NUMBERS
        assert isinstance(error, Unreachable) == (
            number in UNREACHABLE or 2000 <= number < 3000 or number in (1129, 3159)
        ), number


def test_every_number_of_the_client_library_is_no_answer_of_the_server() -> None:
    for number in (number for number in vars(CR).values() if isinstance(number, int)):
        assert isinstance(translated(pymysql.OperationalError(number, "words"), "what"), Unreachable)


def test_a_refused_certificate_is_unreachable_so_that_few_attempts_are_made() -> None:
    error = pymysql.OperationalError(2003, "Can't connect")
    error.original_exception = ssl.SSLCertVerificationError("no")  # type: ignore[attr-defined]
    found = translated(error, "what")
    assert (type(found), found.reason) == (Unreachable, "TLSRefused")


def test_two_meanings_of_one_number_are_told_apart_by_the_options_name() -> None:
    read_only = pymysql.OperationalError(1290, "Der Server läuft mit der Option --read-only")
    strict = pymysql.OperationalError(1290, "The server is running with the --strict-password-validation option")
    assert isinstance(translated(read_only, "x"), Transient)
    assert isinstance(translated(strict, "x"), Unsupported)
    assert translated(strict, "x").reason == "PlainPasswordForm"


def test_a_syntax_error_does_not_repeat_the_statement() -> None:
    error = pymysql.ProgrammingError(1064, "You have an error near 'IDENTIFIED VIA x USING *ABCDEF'")
    assert "ABCDEF" not in translated(error, "what").message


def test_a_right_that_the_admin_lacks_is_its_own_reason() -> None:
    found = translated(pymysql.OperationalError(1227, "Access denied"), "what")
    assert (type(found), found.reason) == (Refused, "AdminLacksRight")
