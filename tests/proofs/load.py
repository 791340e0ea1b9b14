"""Clients of a published login, as a process of their own: `python -m tests.proofs.load`, told on stdin what to do.

Each client reads the Secret's `uri` anew, connects, runs a few queries and hangs up, again and again, until stdin
ends. What happened goes to stdout as JSON.
"""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import urllib3
from attrs import asdict, define, field

CLIENTS = 20
QUERIES = 5
PAUSE_S = 0.1
"""Between two queries: it leaves the machine to the controller, and connections open for a while."""


@define
class Tally:
    """What came of it.

    Attributes:
        failures: what the server said instead of an answer.
        usernames: who the clients were, in the order in which the first of them was.
    """

    queries: int = 0
    logins: int = 0
    failures: list[str] = field(factory=list)
    usernames: list[str] = field(factory=list)


@contextmanager
def load(source: Mapping[str, str], pause: float = PAUSE_S) -> Iterator[Tally]:
    """Keep clients busy during the block; the tally is complete after it.

    `source` says where the Secret is, either `file` (its `uri`) or `url` with `token` and `ca`, and `authority`, the
    file of the database's CA. `pause` is in seconds.
    """
    command = [sys.executable, "-m", "tests.proofs.load"]
    tally = Tally()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps({**source, "pause": pause}) + "\n")
        process.stdin.flush()
        try:
            yield tally
        finally:
            said, _ = process.communicate()
    for name, value in json.loads(said).items():
        setattr(tally, name, value)


def _reader(source: Mapping[str, str]) -> Callable[[], str]:
    """A function that reads the `uri` as it is now."""
    if "file" in source:
        return Path(source["file"]).read_text
    headers = {"Authorization": f"Bearer {source['token']}"}
    pool = urllib3.PoolManager(ca_certs=source["ca"], headers=headers, maxsize=CLIENTS)

    def read() -> str:
        secret: dict[str, Any] = pool.request("GET", source["url"]).json()
        return base64.b64decode(secret["data"]["uri"]).decode()

    return read


class _Clients:
    """All clients of one process."""

    def __init__(self, source: Mapping[str, Any]) -> None:
        self.tally = Tally()
        self._read, self._authority, self._pause = _reader(source), source["authority"], source["pause"]
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._work) for _ in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                self._visit(self._read())
            except (psycopg.Error, urllib3.exceptions.HTTPError, OSError) as error:
                with self._lock:
                    self.tally.failures.append(f"{type(error).__name__}: {error}")

    def _visit(self, uri: str) -> None:
        with psycopg.connect(uri, sslrootcert=self._authority, autocommit=True, connect_timeout=10) as connection:
            self._count_login(connection.info.user)
            for _ in range(random.randrange(1, QUERIES)):
                connection.execute("SELECT current_user")
                with self._lock:
                    self.tally.queries += 1
                time.sleep(self._pause)

    def _count_login(self, user: str) -> None:
        with self._lock:
            self.tally.logins += 1
            if self.tally.usernames[-1:] != [user]:
                self.tally.usernames.append(user)


def _main() -> None:
    clients = _Clients(json.loads(sys.stdin.readline()))
    clients.start()
    sys.stdin.read()
    clients.stop()
    print(json.dumps(asdict(clients.tally)))


if __name__ == "__main__":
    _main()
