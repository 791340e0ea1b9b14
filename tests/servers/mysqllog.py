"""What a MySQL or MariaDB server wrote into its general log: the statements it ran and the connections it let in."""

import re
from collections.abc import Iterator

from attrs import frozen

_RECORD = re.compile(r"^(?:\d{4}-\S+|\d{6} [ \d]\S+)?\t+ *(?P<id>\d+) (?P<command>[A-Z]\w+(?: DB)?)\t(?P<text>.*)$")
_CONNECT = re.compile(r"(?P<user>.*)@\S* (?:as .*? )?on (?P<database>.*?)(?: using .*)?$")


@frozen
class LogEntry:
    """One thing that the server did for one connection.

    Attributes:
        connection: its id.
        user: its login.
        text: the statement, or where it connected from.
    """

    connection: int
    user: str
    text: str


@frozen
class GeneralLog:
    """A stretch of a general log.

    Attributes:
        statements: in order, as the server rewrote them.
        connections: attempts to connect, refused ones too.
        text: the stretch as the server wrote it.
    """

    statements: tuple[LogEntry, ...]
    connections: tuple[LogEntry, ...]
    text: str

    @classmethod
    def parse(cls, before: str, text: str) -> "GeneralLog":
        """Read a stretch; the log `before` it tells who had connected already."""
        users = {entry.connection: entry.user for command, entry in _records(before, {}) if command == "Connect"}
        entries = list(_records(text, users))
        return cls(
            tuple(entry for command, entry in entries if command == "Query"),
            tuple(entry for command, entry in entries if command == "Connect"),
            text,
        )

    def by(self, *users: str) -> "GeneralLog":
        """Return what these logins did."""

        def chosen(entries: tuple[LogEntry, ...]) -> tuple[LogEntry, ...]:
            return tuple(entry for entry in entries if entry.user in users)

        return GeneralLog(chosen(self.statements), chosen(self.connections), self.text)


def _records(text: str, users: dict[int, str]) -> Iterator[tuple[str, LogEntry]]:
    known = dict(users)
    pending: list[tuple[str, int, str]] = []
    for line in text.splitlines():
        if found := _RECORD.match(line):
            pending.append((found["command"], int(found["id"]), found["text"]))
        elif pending:
            command, number, words = pending[-1]
            pending[-1] = (command, number, f"{words}\n{line}")
    for command, number, words in pending:
        if command == "Connect" and (opened := _CONNECT.match(words)):
            known[number] = opened["user"]
        yield command, LogEntry(number, known.get(number, ""), words)
