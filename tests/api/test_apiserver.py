"""The CRDs on a real API server: they install without a warning, and its verdicts are those of the Python twins."""

import random
import subprocess
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest
import yaml

from dbclaims.core import conditions
from dbclaims.core.api import RESOURCES, Status, crds, crds_yaml, defaulted, to_document, validate
from dbclaims.core.conditions import Conditions

from ..controlplane.cluster import ControlPlane
from .cases import CASES, Case, Document
from .examples import EXAMPLES, documents

SEED = 20261121
MUTATIONS = 400


def kubectl(cluster: ControlPlane, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig()), *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="session")
def installed(cluster: ControlPlane) -> ControlPlane:
    """The API server with our CRDs."""
    applied = kubectl(cluster, "apply", "--server-side", "-f", "-", text=crds_yaml())
    assert (applied.returncode, applied.stderr) == (0, ""), "a warning or a cost limit"
    names = [f"crd/{crd['metadata']['name']}" for crd in crds()]
    assert kubectl(cluster, "wait", "--for=condition=Established", "--timeout=30s", *names).returncode == 0
    return cluster


def path_of(document: Document) -> str:
    resource = RESOURCES[document["kind"]]
    namespace = f"namespaces/{document['metadata']['namespace']}/" if resource.namespaced else ""
    return f"/apis/dbclaims.io/v1alpha1/{namespace}{resource.plural}"


def create(cluster: ControlPlane, document: Document, *, dry: bool) -> tuple[int, Any]:
    query = "?fieldValidation=Strict" + ("&dryRun=All" if dry else "")
    return cluster.request("POST", path_of(document) + query, document)


@pytest.fixture
def stored(installed: ControlPlane) -> Iterator[Any]:
    """A function that stores a document until the test ends."""
    made: list[str] = []

    def store(document: Document) -> Document:
        status, answer = create(installed, document, dry=False)
        assert status == 201, answer
        made.append(f"{path_of(document)}/{document['metadata']['name']}")
        return dict(answer)

    yield store
    for path in made:
        assert installed.request("DELETE", path)[0] == 200


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.says}")
def test_the_api_server_gives_the_verdict_of_the_table(case: Case, installed: ControlPlane, stored: Any) -> None:
    if case.old is None:
        status, answer = create(installed, case.document(), dry=True)
    else:
        before = stored(case.document(case.old))
        document = case.document() | {"metadata": before["metadata"]}
        path = f"{path_of(document)}/{case.name}?fieldValidation=Strict&dryRun=All"
        status, answer = installed.request("PUT", path, document)
    assert (status in (200, 201)) == case.valid, answer
    assert case.valid or status in (400, 422), answer


def test_what_the_api_server_fills_in_is_what_we_fill_in(installed: ControlPlane) -> None:
    for case in (each for each in CASES if each.valid and each.old is None):
        _, answer = create(installed, case.document(), dry=True)
        ours = defaulted(case.document())
        assert (answer["spec"], answer["status"]) == (ours["spec"], ours["status"]), case.says


ODD_VALUES: tuple[Any, ...] = (
    None,
    "",
    "x",
    "../x",
    "0s",
    "1h",
    0,
    -1,
    7,
    1.5,
    True,
    [],
    ["a"],
    ["a", "a"],
    [None],
    {},
    {"a": "b"},
    "é" * 70,
)


def mutated(rng: random.Random, document: Mapping[str, Any]) -> Document:
    """The document with one value somewhere in its spec dropped, replaced or added."""
    result = deepcopy(dict(document))
    node: Any = result["spec"]
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            break
        key = rng.choice(keys)
        if isinstance(node[key], (dict, list)) and node[key] and rng.random() < 0.7:
            node = node[key]
            continue
        if rng.random() < 0.25:
            del node[key]
        else:
            node[key] = deepcopy(rng.choice(ODD_VALUES))
        break
    return result


def test_both_agree_on_documents_that_nobody_thought_of(installed: ControlPlane) -> None:
    rng = random.Random(SEED)
    seeds = [case.document() for case in CASES if case.valid and case.old is None]
    refused = 0
    for _ in range(MUTATIONS):
        document = mutated(rng, rng.choice(seeds))
        if rng.random() < 0.3:
            document = mutated(rng, document)
        status, answer = create(installed, document, dry=True)
        found = validate(document)
        assert (status == 201) == (not found), (document, found, answer)
        refused += status != 201
    assert MUTATIONS * 0.2 < refused < MUTATIONS * 0.9, "the mutations should be neither all refused nor all harmless"


def test_a_new_object_is_in_progress_without_a_write_of_ours(installed: ControlPlane, stored: Any) -> None:
    answer = stored(Case("x", "DatabaseClaim", {"className": "a"}, name="fresh").document())
    assert answer["status"]["observedGeneration"] == -1
    assert [(each["type"], each["status"]) for each in answer["status"]["conditions"]] == [
        ("Ready", "Unknown"),
        ("Synced", "Unknown"),
    ]


def test_kubectl_waits_for_the_generation_that_was_asked_for(installed: ControlPlane, stored: Any) -> None:
    document = Case("x", "DatabaseClaim", {"className": "a"}, name="waited").document()
    stored(document)
    path = f"{path_of(document)}/waited"
    wait = ("wait", "--for=condition=Ready", "--timeout=1s", "databaseclaim/waited")

    def write_status(generation: int, held: Conditions) -> None:
        status = to_document(Status(observed_generation=generation, conditions=held))
        assert installed.request("PATCH", f"{path}/status", {"status": status}, kind="merge-patch+json")[0] == 200

    live = conditions.ready(1, "It works.")
    write_status(1, live)
    assert kubectl(installed, *wait).returncode == 0
    edited = installed.request("PATCH", path, {"spec": {"extensions": ["x"]}}, kind="merge-patch+json")[1]
    assert edited["metadata"]["generation"] == 2
    write_status(2, conditions.refused(live, 2, "ExtensionNotAllowed", "The class does not offer x."))
    assert "timed out" in kubectl(installed, *wait).stderr


def test_the_examples_apply_and_read_well(installed: ControlPlane) -> None:
    for name in ("namespaces.yaml", "."):
        applied = kubectl(installed, "apply", "-f", str(EXAMPLES / name))
        assert (applied.returncode, applied.stderr) == (0, "")
    try:
        listed = kubectl(installed, "get", "dbclaim", "-n", "shop", "-o", "wide").stdout.splitlines()
        assert " ".join(listed[0].split()) == "NAME READY REASON DATABASE VERSION CLASS SERVER HOST SECRET ROTATED AGE"
        assert listed[1].split()[:3] == ["orders", "Unknown", "Pending"]
        everything = kubectl(installed, "get", "dbclaims", "-A", "-o", "name").stdout
        assert {kind.lower() for kind in RESOURCES} <= {line.split(".")[0] for line in everything.split()}
        chosen = kubectl(installed, "get", "dbclaim", "-A", "--field-selector", "spec.className=other", "-o", "name")
        assert (chosen.returncode, chosen.stdout) == (0, "")
        assert "databaseName" in kubectl(installed, "explain", "databaseclaim.spec").stdout
    finally:
        kubectl(installed, "delete", "-f", str(EXAMPLES), "--wait=false")


def test_the_stream_of_crds_is_the_list_of_crds() -> None:
    assert list(yaml.safe_load_all(crds_yaml())) == crds()
    assert {document["kind"] for document in documents() if document["apiVersion"].startswith("dbclaims.io")} == {
        *RESOURCES
    }
