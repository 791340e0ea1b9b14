"""What is wrong with a document, as data and as an exception.

```
ValueError
└ SpecError        a document breaks a bound or a rule; it holds every problem that was found
   └ UnknownKind   its apiVersion or kind is none of ours
```
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen


@frozen
class Problem:
    """One thing that is wrong with a document.

    Attributes:
        path: where, as `kubectl explain` writes it: `spec.rotation.interval`.
        reason: `InvalidSpec`, `Immutable` or `InvalidAnnotation`.
        message: what, and the way out; without the path.
        unknown: a field or a value that this version does not know and a newer one may.
    """

    path: str
    reason: str
    message: str
    unknown: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class SpecError(ValueError):
    """A document that cannot be used as it is.

    Attributes:
        problems: everything that was found, never empty.
        reason: the condition's reason. `NewerSpec` where the only thing wrong is that we do not know it: an API server
            had accepted the document, so it was written for a newer version of ours.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        newer = all(problem.unknown for problem in self.problems)
        self.reason = "NewerSpec" if newer else self.problems[0].reason
        super().__init__("; ".join(str(problem) for problem in self.problems))


class UnknownKind(SpecError):
    """The document is none of ours."""
