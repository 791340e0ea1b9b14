"""What our controller does for one claim, read from the server's own log and from the objects that it wrote.

A recording is data: the statements of one create by session and transaction, and the bodies of the API writes. For
another claim its names are replaced, its locks get other numbers, and it is sent again by a bare loop.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import orjson
from attrs import asdict, frozen

from dbclaims.core.kinds import CLAIM, SECRET
from dbclaims.core.recorder import EVENT

from .yard import Place, Yard, until

TEMPLATE = "tmpl00000"
"""The recorded claim: as long as the names of the others."""

# As LINE_PREFIX, with the virtual transaction (%v) in place of the application: a pipeline's statements share one.
SETTINGS = {
    "log_statement": "all",
    "log_connections": "off",
    "log_line_prefix": r"\036%m\037%p\037%u\037%d\037%v\037",
    "shared_buffers": "128MB",
}

_STATEMENT = re.compile(r"LOG:\s+(?:statement|execute [^:]*): (?P<sql>.*)", re.DOTALL)
_DETAIL = re.compile(r"DETAIL:\s+[Pp]arameters: (?P<values>.*)", re.DOTALL)
_VALUE = re.compile(r"\$\d+ = (?:'((?:[^']|'')*)'|NULL)", re.DOTALL)
_LOCK = re.compile(r"pg_advisory_(?:lock|unlock)")


@frozen
class Statement:
    """One statement, in psycopg's form where it has parameters."""

    sql: str
    parameters: dict[str, str | None]


@frozen
class Session:
    """What one connection did without another one in between.

    Attributes:
        is_admins_own: whether it is one of the admin's kept connections to the maintenance database.
    """

    user: str
    database: str
    is_admins_own: bool
    transactions: list[list[Statement]]


@frozen
class Recording:
    """What was sent for one claim: statements, and the bodies of the API writes."""

    admin: str
    password: str
    uid: str
    lock: str
    sessions: list[Session]
    finalizer: dict[str, Any]
    secret: dict[str, Any]
    status: dict[str, Any]
    event: dict[str, Any]

    @classmethod
    def read(cls, fields: dict[str, Any]) -> Recording:
        """From JSON."""
        return cls(**{**fields, "sessions": [_session(each) for each in fields["sessions"]]})

    def of(self, name: str, uid: str, number: int) -> Recording:
        """The same for another claim; the lock becomes a number, since claims of ours do not wait for each other."""
        text = orjson.dumps(asdict(self)).decode()
        for old, new in ((TEMPLATE, name), (self.uid, uid), (self.lock, str(number))):
            text = text.replace(old, new)
        return Recording.read(orjson.loads(text))

    @property
    def holder(self) -> str:
        """The role to which the databases belong; a replay has to find it."""
        first = self.sessions[0].transactions[0][0]
        return str(first.parameters["p1"])

    @property
    def statements(self) -> int:
        """How many statements it holds."""
        return sum(len(transaction) for session in self.sessions for transaction in session.transactions)


def _session(fields: dict[str, Any]) -> Session:
    transactions = [[Statement(**each) for each in transaction] for transaction in fields["transactions"]]
    return Session(**{**fields, "transactions": transactions})


def record(yard: Yard, place: Place) -> Recording:
    """Have one claim served by the controller that runs, and return what it did for it."""
    yard.canary(place)
    position = place.server.log_position()
    yard.claims_to_ready(place, [TEMPLATE])
    # Read at once: the next pass over it is minutes away.
    log = place.server.log_since(position).text
    sessions = list(_sessions(log))
    claim = yard.store.get(CLAIM, place.name, TEMPLATE)
    secret = yard.store.get(SECRET, place.name, f"{TEMPLATE}-db")
    # It is written after the status, which is what was waited for.
    event = until(lambda: next(_events(yard, place.name), None))
    assert claim is not None
    assert secret is not None
    assert event is not None
    return Recording(
        admin=place.admin.username,
        password=base64.b64decode(secret["data"]["password"]).decode(),
        uid=claim["metadata"]["uid"],
        lock=_lock(sessions),
        sessions=sessions,
        finalizer={"metadata": {"finalizers": claim["metadata"]["finalizers"]}},
        secret=_fresh(secret),
        status={"status": claim["status"]},
        event=_fresh(event),
    )


def in_namespace(recording: Recording, old: str, new: str) -> Recording:
    """The recording for claims of another namespace."""
    text = orjson.dumps(asdict(recording)).decode()
    return Recording.read(orjson.loads(text.replace(f'"{old}"', f'"{new}"').replace(f"ns={old} ", f"ns={new} ")))


def _events(yard: Yard, namespace: str) -> Iterator[dict[str, Any]]:
    return (obj for _, obj in yard.listed(EVENT, namespace) if obj["regarding"]["name"] == TEMPLATE)


def _fresh(obj: dict[str, Any]) -> dict[str, Any]:
    server_made = {"uid", "resourceVersion", "creationTimestamp", "managedFields"}
    metadata = {key: value for key, value in obj["metadata"].items() if key not in server_made}
    return {**obj, "metadata": metadata}


def _lock(sessions: list[Session]) -> str:
    """The lock's number, which no two claims may share."""
    every = (statement for session in sessions for transaction in session.transactions for statement in transaction)
    return next(str(each.parameters["p1"]) for each in every if _LOCK.search(each.sql))


def _sessions(log: str) -> Iterator[Session]:
    records = [record.split("\x1f", 5) for record in log.split("\x1e")[1:]]
    found = [(tuple(record[1:5]), statement) for record, statement in _statements(records)]
    for (_, user, database), entries in groupby(found, key=lambda entry: entry[0][:3]):
        transactions = [
            [statement for _, statement in transaction]
            for _, transaction in groupby(entries, key=lambda entry: entry[0][3])
        ]
        yield Session(user, database, database == "postgres", transactions)


def _statements(records: list[list[str]]) -> Iterator[tuple[list[str], Statement]]:
    """Each statement with the values that the next record of the log gives to its parameters."""
    for record, following in zip(records, [*records[1:], [""] * 6], strict=True):
        if found := _STATEMENT.match(record[5]):
            sql = found["sql"].rstrip("\n").replace("\n\t", "\n")
            detail = _DETAIL.match(following[5])
            values = [_text(match) for match in _VALUE.finditer(detail["values"])] if detail else []
            yield record, _in_psycopgs_form(sql, values)


def _text(match: re.Match[str]) -> str | None:
    return None if match[1] is None else match[1].replace("''", "'").replace("\n\t", "\n")


def _in_psycopgs_form(sql: str, values: list[str | None]) -> Statement:
    if not values:
        return Statement(sql, {})
    named = re.sub(r"\$(\d+)", r"%(p\1)s", sql.replace("%", "%%"))
    return Statement(named, {f"p{number}": value for number, value in enumerate(values, start=1)})
