"""What a run proved, as JSON: the format stands in docs/conformance.md.

```
KnownFailuresError    the file of known failures cannot be read; the message says where and why
```
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs

from dbclaims.core.plugins import Listing
from dbclaims.core.spi import SPI_VERSION

CORE = "Core"
"""The profile that every plugin must pass; the others are called as the features are."""

Outcome = Literal["passed", "failed", "skipped", "known"]


class KnownFailuresError(Exception):
    """The file of known failures cannot be read."""


@attrs.frozen
class KnownFailure:
    """A test that its author knows to fail.

    Attributes:
        test: its name, with or without the brackets of a parameter.
        reason: why; `url` is where it is followed up.
    """

    test: str
    reason: str
    url: str = ""

    def names(self, test: str) -> bool:
        """Whether this is about a test."""
        return self.test in (test, test.partition("[")[0])


@attrs.frozen
class Result:
    """How one test ended; `message` says why it failed or was skipped."""

    test: str
    profile: str
    outcome: Outcome
    message: str = ""


def known_failures(path: Path) -> tuple[KnownFailure, ...]:
    """The entries `[[failure]]` of a TOML file. Raises `KnownFailuresError`."""
    try:
        entries = tomllib.loads(path.read_text()).get("failure", [])
        return tuple(KnownFailure(**entry) for entry in entries)
    except (OSError, ValueError, TypeError) as error:
        raise KnownFailuresError(f"{path}: {error}; write [[failure]] with test, reason and url") from error


def verdict(results: Iterable[Result], *, complete: bool) -> str:
    """`conformant`, `not conformant`, or `incomplete` where only a part was run and none of it failed."""
    outcomes = {(result.profile == CORE, result.outcome) for result in results}
    if any(outcome == "failed" for _, outcome in outcomes) or outcomes & {(True, "known"), (True, "skipped")}:
        return "not conformant"
    return "conformant" if complete and (True, "passed") in outcomes else "incomplete"


def report(
    listing: Listing, servers: Sequence[str], results: Sequence[Result], date: str, *, complete: bool
) -> Mapping[str, Any]:
    """The whole report."""
    said = verdict(results, complete=complete)
    profiles = sorted({result.profile for result in results}, key=lambda name: (name != CORE, name))
    return {
        "plugin": listing.name,
        "kind": listing.kind,
        "distribution": listing.distribution,
        "version": listing.version,
        "spi": SPI_VERSION,
        "date": date,
        "servers": list(servers),
        "features": list(listing.features),
        "verdict": said,
        "conformant": said == "conformant",
        "profiles": {name: _profile([each for each in results if each.profile == name]) for name in profiles},
    }


def _profile(results: Sequence[Result]) -> Mapping[str, Any]:
    """One profile; without a test that passed it is `unsupported`, never a success."""
    outcomes = {result.outcome for result in results}
    passed = sum(result.outcome == "passed" for result in results)
    return {
        "result": "failed" if outcomes & {"failed", "known"} else "passed" if passed else "unsupported",
        "passed": passed,
        "failed": _told(results, "failed"),
        "knownFailures": _told(results, "known"),
        "skipped": _told(results, "skipped"),
    }


def _told(results: Sequence[Result], outcome: Outcome) -> list[Mapping[str, str]]:
    return [{"test": each.test, "reason": each.message} for each in results if each.outcome == outcome]
