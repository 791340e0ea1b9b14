"""A claim of a template class on the double, with a real PostgreSQL behind the endpoint: its whole life.

What AWS would do with a real account is known from its model and documentation; the double stands for it here.
"""

from __future__ import annotations

import pytest

from dbclaims.conformance.doubles.control import Fault, Strike
from dbclaims.core.kinds import CLASS, SECRET, SERVER

from .world import PLATFORM, SHOP, World

BORN = 400.0
"""Seconds in which the double makes an instance, and a little more."""


@pytest.fixture
def live(world: World) -> World:
    """A world with a claim `orders` that is Ready."""
    world.offer(deletionPolicy="Snapshot", maintenanceWindow="Sun:03:00-Sun:04:00")
    world.claim(deletionPolicy="Delete")
    world.settle()
    world.pass_time(BORN, 50)
    assert world.is_ready()
    return world


def test_a_claim_becomes_ready_and_its_secret_logs_in_to_a_server_of_its_own(world: World) -> None:
    world.offer()
    world.claim()
    world.settle()
    world.pass_time(60)
    assert world.verdict("Ready") == ("False", "ServerNotReady")
    assert world.secret() == {}
    world.pass_time(BORN, 50)
    assert world.is_ready()
    assert world.server()["status"]["size"] == "db.t4g.micro"
    # Settled, it costs AWS one look in each resync, and the store nothing.
    position, version = world.double.control.position(), world.server()["metadata"]["resourceVersion"]
    world.pass_time(1200, 300)
    assert len(world.double.control.log()[position:]) <= 4
    assert world.server()["metadata"]["resourceVersion"] == version


def test_two_claims_get_two_servers(world: World) -> None:
    world.offer()
    world.claim("orders")
    world.claim("stock")
    world.settle()
    world.pass_time(BORN, 50)
    assert world.is_ready("orders")
    assert world.is_ready("stock")
    assert len(world.instances()) == 2
    assert world.secret("orders")["host"] != world.secret("stock")["host"]


def test_a_bigger_size_waits_for_the_window_and_then_comes(live: World) -> None:
    # The world begins on a Thursday, at midnight.
    live.edit(SERVER, "shop.orders", PLATFORM, size="large")
    live.settle()
    live.pass_time(300, 50)
    (waiting,) = live.server()["status"]["pending"]
    assert (waiting["action"], waiting["waitsFor"]) == ("resize", "maintenance window")
    assert live.instance()["DBInstanceClass"] == "db.t4g.micro"
    assert live.double.account.outages == []
    assert live.is_ready()
    live.pass_time(3 * 86400, 6 * 3600)
    assert live.instance()["DBInstanceClass"] == "db.t4g.micro"
    live.pass_time(3.5 * 3600, 1800)
    live.pass_time(300, 50)
    assert live.instance()["DBInstanceClass"] == "db.m7g.large"
    assert live.server()["status"]["pending"] == []
    assert live.is_ready()


def test_an_approval_lets_a_waiting_step_run_now(live: World) -> None:
    live.edit(SERVER, "shop.orders", PLATFORM, size="large")
    live.settle()
    live.annotate(SERVER, "shop.orders", PLATFORM, approve=live.server()["status"]["pendingHash"])
    live.settle()
    live.pass_time(300, 50)
    assert live.instance()["DBInstanceClass"] == "db.m7g.large"
    assert live.is_ready()


def test_a_class_says_what_a_size_means_and_a_new_meaning_reaches_its_servers(world: World) -> None:
    world.offer(size="team", sizes={"team": {"instanceClass": "db.t4g.small"}})
    world.claim()
    world.settle()
    world.pass_time(BORN, 50)
    assert world.instance()["DBInstanceClass"] == "db.t4g.small"
    world.edit(CLASS, "own", sizes={"team": {"instanceClass": "db.m7g.large"}})
    world.pass_time(900, 100)
    assert [each["action"] for each in world.server()["status"]["pending"]] == ["resize"]


@pytest.mark.parametrize("state", ["creating", "backing-up", "available", "modifying", "deleting"])
def test_a_controller_that_is_killed_in_any_state_is_followed_by_one_that_goes_on(world: World, state: str) -> None:
    world.offer(deletionPolicy="Delete")
    world.claim(deletionPolicy="Delete")
    for _ in range(100):
        world.settle()
        statuses = [each["DBInstanceStatus"] for each in world.double.account.tables["instances"].values()]
        if statuses == [state]:
            break
        if statuses == ["available"]:
            if state == "modifying":
                world.edit(SERVER, "shop.orders", PLATFORM, storageGiB=100)
            elif world.is_ready():
                world.delete()
            continue_with = 10.0
        else:
            continue_with = 40.0
        world.double.tick(continue_with)
        world.clock.advance(continue_with)
    assert statuses == [state]
    world.restart()
    world.settle()
    world.pass_time(800, 50)
    assert (world.instances() == [] and world.find() is None) if state == "deleting" else world.is_ready()


def test_a_deleted_claim_leaves_a_last_snapshot_that_holds_its_data(live: World) -> None:
    with live.login() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    identifier = live.identifier()
    live.delete()
    live.settle()
    live.pass_time(600, 30)
    assert live.find() is None
    assert live.find(SERVER, "shop.orders", PLATFORM) is None
    assert live.instances() == []
    assert live.secret("shop.orders-admin", PLATFORM) == {}
    (snapshot,) = live.double.account.tables["snapshots"]
    assert snapshot.startswith(f"{identifier}-final-")

    # A new claim of a class that begins with it finds the data.
    live.delete(CLASS, "own")
    live.offer(config={"restoreFrom": snapshot})
    live.claim(databaseName="shop_orders", adopt=True)
    live.settle()
    live.pass_time(2 * BORN, 50)
    assert live.is_ready()
    with live.login() as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_under_retain_nothing_at_aws_is_changed_and_the_server_is_found_again(world: World) -> None:
    world.offer()
    world.claim()
    world.settle()
    world.pass_time(BORN, 50)
    position = world.double.control.position()
    world.delete()
    world.pass_time(60)
    world.delete(SERVER, "shop.orders", PLATFORM)
    world.pass_time(60)
    assert world.find(SERVER, "shop.orders", PLATFORM) is None
    assert [each for each in world.double.control.log()[position:] if not each.is_read] == []
    world.claim()
    world.settle()
    world.pass_time(120)
    assert world.is_ready()
    assert len(world.instances()) == 1


def test_a_foreign_instance_of_the_name_is_untouched(world: World) -> None:
    world.double.call(
        "CreateDBInstance",
        {
            "DBInstanceIdentifier": world.identifier(),
            "Engine": "postgres",
            "DBInstanceClass": "db.t4g.micro",
            "AllocatedStorage": 20,
            "MasterUsername": "somebody",
            "MasterUserPassword": "somebody's-own",
        },
        stale=False,
    )
    world.offer(deletionPolicy="Delete")
    world.claim(deletionPolicy="Delete")
    world.settle()
    world.pass_time(BORN, 50)
    assert world.verdict("Synced", world.server()) == ("False", "NameTaken")
    assert "which does not carry the tags" in world.says(world.server())
    world.delete()
    world.pass_time(BORN, 50)
    assert world.instances() == [world.identifier()]
    assert [each.operation for each in world.double.control.log(lambda r: not r.is_read)] == []


@pytest.mark.parametrize("operation", ["CreateDBInstance", "DeleteDBInstance", "AddTagsToResource"])
def test_a_lost_reply_changes_nothing_of_the_outcome(world: World, operation: str) -> None:
    world.double.control.inject(Fault(Strike.DROP_AFTER, operation, times=2))
    world.offer(deletionPolicy="Snapshot", tags={"team": "shop"})
    world.claim(deletionPolicy="Delete")
    world.settle()
    world.pass_time(BORN, 50)
    assert world.is_ready()
    assert len(world.instances()) == 1
    world.delete()
    world.pass_time(900, 50)
    assert world.find() is None
    assert (world.instances(), len(world.double.account.tables["snapshots"])) == ([], 1)


def test_an_admin_secret_that_was_lost_is_made_anew_and_given_to_the_server(live: World) -> None:
    first = live.secret("shop.orders-admin", PLATFORM)
    live.store.delete(SECRET, PLATFORM, "shop.orders-admin")
    live.restart()
    live.settle()
    live.pass_time(1300, 100)
    second = live.secret("shop.orders-admin", PLATFORM)
    assert second["password"] != first["password"]
    assert live.verdict("Synced", live.server()) == ("True", "Available")
    assert live.is_ready()


def test_no_password_is_in_a_status_or_in_the_doubles_log(live: World) -> None:
    passwords = {live.secret()["password"], live.secret("shop.orders-admin", PLATFORM)["password"]}
    seen = f"{live.find()} {live.server()} {live.double.control.log()} {live.find(CLASS, 'own', SHOP)}"
    assert not [password for password in passwords if password in seen]


@pytest.fixture
def tuned(world: World) -> World:
    """A world with a Ready claim, whose server has a parameter and whose class only reports what is changed there."""
    world.offer(parameters={"work_mem": "8192"})
    world.edit(CLASS, "own", drift={"settings": "report"})
    world.claim()
    world.settle()
    world.pass_time(BORN, 50)
    assert world.is_ready()
    assert world.server()["status"]["pending"] == []
    return world


def _work_mem(world: World) -> dict[str, str]:
    (values,) = world.double.account.parameters.values()
    found: dict[str, str] = values["work_mem"]
    return found


def test_a_setting_that_somebody_changed_is_reported_where_the_class_says_so(tuned: World) -> None:
    _work_mem(tuned)["ParameterValue"] = "1"
    tuned.pass_time(1300, 100)
    status = tuned.server()["status"]
    assert [(step["action"], step["waitsFor"]) for step in status["pending"]] == [("set-parameters", "approval")]
    assert {each["type"]: each["status"] for each in status["conditions"]}["Drifted"] == "True"
    assert _work_mem(tuned)["ParameterValue"] == "1"
    assert tuned.is_ready()
    tuned.annotate(SERVER, "shop.orders", PLATFORM, approve=status["pendingHash"])
    tuned.settle()
    tuned.pass_time(700, 50)
    assert _work_mem(tuned)["ParameterValue"] == "8192"
    assert "Drifted" not in {each["type"] for each in tuned.server()["status"]["conditions"]}


def test_an_edit_is_carried_out_although_the_class_only_reports(tuned: World) -> None:
    tuned.edit(SERVER, "shop.orders", PLATFORM, parameters={"work_mem": "4096"})
    tuned.settle()
    tuned.pass_time(700, 50)
    assert _work_mem(tuned)["ParameterValue"] == "4096"
    assert tuned.server()["status"]["pending"] == []
