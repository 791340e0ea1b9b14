"""A published login as its Secret holds it, whatever keys the claim asked for. The password shows in no repr."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from ..backends import admin_secret_name
from ..kinds import SECRET, SERVER
from ..objectstore import Object
from ..secrets import by_meaning, decoded, read
from .facts import Facts
from .reading import named, visible
from .verb import Absent, VerbError
from .words import CLAIM, ROLE

if TYPE_CHECKING:
    from .desk import Desk

_ENGINES = {"servicebinding.io/postgresql": "postgresql", "servicebinding.io/mysql": "mysql"}


@frozen
class Login:
    """What a client needs.

    Attributes:
        engine: `postgresql` or `mysql`.
        sslmode: in the engine's own words.
        ca: the authority as PEM; empty where the system's count.
        values: every key of the Secret, as it is.
        version: the server's; empty where the claim does not know it.
    """

    engine: str
    host: str
    port: str
    database: str
    username: str
    password: str = field(repr=False)
    sslmode: str
    ca: str = field(repr=False)
    values: Mapping[str, str] = field(repr=False)
    version: str = ""


def published(desk: Desk) -> tuple[Facts, Login]:
    """The login of the claim that the arguments name. Raises `VerbError` and `StoreError`."""
    word, document = named(desk, CLAIM, ROLE)
    facts = Facts(word, document)
    return facts, login_of(desk, facts)


def login_of(desk: Desk, facts: Facts) -> Login:
    """The login that a claim published, by one read of its Secret."""
    if not facts.secret_name:
        raise VerbError(
            f"error: {facts.word.named(facts.name)} has published no Secret yet ({facts.reason}); "
            f"`explain {facts.name}` says why"
        )
    secret = desk.store.get(SECRET, facts.namespace, facts.secret_name)
    if secret is None:
        way_out = "the controller publishes it anew with its next pass"
        raise Absent(f'Error from server (NotFound): secrets "{facts.secret_name}" not found; {way_out}')
    values = by_meaning(secret)
    return _login(facts, secret, values, _engine(desk, facts, secret, values))


def _login(facts: Facts, secret: Object, values: Mapping[str, str], engine: str) -> Login:
    credentials, endpoint = read(secret), facts.status.get("endpoint") or {}
    if not credentials.password:
        raise VerbError(f"error: Secret {facts.secret_name} holds no login that can be read; was it edited by hand?")
    return Login(
        engine=engine,
        host=values.get("host") or str(endpoint.get("host", "")),
        port=values.get("port") or str(endpoint.get("port", "")),
        database=values.get("database") or str(facts.status.get("databaseName", "")),
        username=credentials.username,
        password=credentials.password,
        sslmode=values.get("sslmode") or ("verify-full" if engine == "postgresql" else "VERIFY_IDENTITY"),
        ca=values.get("ca.crt", ""),
        values=decoded(secret),
        version=str(facts.status.get("version") or ""),
    )


def _engine(desk: Desk, facts: Facts, secret: Object, values: Mapping[str, str]) -> str:
    """What kind of server it is: by the Secret, or where its format does not say, by the claim's server."""
    known = values.get("type") or _ENGINES.get(str(secret.get("type"))) or values.get("uri", "").partition(":")[0]
    if known:
        return known
    reference = facts.status.get("serverRef") or {}
    server = visible(desk.store, SERVER, reference.get("namespace"), str(reference.get("name")))
    engine = str((server or {}).get("spec", {}).get("engine", ""))
    if not engine:
        raise VerbError(
            f"error: Secret {facts.secret_name} does not say which engine it is for; add `type` to its keys"
        )
    return {"postgres": "postgresql"}.get(engine, engine)


def admin_secret(server: Object) -> str:
    """The name of the Secret that holds a server's admin login."""
    reference = ((server.get("spec") or {}).get("config") or {}).get("adminSecretRef") or {}
    return str(reference.get("name") or admin_secret_name(server["metadata"]["name"]))
