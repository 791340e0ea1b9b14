"""What the driver raises, said in the SPI's words. One table, by the server's error number.

```
SPIError
├ Transient        races, timeouts, a server that is full or read-only
│  └ Unreachable   no answer, no certificate that we trust, or the server is going down
└ Terminal
   ├ InvalidSpec   a value that the server cannot take
   ├ Unsupported   a feature that the server does not have
   └ Refused       our login or our rights
```

A refused certificate is `Unreachable`, not `Refused`: servers count it against our address and close themselves to it
after a few (error 1129), so one attempt per backoff and server is all that may be made.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pymysql

from dbclaims.core.spi import InvalidSpec, Refused, SPIError, Terminal, Transient, Unreachable, Unsupported

Row = tuple[type[SPIError], str | None]

UNREACHABLE = frozenset(
    {1053, 1077, 1079, 1080, 1152, 1153, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 3032}
)
"""The server says that the line or it itself is going, or lets nobody in."""

_CLIENT = range(2000, 3000)
"""Numbers of the client library: no answer of a server."""

TLS_REFUSED: Row = (Unreachable, "TLSRefused")

NUMBERS: Mapping[int, Row] = {
    1007: (Transient, "Raced"),
    1008: (Transient, "Vanished"),
    1040: (Transient, "ServerFull"),
    1044: (Refused, "AdminLacksRight"),
    1045: (Refused, "AdminLoginRefused"),
    1049: (Transient, "Vanished"),
    1059: (InvalidSpec, None),
    1064: (Unsupported, "StatementRefused"),
    1095: (Refused, "AdminLacksRight"),
    1102: (InvalidSpec, None),
    1115: (InvalidSpec, None),
    1129: (Unreachable, "HostBlocked"),
    1133: (Transient, "Vanished"),
    1141: (Transient, "Raced"),
    1142: (Refused, "AdminLacksRight"),
    1143: (Refused, "AdminLacksRight"),
    1193: (Unsupported, None),
    1203: (Transient, "ServerFull"),
    1205: (Transient, "Busy"),
    1213: (Transient, "Raced"),
    1226: (Transient, "ServerFull"),
    1227: (Refused, "AdminLacksRight"),
    1231: (Unsupported, None),
    1290: (Transient, "ReadOnly"),
    1300: (InvalidSpec, None),
    1366: (InvalidSpec, None),
    1370: (Refused, "AdminLacksRight"),
    1396: (Transient, "Raced"),
    1406: (InvalidSpec, None),
    1410: (Refused, "AdminLacksRight"),
    1470: (InvalidSpec, None),
    1524: (Unsupported, None),
    1698: (Refused, "AdminLoginRefused"),
    1792: (Transient, "ReadOnly"),
    1819: (Unsupported, "PlainPasswordForm"),
    1820: (Refused, "AdminLoginRefused"),
    1827: (Unsupported, "PlainPasswordForm"),
    1836: (Transient, "ReadOnly"),
    1862: (Refused, "AdminLoginRefused"),
    2026: TLS_REFUSED,
    3118: (Refused, "AdminLoginRefused"),
    3159: TLS_REFUSED,
    3879: (Refused, "AdminLacksRight"),
    3955: (Refused, "AdminLoginRefused"),
    4006: (Terminal, "OrphanDefiners"),
    4150: (Refused, "AdminLoginRefused"),
    4151: (Refused, "AdminLoginRefused"),
}
"""Numbers that our statements and logins can meet; any other is a state of the server that may pass."""


@contextmanager
def mapped(what: str) -> Iterator[None]:
    """Turn every error of the driver into an `SPIError` that begins with `what` we were doing."""
    try:
        yield
    except pymysql.MySQLError as error:
        raise translated(error, what) from error


def translated(error: pymysql.MySQLError, what: str) -> SPIError:
    """The SPI's error for one of the driver's."""
    kind, reason = _row(error)
    return kind(f"{what}: {said(error)}", reason=reason)


def number(error: pymysql.MySQLError) -> int | None:
    """The error's number; None where the driver itself was at a loss."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, int) else None


def said(error: pymysql.MySQLError) -> str:
    """The server's words in one line. A syntax error quotes the statement, which may hold a verifier: not that one."""
    known = number(error)
    if known == 1064:
        return "the server does not understand a statement of ours (1064)"
    words = " ".join(" ".join(str(part) for part in error.args[1:] or error.args).split())
    return f"{words} ({known})" if known is not None else words


def _row(error: pymysql.MySQLError) -> Row:
    known = number(error)
    if isinstance(getattr(error, "original_exception", None), ssl.SSLError):
        return TLS_REFUSED
    # The option stands in the message as it is written on the command line, in every language.
    if known == 1290 and "strict-password-validation" in said(error):
        return Unsupported, "PlainPasswordForm"
    if known is None:
        return Unreachable, None
    if known in UNREACHABLE or (known in _CLIENT and known not in NUMBERS):
        return Unreachable, None
    return NUMBERS.get(known, (Transient, None))
