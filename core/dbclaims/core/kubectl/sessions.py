"""Who uses a claim's database now, asked of the database itself. Statements and what their rows mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from attrs import frozen

from .age import age
from .client import ask
from .login import Login

# A name goes into a statement as hexadecimal digits, so that no quoting rule of any server matters.
_SESSIONS = {
    # Of logins that are not its own, a login sees name and application, but neither address nor times.
    "postgresql": "SELECT usename, coalesce(application_name, ''), coalesce(host(client_addr), ''), count(*), "
    "coalesce(extract(epoch FROM min(backend_start))::bigint::text, '') FROM pg_catalog.pg_stat_activity "
    "WHERE datname = pg_catalog.convert_from(pg_catalog.decode('{hex}', 'hex'), 'UTF8') "
    "AND pid <> pg_catalog.pg_backend_pid() GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    "mysql": "SELECT user, '', substring_index(host, ':', 1), count(*), '' FROM information_schema.processlist "
    "WHERE db = convert(x'{hex}' USING utf8mb4) AND id <> connection_id() GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
}
_LOAD = {
    "postgresql": "SELECT pg_catalog.pg_database_size(pg_catalog.current_database()), "
    "(SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database() "
    "AND pid <> pg_catalog.pg_backend_pid()), "
    "(SELECT rolconnlimit FROM pg_catalog.pg_roles WHERE rolname = session_user)",
    "mysql": "SELECT coalesce(sum(data_length + index_length), 0), (SELECT count(*) - 1 FROM "
    "information_schema.processlist WHERE db = database()), @@max_user_connections FROM information_schema.tables "
    "WHERE table_schema = database()",
}


@frozen
class Group:
    """Sessions that are alike.

    Attributes:
        client: the address; empty where the asking login may not see it.
        oldest: Unix seconds; None likewise.
    """

    username: str
    application: str
    client: str
    count: int
    oldest: int | None

    def age(self, now: datetime) -> str:
        """How long the oldest of them has lasted."""
        return age(now - datetime.fromtimestamp(self.oldest, now.tzinfo)) if self.oldest else ""


@frozen
class Load:
    """How full a database is: bytes, sessions, and how many of them its login may have (0: as many as it likes)."""

    size: int
    sessions: int
    limit: int


def groups(login: Login, database: str) -> list[Group]:
    """The sessions on a database, asked by this login. Raises `VerbError`."""
    rows = ask(login, _SESSIONS[login.engine].format(hex=database.encode().hex()))
    return [Group(name, app, client, int(count), int(at) if at else None) for name, app, client, count, at in rows]


def load(login: Login) -> Load:
    """How full the login's own database is. Raises `VerbError`."""
    ((size, sessions, limit),) = ask(login, _LOAD[login.engine])
    return Load(int(size), int(sessions), max(0, int(limit)))


def sibling(username: str) -> str:
    """The other one of a login's two accounts (PROTOCOL.md §1)."""
    return username[:-1] + ("b" if username.endswith("a") else "a")


def pod_names(pods: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """Pods by address."""
    found = {}
    for pod in pods:
        status, metadata = pod.get("status"), pod.get("metadata")
        if isinstance(status, dict) and isinstance(metadata, dict):
            found.update({each["ip"]: metadata["name"] for each in status.get("podIPs") or ()})
    return found
