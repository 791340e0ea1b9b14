"""The least-privilege policy against everything that the provider really asks of AWS in its servers' lives."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import attrs

from .driver import REF, Driver, wish

NewDriver = Callable[..., Driver]

STATEMENTS: list[dict[str, Any]] = json.loads(
    files("dbclaims.providers.aws").joinpath("policy.json").read_text(encoding="utf-8")
)["Statement"]


def granted() -> set[str]:
    return {action.removeprefix("rds:") for statement in STATEMENTS for action in statement["Action"]}


def live_through(driver: Driver, snapshot: str, **changes: Any) -> None:
    """Everything that a server can live through, from its order to its last snapshot."""
    spec = wish(parameters={"work_mem": "8192", "max_connections": "200"}, **changes)
    driver.made(spec)
    driver.converge(attrs.evolve(spec, parameters={"work_mem": "4096"}, tags={"team": "shop"}), approved=True)
    assert driver.converge(None) is None


def test_the_policy_grants_what_is_used_and_nothing_else(new_driver: NewDriver) -> None:
    keeping = attrs.evolve(REF, final_snapshot=True)
    double = new_driver(ref=keeping).double
    live_through(new_driver(ref=keeping), "snapshots")
    live_through(new_driver({"aurora": {}}, keeping), "cluster_snapshots", size="medium", high_availability=True)
    (instance,), (cluster,) = double.account.tables["snapshots"], double.account.tables["cluster_snapshots"]
    live_through(new_driver({"restoreFrom": instance}, attrs.evolve(REF, name="b")), "")
    live_through(new_driver({"aurora": {}, "restoreFrom": cluster}, attrs.evolve(REF, name="c")), "", size="medium")
    # A group that is there already is looked at before it is used.
    first = new_driver(ref=attrs.evolve(REF, name="d"))
    client = first.client
    tags = [{"Key": key, "Value": value} for key, value in first_tags(first).items()]
    client.create_db_parameter_group(
        DBParameterGroupName=f"{first.identifier}-postgres17",
        DBParameterGroupFamily="postgres17",
        Description="of an earlier try",
        Tags=tags,
    )
    position = double.control.position()
    first.made(wish(parameters={"work_mem": "8192"}))
    assert "ListTagsForResource" in double.control.operations()[position:]
    assert set(double.control.operations()) == granted()


def first_tags(driver: Driver) -> dict[str, str]:
    ref = driver.ref
    return {
        "dbclaims.io/installation": ref.installation,
        "dbclaims.io/owner": ref.owner,
        "dbclaims.io/server": f"{ref.namespace}/{ref.name}",
    }


def test_what_changes_or_ends_something_is_bound_to_our_tags() -> None:
    for statement in STATEMENTS:
        free = [action for action in statement["Action"] if not action.startswith(("rds:Describe", "rds:List"))]
        if free:
            assert "Condition" in statement, free
        else:
            assert "Condition" not in statement


def test_what_is_made_may_be_given_its_tags_in_the_same_order() -> None:
    (making,) = [each for each in STATEMENTS if "rds:CreateDBInstance" in each["Action"]]
    assert "rds:AddTagsToResource" in making["Action"]


def test_nothing_is_granted_by_a_wildcard() -> None:
    assert [action for statement in STATEMENTS for action in statement["Action"] if "*" in action] == []
