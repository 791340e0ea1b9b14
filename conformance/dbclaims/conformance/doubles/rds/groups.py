"""Parameter groups of instances and of clusters, subnet groups, and tags."""

from __future__ import annotations

from ..wire import Refusal
from . import catalogue
from .account import Account, Arguments, Record, identifier, page, tags

_FAMILIES = {catalogue.family(e, version) for e, versions in catalogue.VERSIONS.items() for version in versions}
_MOST_AT_ONCE = 20


class ParameterGroups:
    """One kind of parameter group; `Groups` gives the operations their names.

    Args:
        prefix: of the model's words, `DBParameterGroup` or `DBClusterParameterGroup`.
        table: of the groups in the account.
    """

    def __init__(self, account: Account, prefix: str, table: str, kind: str) -> None:
        self._account, self._prefix, self._table, self._kind = account, prefix, table, kind
        self._name, self._absent = f"{prefix}Name", f"{prefix}NotFound"

    def create(self, a: Arguments) -> Record:
        """Make an empty group of a family."""
        name = identifier(a[self._name], self._name, 255)
        # The model has one code for both kinds.
        self._account.check_free(self._table, name, "DBParameterGroupAlreadyExists")
        if a["DBParameterGroupFamily"] not in _FAMILIES:
            raise Refusal("InvalidParameterValue", f"{a['DBParameterGroupFamily']} is not a valid family")
        if len(self._account.tables[self._table]) >= self._account.quotas.parameter_groups:
            raise Refusal("DBParameterGroupQuotaExceeded", "Request would result in too many parameter groups")
        record = {
            self._name: name,
            "DBParameterGroupFamily": a["DBParameterGroupFamily"],
            "Description": a["Description"],
            f"{self._prefix}Arn": self._account.arn(self._kind, name),
            "TagList": tags(a.get("Tags")),
        }
        self._account.tables[self._table][name] = record
        self._account.parameters[f"{self._kind}:{name}"] = {}
        return {self._prefix: record}

    def describe(self, a: Arguments) -> Record:
        """One group or all."""
        records = self._account.listed(self._table, a.get(self._name), "DBParameterGroupNotFound")
        return page(f"{self._prefix}s", records, a)

    def parameters(self, a: Arguments) -> Record:
        """A group's parameters, all or those that a user set."""
        group = self._find(a[self._name])
        values = {**catalogue.parameters(group["DBParameterGroupFamily"]), **self._set(group[self._name])}
        wanted = a.get("Source")
        return page("Parameters", [each for each in values.values() if wanted in (None, each["Source"])], a)

    def modify(self, a: Arguments) -> Record:
        """Set parameters, at most twenty at once; static ones only with pending-reboot."""
        group = self._find(a[self._name])
        known = catalogue.parameters(group["DBParameterGroupFamily"])
        if len(a["Parameters"]) > _MOST_AT_ONCE:
            raise Refusal("InvalidParameterValue", "at most 20 parameters at once")
        for each in a["Parameters"]:
            default = known.get(each["ParameterName"])
            if default is None or not default["IsModifiable"]:
                raise Refusal("InvalidParameterValue", f"{each['ParameterName']} cannot be modified")
            if default["ApplyType"] == "static" and each.get("ApplyMethod") == "immediate":
                raise Refusal("InvalidParameterCombination", "cannot use immediate apply method for static parameter")
            self._set(group[self._name])[each["ParameterName"]] = {**default, **each, "Source": "user"}
        self._touch(group, [known[each["ParameterName"]]["ApplyType"] for each in a["Parameters"]])
        return {self._name: group[self._name]}

    def reset(self, a: Arguments) -> Record:
        """Give parameters their defaults back."""
        group = self._find(a[self._name])
        known, values = catalogue.parameters(group["DBParameterGroupFamily"]), self._set(group[self._name])
        for each in a.get("Parameters", ()):
            values.pop(each["ParameterName"], None)
        if a.get("ResetAllParameters"):
            values.clear()
        self._touch(group, [known[each["ParameterName"]]["ApplyType"] for each in a.get("Parameters", ())])
        return {self._name: group[self._name]}

    def delete(self, a: Arguments) -> Record:
        """End a group that nobody uses."""
        group = self._find(a[self._name])
        if self._users(group[self._name]):
            raise Refusal("InvalidDBParameterGroupState", "One or more database instances are still members")
        del self._account.tables[self._table][group[self._name]]
        del self._account.parameters[f"{self._kind}:{group[self._name]}"]
        return {}

    def _find(self, name: str) -> Record:
        return self._account.find(self._table, name, "DBParameterGroupNotFound")

    def _set(self, name: str) -> dict[str, Record]:
        return self._account.parameters[f"{self._kind}:{name}"]

    def _users(self, name: str) -> list[Record]:
        instances, clusters = self._account.tables["instances"].values(), self._account.tables["clusters"].values()
        if self._kind == "cluster-pg":
            return [each for each in clusters if each.get("DBClusterParameterGroup") == name]
        return [each for each in instances if name in [g[self._name] for g in each["DBParameterGroups"]]]

    def _touch(self, group: Record, kinds: list[str]) -> None:
        """A changed static parameter waits for the next reboot of everything that uses the group."""
        if "static" in kinds:
            for user in self._users(group[self._name]):
                _mark_pending(user)


def _mark_pending(user: Record) -> None:
    """An instance, or every instance of a cluster, waits for a restart."""
    for member in user.get("DBClusterMembers", ()):
        member["DBClusterParameterGroupStatus"] = "pending-reboot"
    for group in user.get("DBParameterGroups", ()):
        group["ParameterApplyStatus"] = "pending-reboot"


class Groups:
    """The operations on groups and tags."""

    def __init__(self, account: Account) -> None:
        self._account = account
        ours = ParameterGroups(account, "DBParameterGroup", "parameter_groups", "pg")
        clusters = ParameterGroups(account, "DBClusterParameterGroup", "cluster_parameter_groups", "cluster-pg")
        self.create_db_parameter_group, self.create_db_cluster_parameter_group = ours.create, clusters.create
        self.describe_db_parameter_groups, self.describe_db_cluster_parameter_groups = ours.describe, clusters.describe
        self.describe_db_parameters, self.describe_db_cluster_parameters = ours.parameters, clusters.parameters
        self.modify_db_parameter_group, self.modify_db_cluster_parameter_group = ours.modify, clusters.modify
        self.reset_db_parameter_group, self.reset_db_cluster_parameter_group = ours.reset, clusters.reset
        self.delete_db_parameter_group, self.delete_db_cluster_parameter_group = ours.delete, clusters.delete

    def create_db_subnet_group(self, a: Arguments) -> Record:
        """Make a subnet group over at least two zones."""
        name = identifier(a["DBSubnetGroupName"], "DBSubnetGroupName", 255)
        self._account.check_free("subnet_groups", name, "DBSubnetGroupAlreadyExists")
        if len(set(a["SubnetIds"])) < 2:
            raise Refusal("DBSubnetGroupDoesNotCoverEnoughAZs", "add subnets to cover at least 2 availability zones")
        record = {
            "DBSubnetGroupName": name,
            "DBSubnetGroupDescription": a["DBSubnetGroupDescription"],
            "VpcId": "vpc-1",
            "SubnetGroupStatus": "Complete",
            "Subnets": [{"SubnetIdentifier": each, "SubnetStatus": "Active"} for each in a["SubnetIds"]],
            "DBSubnetGroupArn": self._account.arn("subgrp", name),
            "TagList": tags(a.get("Tags")),
        }
        self._account.tables["subnet_groups"][name] = record
        return {"DBSubnetGroup": record}

    def describe_db_subnet_groups(self, a: Arguments) -> Record:
        """One subnet group or all."""
        records = self._account.listed("subnet_groups", a.get("DBSubnetGroupName"), "DBSubnetGroupNotFoundFault")
        return page("DBSubnetGroups", records, a)

    def delete_db_subnet_group(self, a: Arguments) -> Record:
        """End a subnet group that nobody uses."""
        group = self._account.find("subnet_groups", a["DBSubnetGroupName"], "DBSubnetGroupNotFoundFault")
        users = [i for i in self._account.tables["instances"].values() if i.get("DBSubnetGroup") is group]
        if users:
            raise Refusal("InvalidDBSubnetGroupStateFault", "the subnet group is in use")
        del self._account.tables["subnet_groups"][group["DBSubnetGroupName"]]
        return {}

    def add_tags_to_resource(self, a: Arguments) -> Record:
        """Add tags, or replace their values."""
        record = self._account.by_arn(a["ResourceName"])
        record["TagList"] = tags(a["Tags"], record["TagList"])
        return {}

    def remove_tags_from_resource(self, a: Arguments) -> Record:
        """Remove tags by key."""
        record = self._account.by_arn(a["ResourceName"])
        record["TagList"] = [tag for tag in record["TagList"] if tag["Key"] not in a["TagKeys"]]
        return {}

    def list_tags_for_resource(self, a: Arguments) -> Record:
        """A resource's tags."""
        return {"TagList": self._account.by_arn(a["ResourceName"])["TagList"]}
