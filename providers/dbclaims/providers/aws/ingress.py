"""Who is let in: rules of ours in a security group of yours, told from everybody else's by our tags.

EC2 API reference: DescribeSecurityGroupRules, AuthorizeSecurityGroupIngress, RevokeSecurityGroupIngress. A group is
never made, deleted or attached here; it is one of `securityGroupIds`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dbclaims.core.spi import Action, InvalidSpec, Plan, ServerRef

from .config import Config
from .errors import mapped
from .observed import Record, Rule, Rules, our_tags
from .session import Session, tag_list

LOOK_EVERY = 600.0
"""Seconds between looks at a group that we did not change: somebody's edit shows within one resync."""
PORTS = {"postgres": 5432, "mysql": 3306}


# --- looking -----------------------------------------------------------------------------------------------------


def look(session: Session, ref: ServerRef) -> Rules | None:
    """The rules of the group; None where `spec.config` does not speak of any. Raises `SPIError`."""
    if session.config.ingress is None:
        return None
    group = _group(session.config)
    found: Sequence[Record] = session.fleet.known(_key(group), lambda: _rules(session, group), LOOK_EVERY)
    return _sorted(found, our_tags(ref))


def _rules(session: Session, group: str) -> list[Record]:
    with mapped(f"reading the rules of {group}"):
        pages = session.fleet.network.get_paginator("describe_security_group_rules").paginate(
            Filters=[{"Name": "group-id", "Values": [group]}]
        )
        return [each for page in pages for each in page["SecurityGroupRules"] if not each["IsEgress"]]


def _sorted(records: Sequence[Record], tags: Mapping[str, str]) -> Rules:
    ours, others = dict[Rule, str](), set[Rule]()
    for record in records:
        rule = _rule(record)
        if tags.items() <= {tag["Key"]: tag["Value"] for tag in record.get("Tags", ())}.items():
            ours[rule] = record["SecurityGroupRuleId"]
        elif record["IpProtocol"] == "tcp" and record["FromPort"] == record["ToPort"]:
            others.add(rule)
    return Rules(ours, frozenset(others))


def _rule(record: Record) -> Rule:
    group = (record.get("ReferencedGroupInfo") or {}).get("GroupId")
    return Rule(str(record.get("CidrIpv4") or record.get("CidrIpv6") or group or ""), int(record["FromPort"]))


def _group(config: Config) -> str:
    """The group that holds our rules. Raises `InvalidSpec` where there is none."""
    if not config.security_group_ids:
        raise InvalidSpec(
            "spec.config.ingress: there is no group for the rules; name one in spec.config.securityGroupIds (the first "
            "holds them), or remove ingress"
        )
    return config.security_group_ids[0]


def _key(group: str) -> str:
    return f"rules of {group}"


# --- deciding ----------------------------------------------------------------------------------------------------


def plan(engine: str, config: Config, rules: Rules | None) -> Plan:
    """What makes our rules the wished ones: who is missing is let in before anybody is shut out."""
    if rules is None or config.ingress is None:
        return ()
    port = config.port or PORTS[engine]
    wished = {Rule(source, port) for source in (*config.ingress.cidrs, *config.ingress.security_groups)}
    missing = sorted(wished - rules.ours.keys() - rules.others)
    allow = Action("allow", f"nobody is let in from {_sources(missing)}", {"rules": missing})
    return ((allow,) if missing else ()) + _removal(rules, rules.ours.keys() - wished)


def ending(rules: Rules | None) -> Plan:
    """What takes our rules away when the server is gone."""
    return _removal(rules, rules.ours.keys()) if rules else ()


def _removal(rules: Rules, gone: Any) -> Plan:
    if not gone:
        return ()
    ids = sorted(rules.ours[rule] for rule in gone)
    return (Action("forbid", f"nobody is to come in from {_sources(sorted(gone))}", {"ids": ids}),)


def _sources(rules: Sequence[Rule]) -> str:
    return ", ".join(rule.source for rule in rules)


# --- doing -------------------------------------------------------------------------------------------------------


def allow(session: Session, ref: ServerRef, rules: Sequence[Rule]) -> None:
    """Add rules, with our tags."""
    group = _group(session.config)
    session.fleet.forget(_key(group))
    with mapped(f"adding rules to {group}"):
        session.fleet.network.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[_permission(rule, ref) for rule in rules],
            TagSpecifications=[{"ResourceType": "security-group-rule", "Tags": tag_list(our_tags(ref))}],
        )


def forbid(session: Session, ids: Sequence[str]) -> None:
    """Remove rules by their ids, which are never used again."""
    group = _group(session.config)
    session.fleet.forget(_key(group))
    with mapped(f"removing rules from {group}"):
        session.fleet.network.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=list(ids))


def _permission(rule: Rule, ref: ServerRef) -> dict[str, Any]:
    says = {"Description": f"dbclaims {ref.namespace}/{ref.name}"[:255]}
    if rule.source.startswith("sg-"):
        source: dict[str, Any] = {"UserIdGroupPairs": [{"GroupId": rule.source, **says}]}
    elif ":" in rule.source:
        source = {"Ipv6Ranges": [{"CidrIpv6": rule.source, **says}]}
    else:
        source = {"IpRanges": [{"CidrIp": rule.source, **says}]}
    return {"IpProtocol": "tcp", "FromPort": rule.port, "ToPort": rule.port, **source}
