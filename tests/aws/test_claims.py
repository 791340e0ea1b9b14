"""A claim of a template class on the double, with a real PostgreSQL behind the endpoint: its whole life.

What AWS would do with a real account is known from its model and documentation; the double stands for it here.
"""

from __future__ import annotations

from .world import World


def test_a_claim_becomes_ready_and_its_secret_logs_in_to_a_server_of_its_own(world: World) -> None:
    world.offer()
    world.claim()
    world.settle()
    world.pass_time(60)
    print(world.find(), world.server(), world.double.control.operations())
    assert world.verdict("Ready") == ("False", "ServerNotReady")
    world.pass_time(400)
    print(world.find(), world.server(), world.double.control.operations())
    assert world.is_ready()
