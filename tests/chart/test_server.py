"""Every values file, sent to a real API server as a dry run: it takes every object, and pods are restricted ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.commands.served import kubectl
from tests.conftest import needed
from tests.controlplane.cluster import ControlPlane
from tests.docs.chart import CHART
from tests.helm.release import Document, Helm

FILES = sorted((CHART / "ci").glob("*-values.yaml"))
MONITORED = ("ServiceMonitor", "PrometheusRule")
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
NAMESPACES = ("shop", "bi", "platform")


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A cluster that serves the kinds of a monitoring operator, with a namespace that wants restricted pods."""
    with needed(ControlPlane) as started:
        system: Document = {"metadata": {"name": "dbclaims-system", "labels": RESTRICTED}}
        namespaces = [system, *({"metadata": {"name": name}} for name in NAMESPACES)]
        made = [{"apiVersion": "v1", "kind": "Namespace", **each} for each in namespaces]
        made += [_definition(kind) for kind in MONITORED]
        kubectl(started, "apply", "-f", "-", text=yaml.safe_dump_all(made))
        kubectl(started, "wait", "--for=condition=Established", "crd", "--all")
        yield started


@pytest.mark.parametrize("path", FILES, ids=[path.name.removesuffix("-values.yaml") for path in FILES])
def test_the_api_server_takes_everything_that_a_values_file_brings(helm: Helm, plane: ControlPlane, path: Path) -> None:
    served = ",".join(f"monitoring.coreos.com/v1/{kind}" for kind in MONITORED)
    values = yaml.safe_load(path.read_text()) or {}
    rendered = helm.template(CHART, values=values, options=("--api-versions", served))
    pods = [_pod(each) for each in rendered if each["kind"] == "Deployment"]
    text = yaml.safe_dump_all([*rendered, *pods])
    said = kubectl(plane, "apply", "--server-side", "--dry-run=server", "-f", "-", text=text)
    assert said.count("serverside-applied (server dry run)") == len(rendered) + len(pods)


def _pod(deployment: Document) -> Document:
    """The pod that a Deployment would make, so that the namespace's pod security judges it."""
    template = deployment["spec"]["template"]
    metadata = {**template["metadata"], "name": "one", "namespace": deployment["metadata"]["namespace"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def _definition(kind: str) -> Document:
    """A kind of the monitoring operator, as far as this chart writes it."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": kind, "plural": f"{kind.lower()}s", "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.monitoring.coreos.com"},
        "spec": {"group": "monitoring.coreos.com", "scope": "Namespaced", "names": names, "versions": [version]},
    }
