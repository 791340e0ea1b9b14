"""What is read of YAML without PyYAML is what PyYAML reads, for kubeconfigs and for whatever else looks like one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dbclaims.core.kube.plainyaml import NotPlain, read_plain
from tests.controlplane.cluster import ControlPlane

EKS = """\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTi==
    server: https://0A1B.gr7.eu-west-1.eks.example.internal
  name: arn:aws:eks:eu-west-1:123456789012:cluster/shop
contexts:
- context:
    cluster: arn:aws:eks:eu-west-1:123456789012:cluster/shop
    user: arn:aws:eks:eu-west-1:123456789012:cluster/shop
  name: shop
current-context: shop
kind: Config
preferences: {}
users:
# who logs in
- name: arn:aws:eks:eu-west-1:123456789012:cluster/shop
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args:
      - --region
      - eu-west-1
      - eks
      command: aws
      env: null
      provideClusterInfo: false
"""

INDENTS = st.integers(0, 5).map(lambda width: " " * width)
KEYS = ("a:", "b:", "c.d-e:", "on:", "- a:", "-  b:", "- ", "-", "'q':", "1:")
VALUES = ("", " ", " x", " https://h:1/p", " a:b", " a: b", " --flag", " -", " 'q # r'", ' "s"', ' "t\\n"', " 'it''s'")
ODD = (
    " true",
    " Yes",
    " null",
    " ~",
    " 1",
    " 1e3",
    " 0x1f",
    " {}",
    " []",
    " [x]",
    " |",
    " >",
    " &a",
    " *a",
    " !t",
    " # c",
)
LINES = st.tuples(
    INDENTS, st.sampled_from(KEYS), st.sampled_from((*VALUES, *ODD)), st.sampled_from(("", " ", "\t", "\r"))
)
OTHERS = st.sampled_from(("---", "...", "", "# c", "  # c", "\t", "%YAML 1.1", "x", "ü: x"))
DOCUMENTS = st.lists(st.one_of(LINES.map("".join), OTHERS), max_size=8).map("\n".join)

SCALARS = st.one_of(
    st.text("ab:-/# '\"\\{}[],&*!|>%@`0123456789.+=_~?ynYN", max_size=12), st.booleans(), st.none(), st.integers()
)
TREES = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.sampled_from("abcdey"), inner)), max_leaves=8
)


def read(text: str) -> Any:
    """What PyYAML makes of it; its error where it makes nothing."""
    try:
        return yaml.safe_load(text.encode())
    except (yaml.YAMLError, ValueError) as error:
        return error


@settings(max_examples=400, deadline=None)
@given(st.one_of(DOCUMENTS, TREES.map(yaml.safe_dump)))
def test_what_is_read_is_what_pyyaml_reads(text: str) -> None:
    try:
        found = read_plain(text.encode())
    except NotPlain:
        return
    assert found == read(text)
    assert repr(found) == repr(read(text)), "1 and True are equal, and not the same"


@pytest.mark.parametrize("text", [EKS, yaml.safe_dump(yaml.safe_load(EKS)), re.sub(r"(?m)^(?=[- #])", "  ", EKS)])
def test_a_kubeconfig_as_programs_write_it_is_plain(text: str) -> None:
    assert read_plain(text.encode()) == yaml.safe_load(text)


def test_what_kubectl_writes_is_plain(cluster: ControlPlane, tmp_path: Path) -> None:
    path = tmp_path / "config"
    for arguments in (
        (
            "set-cluster",
            "one",
            f"--server={cluster.url}",
            f"--certificate-authority={cluster.ca_file}",
            "--embed-certs",
        ),
        ("set-credentials", "me", "--token=eyJhbGciOi.abc_def-0"),
        ("set-credentials", "you", "--exec-command=login", "--exec-api-version=client.authentication.k8s.io/v1"),
        ("set-context", "here", "--cluster=one", "--user=me", "--namespace=shop"),
        ("use-context", "here"),
    ):
        command = [str(cluster.kubectl), "--kubeconfig", str(path), "config", *arguments]
        subprocess.run(command, check=True, capture_output=True)
    found = read_plain(path.read_bytes())
    assert found == yaml.safe_load(path.read_text())
    assert [each["name"] for each in found["users"]] == ["me", "you"]


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "a: 1\n", "a: yes\n", "a: |\n  b\n", "a: [b]\n", "a: b\n  c\n", "{}", "a: ü\n"]
)
def test_at_the_first_doubt_it_reads_nothing(text: str) -> None:
    with pytest.raises(NotPlain):
        read_plain(text.encode())
