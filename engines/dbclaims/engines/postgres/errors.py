"""What the driver raises, said in the SPI's words. One table, by SQLSTATE and by its class (manual, appendix A).

```
SPIError
├ Transient        deadlocks, races, timeouts, a server that is full
│  └ Unreachable   no answer, or the server is going down
└ Terminal
   ├ InvalidSpec   a value that the server cannot take
   ├ Unsupported   a feature that the server does not have
   └ Refused       our login or our rights
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg

from dbclaims.core.spi import InvalidSpec, Refused, SPIError, Terminal, Transient, Unreachable, Unsupported

CODES: Mapping[str, tuple[type[SPIError], str | None]] = {
    "42501": (Refused, "AdminLacksRight"),
    "42704": (Transient, "Vanished"),
    "42710": (Transient, "Raced"),
    "42P04": (Transient, "Raced"),
    "42P06": (Transient, "Raced"),
    "42P01": (Transient, "Vanished"),
    "57014": (Transient, "Timeout"),
    "58P01": (Unsupported, None),
    "25006": (Transient, "ReadOnly"),
    "2BP01": (Terminal, "RoleInUse"),
}
"""SQLSTATEs that mean something other than the rest of their class."""

CLASSES: Mapping[str, tuple[type[SPIError], str | None]] = {
    "08": (Unreachable, None),
    "0A": (Unsupported, None),
    "0L": (Refused, "AdminLacksRight"),
    "0P": (Refused, "AdminLacksRight"),
    "22": (InvalidSpec, None),
    "23": (Transient, "Raced"),
    "25": (Transient, None),
    "28": (Refused, "AdminLoginRefused"),
    "2B": (Transient, None),
    "3D": (Transient, "Vanished"),
    "3F": (Transient, "Vanished"),
    "40": (Transient, "Raced"),
    "42": (Terminal, None),
    "53": (Transient, "ServerFull"),
    "54": (InvalidSpec, None),
    "55": (Transient, "Busy"),
    "57": (Unreachable, None),
    "58": (Transient, None),
    "P0": (Refused, "AdminLacksRight"),
    "XX": (Transient, None),
}
"""SQLSTATE classes that our statements can meet; any other is a state of the server that may pass."""

_LIBPQ = {
    "unsupported startup parameter": (Terminal, "PoolerEndpoint"),
    "authentication method requirement": (Refused, "AuthMethodRefused"),
    "certificate": (Refused, "TLSRefused"),
    "does not support SSL": (Refused, "TLSRefused"),
}
"""Words of the client library, which never speaks another language than English here."""


WAYS_OUT: Mapping[str | None, str] = {
    "AdminLoginRefused": "correct the admin Secret",
    "AdminLacksRight": "grant the admin that right",
    "AuthMethodRefused": "let the server ask for SCRAM",
    "BackendUnreachable": "see that it runs and that the network lets us through",
    "PoolerEndpoint": "give the server's direct address, and the pooler's as clientEndpoint",
    "ServerFull": "give the server more room, or close connections",
    "TLSRefused": "correct config.tls, or the server's certificate",
}
"""What the server's own words do not say: what to do about it."""


@contextmanager
def mapped(what: str) -> Iterator[None]:
    """Turn every error of the driver into an `SPIError` that begins with `what` we were doing."""
    try:
        yield
    except psycopg.Error as error:
        raise translated(error, what) from error


def translated(error: psycopg.Error, what: str, sqlstate: str | None = None) -> SPIError:
    """The SPI's error for one of the driver's; `sqlstate` where it was learned in another way."""
    kind, reason = _row(error, sqlstate or error.sqlstate)
    way_out = WAYS_OUT.get(reason or kind.default_reason)
    return kind(f"{what}: {said(error)}" + (f"; {way_out}" if way_out else ""), reason=reason)


def said(error: psycopg.Error) -> str:
    """The server's words in one line. Never the statement, which may hold a verifier."""
    primary = error.diag.message_primary or str(error)
    detail = error.diag.message_detail if error.sqlstate == "2BP01" else None
    return " ".join(" ".join(part.split()) for part in (primary, detail) if part)


def _row(error: psycopg.Error, sqlstate: str | None) -> tuple[type[SPIError], str | None]:
    if sqlstate:
        return CODES.get(sqlstate) or CLASSES.get(sqlstate[:2]) or (Transient, None)
    for words, row in _LIBPQ.items():
        if words in str(error):
            return row
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Unreachable, None
    return InvalidSpec, None
