"""The judge of every status finds what is wrong: without this, one that hears nothing would please everybody."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from dbclaims.core.kinds import CLAIM

from .chronicle import Chronicle
from .world import World

Spoil = Callable[[dict[str, dict[str, Any]]], object]


def _spoiled(claim: dict[str, Any], spoil: Spoil) -> dict[str, Any]:
    changed = deepcopy(claim)
    spoil({each["type"]: each for each in changed["status"]["conditions"]})
    return changed


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda held: held["Ready"].update(status="Perhaps"), "no row"),
        (lambda held: held["Synced"].update(status="Unknown"), "no row"),
        (lambda held: held["Ready"].update(reason="Whatever"), "no page explains"),
        (lambda held: held["Ready"].update(message=" "), "says nothing"),
        (lambda held: held["Ready"].update(observedGeneration=99), "of generation 99"),
        (lambda held: held["Ready"].update(lastTransitionTime="2030-01-01T00:00:00Z"), "changed its time"),
        (lambda held: held["Synced"].update(type="Stalled"), "no row"),
    ],
)
def test_a_status_that_breaks_a_rule_is_found(live: World, spoil: Spoil, word: str) -> None:
    assert live.chronicle.seen > 5
    claim = live.get(CLAIM, "orders")
    chronicle = Chronicle()
    chronicle.handler(CLAIM)(None, claim)
    assert chronicle.wrong == []
    chronicle.handler(CLAIM)(claim, _spoiled(claim, spoil))
    assert any(word in each for each in chronicle.wrong), chronicle.wrong
