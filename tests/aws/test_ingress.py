"""Who is let in: our rules in a security group of yours, on moto's EC2, for a server on the RDS double."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import attrs
import boto3
import pytest
from moto import mock_aws

from dbclaims.core.api import SpecError
from dbclaims.core.spi import InvalidSpec, NotReady, Terminal
from dbclaims.providers.aws.errors import mapped
from dbclaims.providers.aws.ingress import LOOK_EVERY
from tests.clock import FakeClock

from .driver import REF, SPEC, Driver, wish

NewDriver = Callable[..., Driver]
OFFICE, SIX = "10.0.0.0/8", "fd00::/8"


class Network:
    """EC2, and what stands in one group of it, `group`."""

    def __init__(self) -> None:
        self.client: Any = boto3.client("ec2")
        self._vpc = self.client.describe_vpcs()["Vpcs"][0]["VpcId"]
        self.group = self.make("database")

    def make(self, name: str) -> str:
        """A further group."""
        return str(self.client.create_security_group(GroupName=name, Description=name, VpcId=self._vpc)["GroupId"])

    def rules(self) -> dict[str, dict[str, Any]]:
        """What comes in, by its source."""
        answer = self.client.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [self.group]}])
        found = [each for each in answer["SecurityGroupRules"] if not each["IsEgress"]]
        return {self._source(each): each for each in found}

    def add(self, range_: str, port: int = 5432) -> None:
        """A stranger's rule."""
        self.client.authorize_security_group_ingress(
            GroupId=self.group,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": range_}]}],
        )

    def _source(self, rule: dict[str, Any]) -> str:
        return str(rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule["ReferencedGroupInfo"]["GroupId"])


@pytest.fixture
def network(aws: FakeClock) -> Iterator[Network]:
    """EC2 by moto; the RDS double has an address of its own, which moto leaves alone."""
    with mock_aws():
        yield Network()


def config(network: Network, **ingress: Any) -> dict[str, Any]:
    return {"securityGroupIds": [network.group], "ingress": ingress}


def test_clients_are_let_in_once_the_server_stands(new_driver: NewDriver, network: Network) -> None:
    applications = network.make("applications")
    driver = new_driver(config(network, cidrs=[OFFICE, SIX], securityGroups=[applications]))
    driver.made()
    assert network.rules().keys() == {OFFICE, SIX, applications}
    assert {(rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) for rule in network.rules().values()} == {
        (5432, 5432, "tcp")
    }
    assert driver.verbs() == []


def test_an_edit_lets_in_before_it_shuts_out_and_interrupts_nobody(new_driver: NewDriver, network: Network) -> None:
    driver = new_driver(config(network, cidrs=[OFFICE]))
    driver.made()
    driver.reopen(config(network, cidrs=["192.168.0.0/16"]))
    assert driver.verbs() == ["allow", "forbid"]
    driver.converge()
    assert network.rules().keys() == {"192.168.0.0/16"}
    driver.reopen(config(network))
    driver.converge()
    assert network.rules() == {}


def test_strangers_rules_stay_and_are_as_good_as_ours(new_driver: NewDriver, network: Network) -> None:
    network.add(OFFICE)
    network.add("172.16.0.0/12", port=22)
    driver = new_driver(config(network, cidrs=[OFFICE]))
    driver.made()
    assert network.rules().keys() == {OFFICE, "172.16.0.0/12"}
    driver.converge(None)
    assert network.rules().keys() == {OFFICE, "172.16.0.0/12"}


def test_two_servers_share_a_group_and_each_keeps_its_own(new_driver: NewDriver, network: Network) -> None:
    first = new_driver(config(network, cidrs=[OFFICE]))
    second = new_driver(config(network, cidrs=["192.168.0.0/16"]), attrs.evolve(REF, name="b"))
    first.made()
    second.made(wish(ref=second.ref))
    first.converge(None)
    assert network.rules().keys() == {"192.168.0.0/16"}


def test_the_rules_go_when_the_server_is_gone(new_driver: NewDriver, network: Network) -> None:
    driver = new_driver(config(network, cidrs=[OFFICE]))
    driver.made()
    assert driver.converge(None) is None
    assert network.rules() == {}
    assert driver.taken[-1] == "forbid"


def test_a_rule_that_somebody_removed_is_there_again_after_a_while(
    new_driver: NewDriver, network: Network, aws: FakeClock
) -> None:
    driver = new_driver(config(network, cidrs=[OFFICE]))
    driver.made()
    (rule,) = network.rules().values()
    network.client.revoke_security_group_ingress(
        GroupId=network.group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]]
    )
    assert driver.verbs() == []
    aws.advance(LOOK_EVERY)
    assert driver.verbs() == ["allow"]


def test_a_step_that_was_done_already_is_looked_at_again(new_driver: NewDriver, network: Network) -> None:
    driver = new_driver(config(network, cidrs=[OFFICE]))
    driver.made()
    driver.reopen(config(network, cidrs=[OFFICE, SIX]))
    (allow,) = driver.plan()
    driver.apply(allow)
    with pytest.raises(NotReady):
        driver.apply(allow)
    assert driver.verbs() == []


def test_without_a_group_the_way_out_is_named(new_driver: NewDriver) -> None:
    driver = new_driver({"ingress": {"cidrs": [OFFICE]}})
    with pytest.raises(InvalidSpec, match=r"securityGroupIds"):
        driver.observe()


def test_a_group_that_does_not_exist_is_told(new_driver: NewDriver, network: Network) -> None:
    driver = new_driver({"securityGroupIds": ["sg-0123456789abcdef0"], "ingress": {"cidrs": [OFFICE]}})
    with pytest.raises(Terminal, match="sg-0123456789abcdef0") as raised:
        driver.made()
    assert raised.value.reason == "ReferenceNotFound"


@pytest.mark.parametrize("ingress", [{"cidrs": ["10.0.0.1/8"]}, {"cidrs": ["everybody"]}, {"securityGroups": ["web"]}])
def test_a_source_that_is_none_is_refused(new_driver: NewDriver, ingress: dict[str, Any]) -> None:
    with pytest.raises((InvalidSpec, SpecError)):
        new_driver({"securityGroupIds": ["sg-0123456789abcdef0"], "ingress": ingress})


def test_without_ingress_ec2_is_not_asked(new_driver: NewDriver) -> None:
    driver = new_driver({"securityGroupIds": ["sg-0123456789abcdef0"]})
    driver.made()
    assert driver.session.fleet._network is None  # type: ignore[attr-defined]


def test_the_policy_grants_what_is_used_and_nothing_else(new_driver: NewDriver, network: Network) -> None:
    asked = set[str]()
    driver = new_driver(config(network, cidrs=[OFFICE]))
    driver.session.fleet.network.meta.events.register(  # type: ignore[attr-defined]
        "before-call.ec2", lambda model, **_: asked.add(model.name)
    )
    driver.made(SPEC)
    driver.converge(None)
    text = files("dbclaims.providers.aws").joinpath("policy-ingress.json").read_text(encoding="utf-8")
    granted = {action.removeprefix("ec2:") for each in json.loads(text)["Statement"] for action in each["Action"]}
    assert granted == asked | {"CreateTags"}, "tags of a new rule need a right of their own"


def test_a_full_group_is_told() -> None:
    error = boto3.client("ec2", region_name="eu-central-1").exceptions.ClientError(
        {"Error": {"Code": "RulesPerSecurityGroupLimitExceeded", "Message": "full"}}, "AuthorizeSecurityGroupIngress"
    )
    with pytest.raises(Exception, match="full") as raised, mapped("adding rules"):
        raise error
    assert raised.value.reason == "QuotaExceeded"  # type: ignore[attr-defined]
