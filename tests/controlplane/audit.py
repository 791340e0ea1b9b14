"""The API server's audit log: every request as it counted it."""

import json
from collections.abc import Iterator
from typing import Any

from attrs import frozen

# One event per request, when it is complete; a watch is complete when it ends.
POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
"""
_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@frozen
class AuditEvent:
    """One request.

    Attributes:
        verb: get, list, watch, create, update, patch, delete or deletecollection.
        resource: plural name, with the subresource: `databaseclaims/status`; empty for a path like /readyz.
        namespace: the object's namespace; empty where it has none.
        name: the object's name; empty for a list, a watch, and a create with generateName.
        user: who asked.
        user_agent: the client's own name.
        code: the HTTP status that was answered.
        uri: path and query.
        at: when it came, as RFC 3339 text in UTC, which sorts by time.
        credential: the id of the token that was shown; empty for one of the token file.
        unauthorized: whether RBAC said no; a 403 may also come from admission, as in a namespace that is being ended.
    """

    verb: str
    resource: str
    namespace: str
    name: str
    user: str
    user_agent: str
    code: int
    uri: str
    at: str = ""
    credential: str = ""
    unauthorized: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether the user was unknown, or had no right to ask for this."""
        return self.code == 401 or self.unauthorized

    @property
    def is_write(self) -> bool:
        """Whether it asked for a change, successful or not."""
        return self.verb in _WRITES


def parse(text: str) -> Iterator[AuditEvent]:
    """Yield the events of a JSON-lines log."""
    for line in text.splitlines():
        yield _event(json.loads(line))


def _event(raw: dict[str, Any]) -> AuditEvent:
    target = raw.get("objectRef", {})
    return AuditEvent(
        verb=raw["verb"],
        resource="/".join(filter(None, (target.get("resource"), target.get("subresource")))),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        user=raw["user"].get("username", ""),
        user_agent=raw.get("userAgent", ""),
        code=raw.get("responseStatus", {}).get("code", 0),
        uri=raw["requestURI"],
        at=raw["requestReceivedTimestamp"],
        unauthorized=raw.get("annotations", {}).get("authorization.k8s.io/decision") == "forbid",
        credential="".join(raw["user"].get("extra", {}).get("authentication.kubernetes.io/credential-id", ())),
    )
