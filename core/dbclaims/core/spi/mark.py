"""The mark: whose a database or a role is, written where the owner can read it and an application cannot write it.

PROTOCOL.md §2. One line, `dbclaims/1 key=value …`; keys that this version does not know are kept as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

_PREFIX = "dbclaims/1 "
_KEYS = ("installation", "kind", "nsuid", "ns", "name", "uid", "state")

HELD = "held"
RELEASED = "released"


@attrs.frozen
class Mark:
    """Whose something in a server is.

    Attributes:
        installation: id of the installation that made it.
        kind: kind of the object that it was made for.
        nsuid: uid of that object's namespace; with `name` it decides ownership.
        ns: the namespace's name, for people.
        name: the object's name.
        uid: the object's uid, for people: a re-created object brings a new one.
        state: `held`, or `released` after a deletion under Retain.
        extra: keys written by another version of ours.
    """

    installation: str
    kind: str
    nsuid: str
    ns: str
    name: str
    uid: str
    state: str = HELD
    extra: Mapping[str, str] = attrs.field(factory=dict, eq=False)

    def same_owner(self, other: Mark) -> bool:
        """Whether both stand for the same object, whatever its uid and the state (PROTOCOL.md §2)."""
        mine = (self.installation, self.kind, self.nsuid, self.name)
        return mine == (other.installation, other.kind, other.nsuid, other.name)

    def write(self) -> str:
        """The mark as one line of text."""
        known = {key: getattr(self, key) for key in _KEYS}
        return _PREFIX + " ".join(f"{key}={value}" for key, value in {**known, **self.extra}.items())

    @classmethod
    def read(cls, text: str | None) -> Mark | None:
        """The mark in a comment or tag, or None where there is none."""
        for line in (text or "").splitlines():
            if line.startswith(_PREFIX):
                pairs = dict(word.split("=", 1) for word in line[len(_PREFIX) :].split() if "=" in word)
                if pairs.keys() >= set(_KEYS[:5]):
                    known = {key: pairs.pop(key, "") for key in _KEYS}
                    return cls(**known, extra=pairs)
        return None

    def onto(self, text: str | None) -> str:
        """The comment with its mark replaced by this one or added, and every line that people wrote kept."""
        kept = [line for line in (text or "").splitlines() if not line.startswith(_PREFIX)]
        old = self.read(text)
        mark = attrs.evolve(self, extra=old.extra) if old else self
        return "\n".join([*kept, mark.write()])
