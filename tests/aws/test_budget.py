"""How many requests many servers cost: the double's own log against the rate that AWS grants an account.

RDS publishes no figure for its Describe calls; ten a second is what the suite takes for the limit.
"""

from __future__ import annotations

from collections import Counter

import attrs
import pytest

from dbclaims.conformance.doubles.rds import RdsDouble
from dbclaims.providers.aws import names
from dbclaims.providers.aws.observed import ADMIN, digest, our_tags
from dbclaims.providers.aws.session import tag_list
from tests.clock import FakeClock

from .driver import ADMIN as LOGIN
from .driver import REF, SPEC, Driver

FEW, MANY = 100, 500
LIMIT = 10.0
"""Requests a second."""


def settle_at_aws(double: RdsDouble, drivers: list[Driver]) -> None:
    """Servers that were made long ago."""
    for driver in drivers:
        tags = tag_list({**our_tags(driver.ref), ADMIN: digest(LOGIN)})
        order = {
            "DBInstanceIdentifier": names.identifier(driver.ref),
            "Engine": "postgres",
            "DBInstanceClass": "db.t4g.micro",
            "AllocatedStorage": 20,
            "StorageType": "gp3",
            "StorageEncrypted": True,
            "DeletionProtection": True,
            "CopyTagsToSnapshot": True,
            "MasterUsername": LOGIN.username,
            "MasterUserPassword": LOGIN.password,
            "Tags": tags,
        }
        double.call("CreateDBInstance", order, stale=False)
    double.tick(400)


@pytest.mark.parametrize("servers", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
def test_many_servers_stay_under_the_rate_of_one_account(double: RdsDouble, aws: FakeClock, servers: int) -> None:
    drivers = [Driver(double, ref=attrs.evolve(REF, name=f"db-{number}")) for number in range(servers)]
    settle_at_aws(double, drivers)
    rounds, every = 4, 30.0
    # Every server is looked at every 30 s, as often as one that is being changed.
    for _ in range(rounds):
        for number, driver in enumerate(drivers):
            assert driver.provider.plan(attrs.evolve(SPEC, ref=driver.ref), driver.observe()) == ()
            if number % 50 == 49:
                pause = every * 50 / servers
                aws.advance(pause)
                double.tick(pause)
    for driver in drivers:
        driver.close()
    requests = double.control.log()
    rate = len(requests) / (rounds * every)
    print(f"{servers} servers, each every {every:.0f} s: {len(requests)} requests, {rate:.2f} a second")
    print(Counter(request.operation for request in requests).most_common())
    assert rate < LIMIT
    busiest = Counter(int(request.at) for request in requests).most_common(1)[0]
    assert busiest[1] <= 2 * LIMIT


def test_a_change_of_ours_is_seen_at_once_although_lists_are_shared(double: RdsDouble, aws: FakeClock) -> None:
    drivers = [Driver(double, ref=attrs.evolve(REF, name=f"db-{number}")) for number in range(30)]
    settle_at_aws(double, drivers)
    first = drivers[0]
    assert first.verbs(attrs.evolve(SPEC, ref=first.ref, storage_gib=100)) == ["modify"]
    first.step(attrs.evolve(SPEC, ref=first.ref, storage_gib=100))
    assert first.seen().poll_after == 30.0
    for driver in drivers:
        driver.close()
