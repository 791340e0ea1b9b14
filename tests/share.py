"""The fixed share of a long list of cases that `make test` takes; `make test-long` takes the rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def share(cases: Iterable[Any], every: int) -> list[Any]:
    """The cases as parameters of a test; all but each `every`-th, from the first on, are marked long."""
    return [
        case if number % every == 0 else pytest.param(case, marks=pytest.mark.long) for number, case in enumerate(cases)
    ]
