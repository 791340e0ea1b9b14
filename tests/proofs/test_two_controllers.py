"""Two controllers at once, as after a Lease was lost: at every moment the published credential logs in.

One controller is held up at a call, on either side of it, while the other one works; then it goes on with what it
knew before.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from . import stories
from .stories import Story
from .world import GRACE, Process, World

STORIES = [stories.Rotate, stories.Close, stories.Replace, stories.Repair, stories.RotateRole, stories.Create]
SHARE = 7
"""`make test` takes every seventh side: inside the lock the other controller waits two seconds in vain."""


@pytest.mark.parametrize("kind", STORIES, ids=lambda kind: kind.__name__)
def test_another_controller_does_the_same_meanwhile(world: World, kind: type[Story]) -> None:
    overtake_at_each(world, kind(world), stride=SHARE)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", STORIES, ids=lambda kind: kind.__name__)
def test_another_controller_does_the_same_at_any_point(world: World, kind: type[Story]) -> None:
    overtake_at_each(world, kind(world), stride=1)


def test_a_controller_that_sleeps_through_two_rotations_breaks_nothing(world: World) -> None:
    story, rival = stories.Rotate(world), world.new_process()
    for number in range(100):
        story.prepare(number)
        world.process.calls.arm(number, lambda: _rotate_twice(world, rival))
        story.begin(number)
        world.settle()
        assert world.logs_in(world.secret())
        if "lock" in (reached := world.process.calls.disarm()):
            break
        assert reached
        stories.rest(world)
    stories.rest(world)
    assert world.is_current()
    assert world.open_logins() == {world.secret()["username"]}


def overtake_at_each(world: World, story: Story, *, stride: int) -> None:
    """Tell the story once for each point at which the other controller comes in between."""
    rival = world.new_process()
    number, reached = 0, "nothing yet"
    while reached:
        story.prepare(number)
        world.process.calls.arm(number * stride, _then(rival.settle, story.judge_now))
        story.begin(number)
        world.settle()
        reached = world.process.calls.disarm()
        print(f"overtaken {reached or 'never'}")
        story.judge_now()
        stories.rest(world)
        rival.settle()
        story.judge_end()
        number += 1
    assert number > 2


def _then(*acts: Callable[[], None]) -> Callable[[], None]:
    def event() -> None:
        for act in acts:
            act()

    return event


def _rotate_twice(world: World, rival: Process) -> None:
    """Time enough for the other controller to rotate twice, each time with a whole grace."""
    for number in range(2):
        world.annotate(rotate=f"{world.clock.monotonic()}-{number}")
        for wait in (GRACE * 0.1, GRACE * 0.2, GRACE * 1.2):
            rival.settle()
            world.clock.advance(wait.total_seconds())
        rival.settle()
        assert world.logs_in(world.secret())
