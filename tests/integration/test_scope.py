"""What only a controller of some namespaces meets (`rbac.scope: namespaces`): its rights go with their namespace."""

from __future__ import annotations

import pytest

from dbclaims.core.diagnosis import Scope
from dbclaims.core.kinds import CLAIM, ROLE
from tests.core.test_manager import until
from tests.rights import may

from .world import World

pytestmark = pytest.mark.scopes("namespaces", reason="in the scope `cluster` no right goes with a namespace")


@pytest.mark.long
def test_a_namespace_whose_roles_went_before_its_claims_waits_until_the_controller_may_let_go(live: World) -> None:
    place, account = live.named("shop"), live.account.name
    live.delete_namespace("shop")
    until(lambda: not may(live.cluster, account, "patch", "databaseclaims", place, group="dbclaims.io"))
    until(lambda: "deletionTimestamp" in (live.process.told(CLAIM, place, "orders") or {})["metadata"])
    live.pass_time(60, steps=3)
    assert live.get(CLAIM, "orders")["metadata"]["finalizers"], "nobody but the controller lets a claim go"
    assert not any(live.roles().values())

    # What `helm upgrade --set rbac.scope=cluster` grants, for as long as it takes.
    live.account.grant(Scope(live.account.scope.own))

    def gone() -> bool:
        live.pass_time(5)
        return not live.has_namespace("shop")

    until(gone, 60)
    assert len(live.databases()) == 1


def test_a_namespace_that_is_gone_keeps_nobody_else_waiting_at_a_restart(live: World) -> None:
    live.end_namespace("bi")
    live.restart()
    live.claim("later")
    live.settle()
    assert live.is_current("later")
    assert live.logs_in(live.secret("later"))

    live.remake_namespace("bi")
    live.grant()
    live.role()
    live.settle()
    assert live.is_current("reports", ROLE, "bi")
