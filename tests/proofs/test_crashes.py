"""The controller dies at every call that it makes, before it and after it: the published login works, nothing is lost.

A story is set off again and again, and each time the controller ends one side of a call later, until it once comes to
the end. Then the next controller finds the world as it stands and brings the story to its end.
"""

from __future__ import annotations

from contextlib import suppress

import pytest

from . import stories
from .stories import Story
from .wire import Killed
from .world import World

BASIC = [stories.Rotate, stories.Close]
FURTHER = [
    stories.Create,
    stories.Repair,
    stories.Replace,
    stories.Rename,
    stories.RotateRole,
    stories.LetGo,
    stories.TakeBack,
    stories.Drop,
]
SHARE = 3
"""`make test` takes every third side of a call, and `make test-long` all."""


@pytest.mark.parametrize("kind", [*BASIC, *FURTHER], ids=lambda kind: kind.__name__)
def test_a_controller_may_die_at_many_a_point(world: World, kind: type[Story]) -> None:
    assert die_at_each(world, kind(world), stride=SHARE) >= 5


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", [*BASIC, *FURTHER], ids=lambda kind: kind.__name__)
def test_a_controller_may_die_at_any_point(world: World, kind: type[Story]) -> None:
    assert die_at_each(world, kind(world), stride=1) > 12


@pytest.mark.parametrize("kind", BASIC, ids=lambda kind: kind.__name__)
def test_a_controller_of_mysql_may_die_at_many_a_point(mysql_world: World, kind: type[Story]) -> None:
    assert die_at_each(mysql_world, kind(mysql_world), stride=SHARE) >= 5


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", [*BASIC, *FURTHER], ids=lambda kind: kind.__name__)
def test_a_controller_of_mysql_may_die_at_any_point(mysql_world: World, kind: type[Story]) -> None:
    assert die_at_each(mysql_world, kind(mysql_world), stride=1) > 12


def die_at_each(world: World, story: Story, *, stride: int) -> int:
    """Tell the story once for each point at which its controller dies; return how many there were."""
    deaths = 0
    while True:
        story.prepare(deaths)
        world.process.calls.arm(deaths * stride)
        with suppress(Killed):
            story.begin(deaths)
            world.settle()
        died = world.process.calls.disarm()
        print(f"died {died or 'never'}")
        story.judge_now()
        if died:
            world.restart()
        stories.rest(world)
        story.judge_end()
        if not died:
            return deaths
        deaths += 1
