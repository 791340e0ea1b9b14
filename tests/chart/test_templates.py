"""What the chart renders, without a cluster: the CRDs and rights of the code, the image, and names that never meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from dbclaims.core.api import SCHEMA_ANNOTATION, crds
from dbclaims.core.diagnosis import Scope
from tests.docs.blocks import REPOSITORY
from tests.docs.chart import CHART, values
from tests.helm.release import Document, Helm, HelmFailed

FILES = sorted((CHART / "ci").glob("*-values.yaml"))
MONITORING = ("monitoring.coreos.com/v1/ServiceMonitor", "monitoring.coreos.com/v1/PrometheusRule")
DIGEST = "sha256:" + "a1" * 32
# The kinds of our own templates; extraObjects bring the ConfigMap too.
KINDS = {
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "CustomResourceDefinition",
    "Deployment",
    "NetworkPolicy",
    "Pod",
    "PodDisruptionBudget",
    "PrometheusRule",
    "Role",
    "RoleBinding",
    "Service",
    "ServiceAccount",
    "ServiceMonitor",
}


def of_kind(kind: str, rendered: Iterable[Document]) -> list[Document]:
    return [each for each in rendered if each["kind"] == kind]


def deployment(rendered: Iterable[Document]) -> dict[str, Any]:
    (found,) = of_kind("Deployment", rendered)
    return found


def image(rendered: Iterable[Document]) -> str:
    return str(deployment(rendered)["spec"]["template"]["spec"]["containers"][0]["image"])


def place(document: Mapping[str, Any]) -> tuple[str, str, str]:
    return document["kind"], document["metadata"].get("namespace", ""), document["metadata"]["name"]


def granted(rendered: Iterable[Document]) -> list[tuple[str, Mapping[str, Any]]]:
    """Every rule that the controller's account gets, with its namespace; "" is everywhere."""
    roles = {place(each): each for each in rendered if each["kind"] in ("Role", "ClusterRole")}
    found = []
    for binding in (each for each in rendered if each["kind"] in ("RoleBinding", "ClusterRoleBinding")):
        namespace = binding["metadata"].get("namespace", "")
        if "helm.sh/hook" not in binding["metadata"].get("annotations", {}):
            rules = roles[binding["roleRef"]["kind"], namespace, binding["roleRef"]["name"]]["rules"]
            found += [(namespace, rule) for rule in rules]
    return found


def in_the_code(served: Sequence[str] = ()) -> list[tuple[str, Mapping[str, Any]]]:
    return [(place, rule.document()) for place, rule in Scope("dbclaims-system", served).granted()]


def in_order(rules: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    return sorted(repr((namespace, sorted(rule.items()))) for namespace, rule in rules)


def test_lint_finds_nothing_even_when_strict(helm: Helm) -> None:
    assert "0 chart(s) failed" in helm.run("lint", "--strict", CHART, "--kube-version", "1.35.4")


@pytest.mark.parametrize("keep", [True, False])
def test_the_crds_are_the_code_s_and_are_kept(helm: Helm, keep: bool) -> None:
    rendered = of_kind("CustomResourceDefinition", helm.template(CHART, values={"crds": {"keep": keep}}))
    assert {each["metadata"]["name"]: each["spec"] for each in rendered} == {
        each["metadata"]["name"]: each["spec"] for each in crds()
    }
    marks = {each["metadata"]["name"]: each["metadata"]["annotations"] for each in rendered}
    for crd in crds():
        annotations = marks[crd["metadata"]["name"]]
        assert annotations[SCHEMA_ANNOTATION] == crd["metadata"]["annotations"][SCHEMA_ANNOTATION]
        assert (annotations.get("helm.sh/resource-policy") == "keep") is keep


def test_the_rights_are_the_code_s_in_the_whole_cluster(helm: Helm) -> None:
    assert in_order(granted(helm.template(CHART))) == in_order(in_the_code())


def test_the_rights_are_the_code_s_in_each_of_the_namespaces(helm: Helm) -> None:
    served = ["shop", "bi"]
    rendered = helm.template(CHART, values={"rbac": {"scope": "namespaces", "namespaces": served}})
    assert in_order(granted(rendered)) == in_order(in_the_code(served))


def test_secrets_can_be_kept_to_some_namespaces_of_a_whole_cluster(helm: Helm) -> None:
    rendered = helm.template(CHART, values={"rbac": {"secretNamespaces": ["shop"]}})
    places = {namespace for namespace, rule in granted(rendered) if "secrets" in rule["resources"]}
    assert places == {"shop", "dbclaims-system"}


def test_people_get_claims_and_only_the_platform_team_gets_servers(helm: Helm) -> None:
    aggregated: dict[str, set[str]] = {"view": set(), "edit": set(), "admin": set()}
    written: dict[str, set[str]] = {"view": set(), "edit": set(), "admin": set()}
    for role in of_kind("ClusterRole", helm.template(CHART)):
        for who in aggregated:
            if role["metadata"]["labels"].get(f"rbac.authorization.k8s.io/aggregate-to-{who}") == "true":
                for rule in role["rules"]:
                    aggregated[who] |= set(rule["resources"])
                    written[who] |= set(rule["resources"]) if "create" in rule["verbs"] else set()
    everything = {"databaseclasses", "databaseservers", "databaseclaims", "roleclaims", "claimgrants"}
    assert aggregated == {"view": everything, "edit": everything, "admin": everything}
    assert written == {
        "view": set(),
        "edit": {"databaseclaims", "roleclaims"},
        "admin": {"databaseclaims", "roleclaims", "claimgrants"},
    }


@pytest.mark.parametrize(
    ("values", "reference"),
    [
        ({}, "dbclaims/dbclaims:0.1.0"),
        ({"controller": {"image": {"tag": "edge"}}}, "dbclaims/dbclaims:edge"),
        ({"controller": {"image": {"tag": "edge", "digest": DIGEST}}}, f"dbclaims/dbclaims@{DIGEST}"),
        ({"global": {"imageRegistry": "mirror.internal"}}, "mirror.internal/dbclaims/dbclaims:0.1.0"),
        (
            {"global": {"imageRegistry": "mirror.internal"}, "controller": {"image": {"registry": "own.internal"}}},
            "own.internal/dbclaims/dbclaims:0.1.0",
        ),
    ],
)
def test_the_image_is_found_by_digest_and_registry(helm: Helm, values: dict[str, Any], reference: str) -> None:
    rendered = helm.template(CHART, values=values)
    assert image(rendered) == reference
    (test,) = of_kind("Pod", rendered)
    assert test["spec"]["containers"][0]["image"] == reference


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("replicasCount", {"controller": {"replicasCount": 3}}),
        ("controler", {"controler": {}}),
        ("controller/replicaCount", {"controller": {"replicaCount": "2"}}),
        ("controller/image/digest", {"controller": {"image": {"digest": "latest"}}}),
        ("controller/image/digest", {"controller": {"image": {"digest": DIGEST[:-1]}}}),
        ("controller/class", {"controller": {"class": "Blue"}}),
        ("controller/resyncPeriod", {"controller": {"resyncPeriod": "10"}}),
        ("rbac/scope", {"rbac": {"scope": "namespace"}}),
        ("rbac/namespaces", {"rbac": {"scope": "namespaces"}}),
        ("rbac/namespaces", {"rbac": {"namespaces": ["shop"]}}),
        ("rbac/namespaces/0", {"rbac": {"scope": "namespaces", "namespaces": ["a,b"]}}),
        (
            "plugins/volumes/0/path",
            {"plugins": {"volumes": [{"name": "a", "path": "../etc", "source": {"image": {}}}]}},
        ),
        ("plugins/allow/0", {"plugins": {"allow": ["acme, evil"]}}),
        ("networkPolicy/egress/databases/0", {"networkPolicy": {"egress": {"databases": [{"cidr": "10.0.0.0/8"}]}}}),
        ("monitoring/serviceMonitor/renderMode", {"monitoring": {"serviceMonitor": {"renderMode": "never"}}}),
        ("global/imageRegistry", {"global": {"imageRegistry": 5}}),
    ],
)
def test_a_bad_value_is_refused_with_its_path(helm: Helm, path: str, values: dict[str, Any]) -> None:
    with pytest.raises(HelmFailed) as refused:
        helm.template(CHART, values=values)
    said = str(refused.value)
    assert path in said.replace(".", "/")
    assert "Deployment" not in said


def test_two_releases_have_nothing_of_one_name_but_the_crds(helm: Helm) -> None:
    first = {place(each) for each in helm.template(CHART, name="dbclaims", namespace="one")}
    second = {place(each) for each in helm.template(CHART, name="dbclaims", namespace="two")}
    third = {place(each) for each in helm.template(CHART, name="other", namespace="one")}
    definitions = {each for each in first if each[0] == "CustomResourceDefinition"}
    assert first & second == definitions
    assert first & third == definitions


def test_the_replicas_can_be_left_to_another_manager(helm: Helm) -> None:
    assert "replicas" not in deployment(helm.template(CHART, values={"controller": {"replicaCount": None}}))["spec"]


@pytest.mark.parametrize(("replicas", "budgets"), [(2, 1), (1, 0)])
def test_a_budget_stands_where_a_replica_can_be_spared(helm: Helm, replicas: int, budgets: int) -> None:
    rendered = helm.template(CHART, values={"controller": {"replicaCount": replicas}})
    assert len(of_kind("PodDisruptionBudget", rendered)) == budgets


def test_plugins_of_others_are_named_and_mounted_read_only(helm: Helm) -> None:
    values = yaml.safe_load((CHART / "ci" / "plugins-values.yaml").read_text())
    (container,) = deployment(helm.template(CHART, values=values))["spec"]["template"]["spec"]["containers"]
    assert {
        "--plugins=acme-dbclaims,example-dbclaims",
        "--plugin-path=/plugins/acme/site-packages",
        "--plugin-path=/plugins/example",
    } <= set(container["args"])
    mounts = {each["mountPath"]: each.get("readOnly", False) for each in container["volumeMounts"]}
    assert mounts["/plugins/acme"]
    assert mounts["/plugins/example"]


@pytest.mark.parametrize("kind", ["serviceMonitor", "prometheusRule"])
def test_what_needs_another_operator_is_rendered_by_its_mode(helm: Helm, kind: str) -> None:
    def rendered(mode: str, *options: str) -> list[Document]:
        values = {"monitoring": {kind: {"enabled": True, "renderMode": mode}}}
        documents = helm.template(CHART, values=values, options=options)
        return of_kind(kind[:1].upper() + kind[1:], documents)

    known = ("--api-versions", ",".join(MONITORING))
    assert rendered("skipIfMissing") == []
    assert len(rendered("skipIfMissing", *known)) == 1
    assert len(rendered("alwaysRender")) == 1
    with pytest.raises(HelmFailed, match=r"the cluster does not serve monitoring\.coreos\.com/v1/"):
        rendered("failIfMissing")


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_no_values_bring_a_secret_a_job_a_certificate_or_an_object_of_ours(helm: Helm, path: Path) -> None:
    values = yaml.safe_load(path.read_text()) or {}
    rendered = helm.template(CHART, values=values, options=("--api-versions", ",".join(MONITORING)))
    assert {each["kind"] for each in rendered} <= KINDS
    for role in (each for each in rendered if each["kind"] in ("Role", "ClusterRole")):
        for rule in role["rules"]:
            assert "*" not in (*rule["resources"], *rule["verbs"], *rule["apiGroups"])
            assert "secrets" not in rule["resources"] or not {"list", "watch"} & set(rule["verbs"])


def test_every_value_is_described_and_every_description_has_a_value() -> None:
    assert len(values()) > 40
    schema = yaml.safe_load((CHART / "values.schema.json").read_text())
    assert set(_described(schema)) == {path for path, _, _ in values()}


def test_chart_and_package_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    (line,) = (line for line in (REPOSITORY / "pyproject.toml").read_text().splitlines() if line.startswith("version"))
    assert chart["version"] == chart["appVersion"] == line.split('"')[1]


def test_the_crds_leave_room_in_a_release() -> None:
    size = sum(path.stat().st_size for path in (CHART / "files" / "crds").iterdir())
    assert size <= 300_000, "a release is kept in one Secret of 1 MiB"


def _described(schema: Mapping[str, Any], path: str = "") -> Iterable[str]:
    for name, inner in schema["properties"].items():
        if "properties" in inner:
            yield from _described(inner, f"{path}{name}.")
        else:
            yield f"{path}{name}"
