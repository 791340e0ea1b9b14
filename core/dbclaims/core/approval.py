"""Steps that wait for a person, and the word that lets them run: `dbclaims.io/approve: <pendingHash>`. Pure."""

from __future__ import annotations

import hashlib
from importlib.metadata import version

import attrs

from .api import APPROVE, ObjectMeta, PendingAction


def digest(*facts: str) -> str:
    """Over what is wished, what was seen and our version: an approval fits one situation only."""
    return hashlib.sha256("\n".join((*facts, version("dbclaims"))).encode()).hexdigest()[:12]


@attrs.frozen
class Waiting:
    """Steps that are not taken until somebody approves them; none waits by default.

    Attributes:
        hash: what the annotation must say; None where nothing waits.
    """

    steps: tuple[PendingAction, ...] = ()
    hash: str | None = None

    def approved(self, meta: ObjectMeta) -> bool:
        """Whether somebody said that these very steps may be taken."""
        return self.hash is not None and meta.annotations.get(APPROVE) == self.hash
