"""A published login as its Secret holds it, whatever keys the claim asked for. The password shows in no repr."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from ..kinds import SECRET
from ..secrets import FORMAT_ANNOTATION, decoded, read
from .facts import Facts
from .reading import named
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
    return _login(facts, secret)


def _login(facts: Facts, secret: Mapping[str, object]) -> Login:
    values = decoded(dict(secret))
    credentials, endpoint = read(dict(secret)), facts.status.get("endpoint") or {}
    named_keys = _by_meaning(secret, values)
    engine = named_keys.get("type") or _ENGINES.get(str(secret.get("type")), "")
    if not credentials.password or not (engine or named_keys.get("uri")):
        raise VerbError(f"error: Secret {facts.secret_name} holds no login that can be read; was it edited by hand?")
    engine = engine or named_keys["uri"].partition(":")[0]
    return Login(
        engine=engine,
        host=named_keys.get("host") or str(endpoint.get("host", "")),
        port=named_keys.get("port") or str(endpoint.get("port", "")),
        database=named_keys.get("database") or str(facts.status.get("databaseName", "")),
        username=credentials.username,
        password=credentials.password,
        sslmode=named_keys.get("sslmode") or ("verify-full" if engine == "postgresql" else "VERIFY_IDENTITY"),
        ca=named_keys.get("ca.crt", ""),
        values=values,
    )


def _by_meaning(secret: Mapping[str, object], values: Mapping[str, str]) -> dict[str, str]:
    """The values under our own names for them (`secretFormat` may have given others)."""
    metadata = secret["metadata"]
    annotations = (metadata.get("annotations") or {}) if isinstance(metadata, dict) else {}
    entries = [each.rpartition("=") for each in str(annotations.get(FORMAT_ANNOTATION, "")).split(",") if each]
    if not entries:
        return dict(values)
    return {key: values[name or key] for name, _, key in entries if (name or key) in values}
