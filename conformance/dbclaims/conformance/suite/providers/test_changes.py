"""One profile for each feature that changes a living server: size, version, storage and so on."""

from __future__ import annotations

from typing import Any

import pytest

from dbclaims.conformance.server import FIELDS, ServerDriver
from dbclaims.core.spi import Feature, Terminal

every_feature = pytest.mark.parametrize(
    "feature", [pytest.param(feature, marks=pytest.mark.feature(feature), id=str(feature)) for feature in FIELDS]
)


@pytest.fixture
def change(server: ServerDriver, feature: Feature) -> dict[str, Any]:
    """The second value of the feature's field."""
    field = FIELDS[feature]
    values = server.harness.values.get(field, ())
    if feature in server.harness.lacks:
        with pytest.raises(Terminal):
            server.settle(server.wish(**{field: values[0]}))
        pytest.skip(f"this kind of server lacks {feature}, and the wish was refused")
    assert len(values) >= 2, f"the harness's values need two of {field!r}, since the plugin declares {feature}"
    return {field: values[1]}


@every_feature
def test_a_change_comes_true(server: ServerDriver, change: dict[str, Any]) -> None:
    server.settled()
    before = server.backend.state()
    assert server.plan(server.wish(**change)), "a different wish must have a plan"
    observed = server.settled(**change)
    assert server.backend.state() != before, "the backend is what it was before"
    if value := change.get("size") or change.get("version"):
        assert value in (observed.size, observed.version)


@every_feature
def test_a_changed_server_stays_as_it_is(server: ServerDriver, change: dict[str, Any]) -> None:
    server.settled()
    server.settled(**change)
    server.backend.tick()
    assert server.plan(server.wish(**change)) == ()


@every_feature
def test_a_wish_that_is_taken_back_changes_nothing(server: ServerDriver, change: dict[str, Any]) -> None:
    server.settled()
    observed = server.settled(**change)
    assert server.provider.plan(server.wish(**dict.fromkeys(change)), observed) == (), "None is no wish"


@every_feature
def test_every_action_of_a_change_may_be_applied_again(server: ServerDriver, change: dict[str, Any]) -> None:
    server.settled()
    for action in server.steps(server.wish(**change)):
        state = server.backend.state()
        server.apply(action)
        assert server.backend.state() == state, f"{action.verb} done again must change nothing"


@every_feature
def test_a_change_goes_on_in_a_process_that_knows_nothing(server: ServerDriver, change: dict[str, Any]) -> None:
    server.settled()
    for _ in server.steps(server.wish(**change)):
        server.reopen()
    assert server.plan(server.wish(**change)) == ()


@every_feature
def test_a_change_is_no_new_server(server: ServerDriver, change: dict[str, Any]) -> None:
    before = server.settled()
    for _ in server.steps(server.wish(**change)):
        server.backend.tick()
        assert server.observe() is not None, "a change must not remove the server on its way"
    assert server.settled(**change).ref == before.ref
