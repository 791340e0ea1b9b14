"""The profile `Create`: a provider that makes servers makes each once, and knows whose it is."""

from __future__ import annotations

import pytest

from dbclaims.conformance.server import ServerDriver
from dbclaims.core.spi import Action, Feature, NotOwned, Server

pytestmark = pytest.mark.feature(Feature.CREATE)


def test_a_server_that_nobody_made_is_none(server: ServerDriver) -> None:
    assert server.observe() is None, "a server that was never made must be observed as None"


def test_a_server_that_is_being_made_is_not_absent(server: ServerDriver) -> None:
    plan = server.plan(server.wish())
    assert plan, "an absent server that is wished must have a plan"
    server.apply(plan[0])
    for _ in range(server.harness.deadline):
        observed = server.observe()
        assert observed is not None, "a server that is being made is there: ready=False"
        if observed.ready:
            return
        server.backend.tick()


def test_no_server_is_ready_without_an_endpoint(server: ServerDriver) -> None:
    for seen in _seen(server):
        assert not (seen.ready and seen.endpoint is None), "ready says that an engine may connect: where?"


def test_a_time_to_look_again_lies_ahead(server: ServerDriver) -> None:
    for seen in _seen(server):
        assert seen.poll_after is None or seen.poll_after > 0


def test_creating_is_started_and_not_waited_for(server: ServerDriver) -> None:
    for _ in server.steps(server.wish()):
        break
    assert server.plan(server.wish()) == () or not server.harness.deadline, "what was started is not started again"


def test_every_action_of_a_creation_may_be_applied_again(server: ServerDriver) -> None:
    for action in server.steps(server.wish()):
        state = server.backend.state()
        server.apply(action)
        assert server.backend.state() == state, f"{action.verb} done again must change nothing"


def test_a_creation_goes_on_in_a_process_that_knows_nothing(server: ServerDriver) -> None:
    for _ in server.steps(server.wish()):
        # The process dies between the step and any record of it.
        server.reopen()
    state = server.backend.state()
    server.settled()
    assert server.backend.state() == state


def test_the_server_of_another_object_is_left_alone(server: ServerDriver) -> None:
    server.settled()
    state = server.backend.state()
    stranger = server.like(owner="uid-of-somebody-else")
    for desired in (stranger.wish(), None):
        with pytest.raises(NotOwned):
            stranger.settle(desired)
    stranger.close()
    assert server.backend.state() == state, "what belongs to somebody else must not be changed"


def test_names_that_look_alike_are_two_servers(server: ServerDriver) -> None:
    first = server.like(namespace="shop", name="eu-orders", owner="uid-a")
    second = server.like(namespace="shop-eu", name="orders", owner="uid-b")
    first.settled()
    assert second.observe() is None, "shop/eu-orders and shop-eu/orders must not meet under one name"
    second.settled()
    second.settle(None)
    assert first.observe() is not None
    for each in (first, second):
        each.close()


def test_the_end_of_one_server_is_not_that_of_another(server: ServerDriver) -> None:
    other = server.like(name="other", owner="uid-other")
    server.settled()
    observed = other.settled()
    server.settle(None)
    assert other.observe() == observed
    other.close()


def test_a_server_may_end_while_it_is_being_made(server: ServerDriver) -> None:
    before = server.backend.state()
    server.apply(server.plan(server.wish())[0])
    server.settle(None)
    assert server.observe() is None
    assert server.backend.state() == before, "nothing may be left behind"


def test_an_end_goes_on_in_a_process_that_knows_nothing(server: ServerDriver) -> None:
    server.settled()
    for _ in server.steps(None):
        server.reopen()
    assert server.observe() is None


def test_a_server_can_be_made_again_after_its_end(server: ServerDriver) -> None:
    first = server.settled()
    server.settle(None)
    assert attributes(server.settled()) == attributes(first)


def test_a_creation_interrupts_nobody(server: ServerDriver) -> None:
    made: list[Action] = list(server.steps(server.wish()))
    assert not [action.verb for action in made if action.disruptive], "there are no clients to interrupt yet"


def _seen(server: ServerDriver) -> list[Server]:
    """Every sight of a server on its way into the world."""
    seen = [server.observe() for _ in server.steps(server.wish())]
    return [each for each in (*seen, server.observe()) if each is not None]


def attributes(observed: Server) -> tuple[str | None, ...]:
    """What a server was made with."""
    return observed.engine, observed.version, observed.size
