"""What a verb is, how it ends, and what it raises.

```
VerbError      the verb cannot go on; the message is one sentence with the way out
├── Usage      the arguments make no sense together
├── Absent     there is no such object
├── Declined   (wire.py) the API server answered, and not with what was asked for
└── Late       --timeout has passed
```
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from .desk import Desk

DONE, FAILED, NO, LATE, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes: done; an error or wrong usage, as kubectl's; it ran, and the answer is no; --timeout passed; ctrl-C."""


class VerbError(Exception):
    """The verb cannot go on."""

    code = FAILED


class Usage(VerbError):
    """The arguments make no sense together."""


class Absent(VerbError):
    """There is no such object."""


class Late(VerbError):
    """--timeout has passed."""

    code = LATE


class Verb(NamedTuple):
    """One verb.

    Attributes:
        declare: adds its arguments to a parser.
        run: carries it out and returns the exit code.
        examples: three of them, without `kubectl claims`.
        failed: the exit code of an error and of wrong usage.
    """

    name: str
    summary: str
    examples: tuple[str, str, str]
    declare: Callable[[ArgumentParser], None]
    run: Callable[[Desk], int]
    failed: int = FAILED
