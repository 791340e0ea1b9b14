"""`credentials`: what a claim published, masked unless asked otherwise."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable

from .desk import Desk
from .facts import Facts
from .flags import declare_name
from .login import Login, published
from .output import show_document
from .tables import show
from .verb import DONE, Usage, Verb

MASK = "********"


def _declare(parser: ArgumentParser) -> None:
    declare_name(parser, "NAME of a claim, or roleclaim/NAME")
    parser.add_argument("--show", action="store_true", help="print the password")
    forms = ("env", "dsn", "uri", "pgpass", "json")
    parser.add_argument("-o", "--output", choices=forms, default="", help="for a program; needs --show")


def _run(desk: Desk) -> int:
    asked = desk.arguments
    if asked.output and not asked.show:
        raise Usage(f"error: -o {asked.output} holds the password; say so with --show")
    facts, login = published(desk)
    if asked.output == "json":
        show_document(desk.screen, "json", dict(login.values))
    elif asked.output:
        desk.screen.say(_FORMS[asked.output](login))
    else:
        _tell(desk, facts, login)
    return DONE


def _tell(desk: Desk, facts: Facts, login: Login) -> None:
    now, screen = desk.now(), desk.screen
    password = login.password if desk.arguments.show else MASK
    works = {"True": "works", "False": "does not work", "Unknown": "was not tried of late"}[facts.ready]
    rows = [
        ("Secret", facts.secret_name, f"keys {', '.join(login.values)}"),
        ("Login", login.username, f"{works}; published {facts.login_age(now)} ago, {facts.rotation(now)}"),
        ("Password", password, "" if desk.arguments.show else "--show prints it"),
        ("Server", f"{login.host}:{login.port}", f"database {login.database}, {login.sslmode}"),
    ]
    rows += [("Waiting", each["action"], str(each.get("why", ""))) for each in facts.pending]
    show(screen, ("", "", ""), [(what, value, says or " ") for what, value, says in rows], heads=False)


def _env(login: Login) -> str:
    """Lines for a shell: PG… for psql, MYSQL_… for mysql; the CA is a file's matter."""
    if login.engine == "postgresql":
        names = ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGSSLMODE")
    else:
        names = ("MYSQL_HOST", "MYSQL_TCP_PORT", "MYSQL_DATABASE", "MYSQL_USER", "MYSQL_PWD", "MYSQL_SSL_MODE")
    values = (login.host, login.port, login.database, login.username, login.password, login.sslmode)
    return "\n".join(f"export {name}={_quoted(value)}" for name, value in zip(names, values, strict=True))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _pgpass(login: Login) -> str:
    parts = (login.host, login.port, login.database, login.username, login.password)
    return ":".join(part.replace("\\", r"\\").replace(":", r"\:") for part in parts)


def _key(name: str) -> Callable[[Login], str]:
    def read(login: Login) -> str:
        if name not in login.values:
            raise Usage(f"error: the Secret has no key {name}; spec.secretFormat.keys left it out")
        return login.values[name]

    return read


_FORMS: dict[str, Callable[[Login], str]] = {"env": _env, "pgpass": _pgpass, "uri": _key("uri"), "dsn": _key("dsn")}

CREDENTIALS = Verb(
    "credentials",
    "the login that a claim published, its password masked",
    ("credentials orders -n shop", "credentials orders --show -o env", "credentials roleclaim/reports -n bi"),
    _declare,
    _run,
)
