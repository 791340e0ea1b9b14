"""`dbclaims check`, as `helm test` runs it: with the controller's own account, changing nothing."""

from __future__ import annotations

from typing import Any

import pytest

from dbclaims.core.api import SCHEMA_ANNOTATION
from tests.helm.release import documents

from .stand import SYSTEM, Installed, Stand

NAMESPACES = ["shop", "bi"]


def arguments(installed: Installed) -> list[str]:
    """What the pod of `helm test` runs."""
    hooks = documents(installed.stand.helm.run("get", "hooks", installed.name, "--namespace", installed.namespace))
    (pod,) = (each for each in hooks if each["kind"] == "Pod")
    command, *options = map(str, pod["spec"]["containers"][0]["args"])
    assert command == "check"
    return options


def may_create_claims(installed: Installed) -> None:
    """What helm creates before the test's pod and deletes after it."""
    hooks = documents(installed.stand.helm.run("get", "hooks", installed.name, "--namespace", installed.namespace))
    installed.stand.apply(each for each in hooks if each["kind"] != "Pod")


@pytest.mark.parametrize("rbac", [{}, {"scope": "namespaces", "namespaces": NAMESPACES}], ids=["cluster", "namespaces"])
def test_what_is_well_is_said_and_the_claim_is_not_stored(stand: Stand, rbac: dict[str, Any]) -> None:
    stand.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in NAMESPACES)
    installed = stand.install(values={"rbac": rbac})
    may_create_claims(installed)
    position = stand.plane.audit_position()
    code, said = stand.check(*arguments(installed), "--kubeconfig", installed.kubeconfig())
    assert code == 0, said
    assert [line.split()[0] for line in said.splitlines()] == ["ok"] * len(said.splitlines())
    assert said.splitlines()[-3:] == ["ok      definitions", "ok      rights", f"ok      a claim in namespace {SYSTEM}"]
    assert [each for each in stand.asked_by(installed.account, position) if each.code in (401, 403)] == []
    assert stand.plane.request("GET", "/apis/dbclaims.io/v1alpha1/databaseclaims")[1]["items"] == []


def test_everything_that_is_in_the_way_is_named_at_once(stand: Stand) -> None:
    installed = stand.install()
    binding = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/dbclaims-dbclaims-system-secrets"
    assert stand.plane.request("DELETE", binding)[0] == 200
    crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/claimgrants.dbclaims.io"
    older = {"metadata": {"annotations": {SCHEMA_ANNOTATION: "older"}}}
    assert stand.plane.request("PATCH", crd, older, kind="merge-patch+json")[0] == 200
    code, said = stand.check(*arguments(installed), "--kubeconfig", installed.kubeconfig())
    failed = [line for line in said.splitlines() if line.startswith("FAILED")]
    assert code == 1
    assert len(failed) == 3
    assert "definition of claimgrants.dbclaims.io is another version's" in failed[0]
    assert "rights: not allowed: get secrets; create secrets; update secrets; delete secrets;" in failed[1]
    assert "databaseclaims.dbclaims.io is forbidden" in failed[2]
