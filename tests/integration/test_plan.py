"""Plans on a real API server and a real PostgreSQL: they tell what then happens, and they only read."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbclaims.core.kinds import CLAIM, SERVER
from dbclaims.core.kube.transport import USER_AGENT
from tests.overlay import write

from .planning import actions, identify, planned
from .world import World


@pytest.fixture
def known(live: World) -> World:
    """A world with a claim `orders` that is Ready, and an identity that a person may read."""
    identify(live)
    return live


def test_a_plan_reads_only(known: World, tmp_path: Path) -> None:
    known.edit(CLAIM, "orders", schemas=["app", "audit"])
    claim = {"className": known.named("shared"), "schemas": ["app"]}
    metadata = {"name": "more", "namespace": known.named("shop")}
    more = {"apiVersion": CLAIM.api_version, "kind": CLAIM.kind, "metadata": metadata, "spec": claim}
    write(tmp_path / "more.yaml", more)
    requests, statements = known.cluster.audit_position(), known.postgres.log_position()
    found, of_file = planned(known), planned(known, tmp_path)
    # The cluster's own controllers are admin too, and still clear away what other tests left.
    events = known.cluster.audit_since(requests)
    asked = [each for each in events if (each.user, each.user_agent) == ("admin", USER_AGENT)]
    said = [each.text.strip() for each in known.postgres.log_since(statements).statements if known.tag in each.user]
    assert "createSchemas" in actions(found)
    assert actions(of_file)[-1] == "publish"
    assert {each.verb for each in asked} == {"list", "get"}
    assert said
    assert [text for text in said if not text.startswith(("SELECT", "WITH", "SET", "SHOW"))] == []


def test_what_is_planned_is_what_happens(known: World) -> None:
    assert planned(known).code == 0
    known.edit(CLAIM, "orders", schemas=["app", "audit"])
    assert planned(known).code == 1
    known.settle()
    assert known.is_current()
    assert planned(known).code == 0


def test_a_paused_claim_or_server_is_planned_and_waits(known: World) -> None:
    known.annotate(CLAIM, "orders", paused="true")
    known.edit(CLAIM, "orders", schemas=["app", "audit"])
    known.settle()
    found = [step for each in planned(known).planned for step in each.steps]
    assert "createSchemas" in [step.action for step in found]
    assert {step.waits_for for step in found} == {"the end of the pause"}
    known.annotate(SERVER, "shared", "platform", paused="true")
    known.settle()
    known.annotate(CLAIM, "orders", paused=None)
    known.settle()
    known.expect("Synced", "Paused")
    found = [step for each in planned(known).planned for step in each.steps]
    assert "createSchemas" in [step.action for step in found]
    assert {step.waits_for for step in found} == {"the end of the pause"}


def test_a_role_claim_is_planned_beside_its_claim(known: World) -> None:
    known.grant()
    known.role()
    found = planned(known)
    assert {"createLogin", "grant", "publish"} <= set(actions(found, "reports"))
    assert actions(found, "orders") == []
    known.settle()
    assert planned(known).code == 0


def test_who_may_not_claim_is_told_so_before_anything_is_applied(known: World, tmp_path: Path) -> None:
    metadata = {"name": "more", "namespace": known.named("shop")}
    spec = {"className": known.named("shared"), "extensions": ["postgis"]}
    write(
        tmp_path / "more.yaml",
        {"apiVersion": CLAIM.api_version, "kind": CLAIM.kind, "metadata": metadata, "spec": spec},
    )
    found = planned(known, tmp_path / "more.yaml")
    assert found.code == 2
    assert [each.reason for each in found.planned] == ["ExtensionNotAllowed"]


def test_the_end_of_a_claim_is_planned(known: World) -> None:
    known.annotate(CLAIM, "orders", protect="true")
    known.delete(CLAIM, "orders")
    known.settle()
    step = planned(known).planned[-1].steps[0]
    assert (step.action, step.disruptive, step.waits_for) == ("release", True, "dbclaims.io/protect to go")
    assert "the data stay" in step.why
    assert known.logs_in()
    known.annotate(CLAIM, "orders", protect=None)
    known.settle()
    assert planned(known).code == 0
