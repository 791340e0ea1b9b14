"""What a PostgreSQL server wrote about itself: the statements it ran and the connections it let in.

The server writes a statement's line before it runs it, and the backend writes the file itself (no collector
process), so after an answer has arrived its statements are in the file.
"""

import re
from collections.abc import Iterator

from attrs import frozen

_RECORD, _FIELD = "\x1e", "\x1f"
# %m time, %p process, %u user, %d database, %a application_name; the separators occur in no sane name.
LINE_PREFIX = r"\036%m\037%p\037%u\037%d\037%a\037"
_STATEMENT = re.compile(r"LOG:\s+(?:statement|execute [^:]*): (?P<sql>.*)", re.DOTALL)
_CONNECTION = re.compile(
    r"LOG:\s+connection authorized: user=(?P<user>.*?) database=(?P<database>.*?)"
    r"(?: application_name=(?P<application>.*?))?(?P<tls> SSL enabled \(.*)?$"
)
_REFUSED = re.compile(r"FATAL:\s+(?P<message>.*)")


@frozen
class Entry:
    """One thing that the server did for one session.

    Attributes:
        pid: the backend process.
        user: the login.
        database: the session's database.
        application: the session's application_name.
        text: the statement's SQL, or the refusal's message; empty for a connection.
    """

    pid: int
    user: str
    database: str
    application: str
    text: str = ""


@frozen
class ServerLog:
    """A stretch of a server's log.

    Attributes:
        statements: every statement that was executed, in order (parse and bind are not counted).
        connections: every login that succeeded.
        refusals: every connection or session that ended with FATAL.
        text: the stretch as the server wrote it.
    """

    statements: tuple[Entry, ...]
    connections: tuple[Entry, ...]
    refusals: tuple[Entry, ...]
    text: str

    @classmethod
    def parse(cls, text: str) -> "ServerLog":
        """Read a log written with `LINE_PREFIX` in English (`lc_messages` C)."""
        records = [record.split(_FIELD, 5) for record in text.split(_RECORD)[1:]]
        complete = [record for record in records if len(record) == 6]
        return cls(
            statements=tuple(_statements(complete)),
            connections=tuple(_connections(complete)),
            refusals=tuple(_refusals(complete)),
            text=text,
        )

    def by(self, *, user: str | None = None, application: str | None = None) -> "ServerLog":
        """Return what one login or one application_name did."""

        def chosen(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
            return tuple(e for e in entries if user in (None, e.user) and application in (None, e.application))

        return ServerLog(chosen(self.statements), chosen(self.connections), chosen(self.refusals), self.text)


def _statements(records: list[list[str]]) -> Iterator[Entry]:
    for record in records:
        if found := _STATEMENT.match(record[5]):
            # Continuation lines of a statement are indented with a tab by the server.
            yield _entry(record, found["sql"].rstrip("\n").replace("\n\t", "\n"))


def _connections(records: list[list[str]]) -> Iterator[Entry]:
    for record in records:
        if found := _CONNECTION.match(record[5].rstrip("\n")):
            # The prefix has no application_name yet: start-up options are applied after authentication.
            yield Entry(int(record[1]), found["user"], found["database"], found["application"] or "")


def _refusals(records: list[list[str]]) -> Iterator[Entry]:
    for record in records:
        if found := _REFUSED.match(record[5]):
            yield _entry(record, found["message"])


def _entry(record: list[str], text: str) -> Entry:
    _, pid, user, database, application, _ = record
    return Entry(int(pid), user, database, application, text)
