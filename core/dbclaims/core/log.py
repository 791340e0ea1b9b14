"""Structured logs on the standard library: constant messages with keys, as controller-runtime names them.

    log.info("published", extra={"secret": "shop/orders-db"})

comes out as one line of JSON (or text), during a pass with its controller, namespace, name and reconcileID.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

from .objectstore import split_key

# What every record has by itself; whatever else it carries came in through `extra`.
_BUILT_IN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_PASS: ContextVar[dict[str, str] | None] = ContextVar("pass", default=None)


@contextmanager
def pass_fields(*, controller: str, key: str, reconcile_id: str) -> Iterator[None]:
    """Put the pass's keys on every line that this thread logs within."""
    namespace, name = split_key(key)
    fields = {"controller": controller, "namespace": namespace, "name": name, "reconcileID": reconcile_id}
    token = _PASS.set({field: value for field, value in fields.items() if value})
    try:
        yield
    finally:
        _PASS.reset(token)


def configure(*, level: str = "INFO", text: bool = False, stream: TextIO | None = None) -> None:
    """Send the process's logs to `stream` (default stderr), as JSON lines or, for people, as text."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # It logs every connection that it opens or finds closed, which our metrics tell better.
    logging.getLogger("urllib3").setLevel(logging.ERROR)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: ts (UTC), level, logger, msg, the record's keys, and stacktrace after an error."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        line = {
            "ts": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["stacktrace"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class TextFormatter(logging.Formatter):
    """Time, level, message and key=value, for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        fields = " ".join(f"{key}={_quoted(value)}" for key, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname:<7} {record.getMessage()} {fields}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    own = {key: value for key, value in vars(record).items() if key not in _BUILT_IN}
    return {**(_PASS.get() or {}), **own}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _quoted(value: object) -> str:
    # JSON's quoting also keeps a newline in a value from looking like a line of its own.
    text = str(value)
    return orjson.dumps(text).decode() if set(text) & set(' "=\n\r\t') else text
