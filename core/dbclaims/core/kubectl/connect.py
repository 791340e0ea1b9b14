"""`psql` and `connect`: the database's own client, logged in as the application is."""

from __future__ import annotations

from argparse import ArgumentParser

from .client import talk
from .desk import Desk
from .facts import Facts
from .flags import declare_name
from .login import Login, published
from .verb import Usage, Verb


def _declare(parser: ArgumentParser) -> None:
    declare_name(parser, "NAME of a claim, or roleclaim/NAME")


def _connect(desk: Desk) -> int:
    return _talk(desk, *published(desk))


def _psql(desk: Desk) -> int:
    facts, login = published(desk)
    if login.engine != "postgresql":
        raise Usage(f"error: {facts.key} is a {login.engine} database; use `connect {facts.name}`")
    return _talk(desk, facts, login)


def _talk(desk: Desk, facts: Facts, login: Login) -> int:
    where = f"{login.host}:{login.port}"
    desk.screen.note(
        f"connecting to {login.database} as {login.username} ({login.sslmode}, {where}), "
        f"password from Secret {facts.secret_name}, not shown"
    )
    return talk(login, desk.arguments.behind)


PSQL = Verb(
    "psql",
    "psql on a claim's database, as the application's login; what stands behind -- is psql's",
    ("psql orders -n shop", "psql orders -n shop -- -c 'SELECT 1'", "psql roleclaim/reports -n bi"),
    _declare,
    _psql,
)
CONNECT = Verb(
    "connect",
    "psql, mysql or mariadb on a claim's database, whichever fits; what stands behind -- is the client's",
    ("connect orders -n shop", "connect orders -- -e 'SELECT 1'", "connect roleclaim/reports -n bi"),
    _declare,
    _connect,
)
