"""The Secrets of one login: the published one and the pending one, read live and written with preconditions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from .. import secrets
from ..api import CHECKSUM_ANNOTATION, DatabaseClaim, RoleClaim, format_time, parse_time
from ..client import CachedClient
from ..kinds import SECRET
from ..objectstore import AlreadyExists, Object
from ..rotation import Published
from ..secrets import FORMAT_ANNOTATION, SUPERSEDES_ANNOTATION, Owner
from ..spi import Credentials, Transient


class SecretKeeper:
    """Reads and writes the Secrets of one object during one pass."""

    def __init__(self, client: CachedClient, owner: Owner, model: DatabaseClaim | RoleClaim, grace: timedelta) -> None:
        self._client, self._owner, self._model, self._grace = client, owner, model, grace
        self._standing: Object | None = None
        self._pending: Object | None = None

    @property
    def name(self) -> str:
        """The name that the published Secret is to have."""
        return self._model.spec.secret_name or self._model.metadata.name

    @property
    def superseding(self) -> bool:
        """Whether a Secret under a former name still stands."""
        return bool(self._annotation(SUPERSEDES_ANNOTATION))

    def look(self) -> Published | None:
        """The published Secret: under its name, or else under the one that was published last.

        Raises `NotOwned` (`SecretNotOurs`) where the name is somebody else's.
        """
        self._standing = self._get(self.name)
        if self._standing is not None:
            secrets.check_ours(self._standing, self._owner)
            return secrets.read(self._standing)
        former = self._former()
        return secrets.read(former) if former else None

    def pending(self, account: str) -> Credentials:
        """The password that the next login of this account is to have.

        It is made here and nowhere else, before any change in the server; whoever finds one goes on with it, so two
        controllers set the same (PROTOCOL.md §4.1).
        """
        wanted = secrets.pending(self._owner, Credentials(account, secrets.new_password()))
        found = self._get(wanted["metadata"]["name"])
        if found is None:
            found = self._create(wanted)
        secrets.check_ours(found, self._owner)
        if secrets.read(found).username != account:
            wanted["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
            found = self._client.replace(SECRET, wanted)
        self._pending = found
        made = secrets.read(found)
        return Credentials(made.username, made.password)

    def is_begun(self, account: str) -> bool:
        """Whether a rotation onto this account was begun and cut short: its password waits to be published."""
        found = self._get(secrets.pending_name(self._owner))
        return found is not None and secrets.is_ours(found, self._owner) and secrets.read(found).username == account

    def confirm(self) -> None:
        """Raise `Transient` (`Conflict`) where the published Secret is not the one that was looked at.

        Asked under the database's lock: what was decided before it may have been overtaken by another controller.
        """
        if _version(self._get(self.name)) != _version(self._standing):
            self._drop_pending()
            raise Transient(f"Secret {self.name!r} was just changed; looking again", reason="Conflict")

    def is_current(self, secret_type: str, keys: Mapping[str, str]) -> bool:
        """Whether the Secret that stands holds these keys already, in the form that is asked for."""
        form, standing = self._model.spec.secret_format, self._standing
        wanted = secrets.published(
            self._owner, self.name, secret_type, keys, form, self._annotation(SUPERSEDES_ANNOTATION)
        )
        return standing is not None and standing.get("type") == wanted["type"] and _same(wanted, standing)

    def publish(self, secret_type: str, keys: Mapping[str, str], now: datetime) -> None:
        """Write the Secret if it differs from the one that stands; what was read is the precondition."""
        form, former = self._model.spec.secret_format, self._superseded(now)
        secret = secrets.published(self._owner, self.name, secret_type, keys, form, former)
        standing = self._standing
        if standing is not None and standing.get("type") != secret["type"]:
            # A Secret's type cannot be changed, so it is made anew.
            self._client.delete(SECRET, self._owner.meta.namespace, self.name, uid=standing["metadata"]["uid"])
            standing = None
        if standing is None:
            self._standing = self._create(secret)
        elif not _same(secret, standing):
            secret["metadata"]["resourceVersion"] = standing["metadata"]["resourceVersion"]
            self._standing = self._client.replace(SECRET, secret)

    def tidy(self, published: str) -> None:
        """Remove the pending Secret of a published rotation, of this pass or of one that was cut short."""
        login = self._model.status.login
        if self._pending is not None or (login is not None and login.username != published):
            name = secrets.pending_name(self._owner)
            self._client.delete(SECRET, self._owner.meta.namespace, name)

    def _drop_pending(self) -> None:
        """Take back the password that this pass had, unless somebody has replaced it since."""
        if self._pending is not None:
            metadata = self._pending["metadata"]
            place, version = (self._owner.meta.namespace, metadata["name"]), metadata["resourceVersion"]
            self._client.delete(SECRET, *place, uid=metadata["uid"], resource_version=version)

    def _former(self) -> Object | None:
        name = self._model.status.secret_name
        found = self._get(name) if name and name != self.name else None
        return found if found is not None and secrets.is_ours(found, self._owner) else None

    def _superseded(self, now: datetime) -> str:
        """What the published Secret says of its former name; after one grace that Secret goes, and then the word."""
        if self._standing is None:
            former = self._former()
            return f"{former['metadata']['name']}@{format_time(now)}" if former else ""
        name, _, since = self._annotation(SUPERSEDES_ANNOTATION).partition("@")
        if not name or now < parse_time(since) + self._grace:
            return self._annotation(SUPERSEDES_ANNOTATION)
        stale = self._get(name)
        if name != self.name and stale is not None and secrets.is_ours(stale, self._owner):
            self._client.delete(SECRET, self._owner.meta.namespace, name, uid=stale["metadata"]["uid"])
        return ""

    def _annotation(self, name: str) -> str:
        return str((self._standing["metadata"].get("annotations") or {}).get(name, "")) if self._standing else ""

    def _get(self, name: str) -> Object | None:
        return self._client.get(SECRET, self._owner.meta.namespace, name)

    def _create(self, secret: Object) -> Object:
        try:
            return self._client.create(SECRET, secret)
        except AlreadyExists as error:
            name = secret["metadata"]["name"]
            raise Transient(
                f"Secret {name!r} was just made by somebody else; looking again", reason="Conflict"
            ) from error


def _version(secret: Object | None) -> str:
    return str(secret["metadata"]["resourceVersion"]) if secret else ""


def _same(wanted: Object, standing: Object) -> bool:
    if secrets.decoded(wanted) != secrets.decoded(standing):
        return False
    mine, theirs = wanted["metadata"]["annotations"], standing["metadata"].get("annotations") or {}
    ours = (CHECKSUM_ANNOTATION, FORMAT_ANNOTATION, SUPERSEDES_ANNOTATION)
    return all(mine.get(name) == theirs.get(name) for name in ours)
