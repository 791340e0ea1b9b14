"""What an object says of itself, read from its document as it is: also one that a newer controller wrote."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ..api.reasons import REASONS
from ..objectstore import Object, join_key
from .age import age, parsed, since
from .words import Word

MAIN = ("Ready", "Synced", "Reconciling", "Stalled")
"""Every other condition is a warning."""

REFERENCE = "docs/reference.md#reason-"


class Facts:
    """One object of ours."""

    def __init__(self, word: Word, document: Object) -> None:
        self.word, self.document = word, document
        self.metadata: dict[str, Any] = document["metadata"]
        self.spec: dict[str, Any] = document.get("spec") or {}
        self.status: dict[str, Any] = document.get("status") or {}
        self.conditions: dict[str, dict[str, Any]] = {
            each["type"]: each for each in self.status.get("conditions") or ()
        }

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.metadata["name"])

    @property
    def namespace(self) -> str:
        """Its namespace, or empty."""
        return str(self.metadata.get("namespace") or "")

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return join_key(self.namespace, self.name)

    @property
    def ready(self) -> str:
        """Whether the published login works: True, False or Unknown."""
        return str(self._condition("Ready").get("status", "Unknown"))

    @property
    def is_good(self) -> bool:
        """Whether the last edit was made real and works."""
        return self.ready == "True" and self._condition("Ready").get("observedGeneration") == self.generation

    @property
    def is_stalled(self) -> bool:
        """Whether only a person's change helps."""
        return self._condition("Stalled").get("status") == "True" and self.is_looked_at

    @property
    def is_looked_at(self) -> bool:
        """Whether the controller has seen the last edit."""
        return bool(self.status.get("observedGeneration") == self.generation)

    @property
    def is_deleting(self) -> bool:
        """Whether it is on its way out."""
        return bool(self.metadata.get("deletionTimestamp"))

    @property
    def generation(self) -> int:
        """The number of its last edit."""
        return int(self.metadata.get("generation") or 0)

    @property
    def reason(self) -> str:
        """The last pass's word."""
        return str(self._condition("Synced").get("reason", "Pending"))

    @property
    def message(self) -> str:
        """The last pass's sentence."""
        return str(self._condition("Synced").get("message", ""))

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """What people should know although it works: reasons with their sentences."""
        return [(name, str(each.get("message", ""))) for name, each in self.conditions.items() if name not in MAIN]

    @property
    def pending(self) -> list[dict[str, Any]]:
        """What the next pass would do, or what waits."""
        return list(self.status.get("pending") or ())

    @property
    def username(self) -> str:
        """The published login's name."""
        return str(self._login.get("username") or "")

    @property
    def token(self) -> str:
        """The last wish to rotate that was carried out."""
        return str(self._login.get("rotateToken") or "")

    @property
    def secret_name(self) -> str:
        """The published Secret's name."""
        return str(self.status.get("secretName") or "")

    @property
    def endpoint(self) -> str:
        """Where clients connect."""
        found = self.status.get("endpoint") or {}
        return f"{found['host']}:{found['port']}" if found else ""

    def annotation(self, name: str) -> str | None:
        """An annotation's value."""
        found: str | None = (self.metadata.get("annotations") or {}).get(name)
        return found

    def ready_for(self, now: datetime) -> str:
        """For how long Ready has been what it is."""
        return since(str(self._condition("Ready").get("lastTransitionTime") or ""), now)

    def login_age(self, now: datetime) -> str:
        """How long ago the login was published."""
        return since(str(self._login.get("since") or ""), now)

    def rotation(self, now: datetime) -> str:
        """When the login changes next."""
        due = str(self._login.get("nextRotation") or "")
        if not due:
            return "rotates on demand only" if self._login else ""
        left = parsed(due) - now
        return f"rotates in {age(left)}" if left > timedelta(0) else "rotation is due"

    @property
    def _login(self) -> dict[str, Any]:
        return self.status.get("login") or {}

    def _condition(self, type_: str) -> dict[str, Any]:
        return self.conditions.get(type_, {})


def way_out(reason: str) -> str:
    """What to do about a reason; the one source is `dbclaims.core.api.reasons`."""
    known = REASONS.get(reason)
    if known is None:
        return f"{reason} is not known to this version: act on the message, or update kubectl claims."
    return known.way_out


def place(reason: str) -> str:
    """Where the documentation has more to say of a reason; empty for one that it does not know."""
    return REFERENCE + reason.lower() if reason in REASONS else ""
