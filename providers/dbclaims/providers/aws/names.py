"""Names at AWS, derived from names in the cluster: deterministic, legal, and never longer than fits. Pure.

RDS has no idempotency token: the name is the token, and a create whose reply was lost finds itself (clouds.md §1.3).
"""

from __future__ import annotations

import hashlib
import re

from dbclaims.core.spi import ServerRef

LONGEST = 60
"""Three below the 63 that RDS allows, for the number that a cluster's instances end in."""

_PREFIX = "dbc"
_DIGITS = 10


def identifier(ref: ServerRef) -> str:
    """The identifier of a server's instance or cluster: `dbc-<namespace>-<name>-<hash>`, in lower case."""
    exact = "\n".join((ref.installation, ref.namespace, ref.name))
    digest = hashlib.sha256(exact.encode()).hexdigest()[:_DIGITS]
    words = re.sub(r"[^a-z0-9]+", "-", f"{_PREFIX}-{ref.namespace}-{ref.name}".lower())
    return f"{words[: LONGEST - _DIGITS - 1].rstrip('-')}-{digest}"


def member(cluster: str, number: int) -> str:
    """A cluster's instance; number 1 is made first."""
    return f"{cluster}-{number}"


def parameter_group(server: str, family: str) -> str:
    """Our parameter group of a server for one family, such as postgres17 or mysql8.4."""
    return f"{server}-{family.replace('.', '-')}"


def final_snapshot(server: str, resource: str) -> str:
    """The last snapshot of one incarnation of a server, so that a repeated deletion finds it taken."""
    return f"{server}-final-{hashlib.sha256(resource.encode()).hexdigest()[:8]}"
