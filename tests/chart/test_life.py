"""Install, upgrade, roll back, uninstall, reinstall, two releases side by side: claims and Secrets live through it.

And a release of somebody else's chart, of which ours is a part.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from dbclaims.core.api import SCHEMA_ANNOTATION
from tests.commands.served import published
from tests.conftest import StartPostgres
from tests.core.test_manager import until
from tests.docs.chart import CHART
from tests.helm.build import MAJORS
from tests.helm.release import HelmFailed
from tests.published import Published
from tests.share import share

from .stand import Stand, examples, until_ready

CLAIM = "/apis/dbclaims.io/v1alpha1/namespaces/shop/databaseclaims/orders"
MERGE = "merge-patch+json"


def next_version(folder: Path) -> Path:
    """The chart of a version to come: its claims have a field more."""
    chart = folder / "next"
    shutil.copytree(CHART, chart)
    path = chart / "files" / "crds" / "databaseclaims.yaml"
    crd = yaml.safe_load(path.read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["properties"]["comment"] = {"type": "string", "maxLength": 100}
    crd["metadata"]["annotations"][SCHEMA_ANNOTATION] = "of the next version"
    path.write_text(yaml.safe_dump(crd))
    about = yaml.safe_load((chart / "Chart.yaml").read_text()) | {"version": "0.2.0"}
    (chart / "Chart.yaml").write_text(yaml.safe_dump(about))
    return chart


def parent_of(chart: Path, folder: Path) -> Path:
    """A chart of somebody else's that depends on this one."""
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    dependency = {"name": about["name"], "version": about["version"], "repository": f"file://{chart}"}
    parent = folder / "parent"
    parent.mkdir()
    described = {"apiVersion": "v2", "name": "parent", "version": "1.0.0", "dependencies": [dependency]}
    (parent / "Chart.yaml").write_text(yaml.safe_dump(described))
    return parent


def the_secret(stand: Stand, name: str = "orders-db", namespace: str = "shop") -> Published:
    found = published(stand.plane, name, namespace)
    assert found is not None
    return found


def the_claim(stand: Stand) -> dict[str, Any]:
    status, claim = stand.plane.request("GET", CLAIM)
    assert status == 200
    return dict(claim)


@pytest.mark.parametrize("major", share(reversed(MAJORS), len(MAJORS)))
def test_a_claim_lives_through_install_upgrade_rollback_uninstall_and_reinstall(
    stand: Stand, new_postgres: StartPostgres, tmp_path: Path
) -> None:
    server = new_postgres()
    installed = stand.install()
    notes = installed.said.partition("NOTES:")[2]
    assert (notes.count("  kubectl "), "WARNING" in notes) == (3, False)
    assert len(notes.strip().splitlines()) <= 25

    replica = installed.start()
    stand.apply(examples(server, server.create_admin()))
    stand.wait("dbclaim/orders", "shop")
    first, uid = the_secret(stand), the_claim(stand)["metadata"]["uid"]
    assert first.log_in() == "orders_a as orders_owner"

    stand.helm.run("upgrade", "dbclaims", next_version(tmp_path), "--namespace", "dbclaims-system")
    commented = {"spec": {"comment": "a field of the next version"}}
    until(lambda: stand.plane.request("PATCH", CLAIM, commented, kind=MERGE)[1]["spec"].get("comment") is not None, 30)
    assert replica.is_ready(), "the older controller goes on until it is replaced"
    assert replica.stop() == 0
    late = installed.start()
    until(lambda: not late.process.running, 30)
    assert "the cluster's definition of databaseclaims.dbclaims.io is another version's; run `dbclaims crds" in (
        late.log.read_text()
    )

    stand.helm.run("rollback", "dbclaims", "1", "--namespace", "dbclaims-system")
    until(lambda: stand.plane.request("PATCH", CLAIM, commented, kind=MERGE)[1]["spec"].get("comment") is None, 30)
    replica = installed.start()
    until_ready(replica)
    assert the_secret(stand) == first
    assert replica.stop() == 0

    stand.helm.run("uninstall", "dbclaims", "--namespace", "dbclaims-system")
    assert the_claim(stand)["metadata"]["uid"] == uid
    assert the_secret(stand) == first
    assert first.log_in() == "orders_a as orders_owner"

    with pytest.raises(HelmFailed, match=r"invalid ownership metadata|cannot be imported"):
        stand.install("again")
    again = stand.install("again", options=("--take-ownership",))
    replica = again.start()
    stand.kubectl("annotate", "dbclaim/orders", "-n", "shop", "dbclaims.io/rotate=after")
    until(lambda: the_secret(stand).username == "orders_b", 60)
    assert the_secret(stand).log_in() == "orders_b as orders_owner"
    assert the_claim(stand)["metadata"]["uid"] == uid
    assert replica.stop() == 0


@pytest.mark.parametrize("major", share(reversed(MAJORS), len(MAJORS)))
def test_it_serves_claims_as_a_sub_chart_beside_globals_of_others(
    stand: Stand, new_postgres: StartPostgres, tmp_path: Path
) -> None:
    server, parent = new_postgres(), parent_of(CHART, tmp_path)
    stand.helm.run("dependency", "update", parent)
    shared = {"global": {"storageClass": "fast", "imageRegistry": "mirror.internal"}}
    installed = stand.install("ours", chart=parent, values={**shared, "dbclaims": {"controller": {"workers": 3}}})
    (container,) = installed.deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"].startswith("mirror.internal/")
    assert "--workers=3" in container["args"]

    replica = installed.start()
    stand.apply(examples(server, server.create_admin()))
    stand.wait("dbclaim/orders", "shop")
    assert the_secret(stand).log_in() == "orders_a as orders_owner"
    assert replica.stop() == 0


@pytest.mark.parametrize("major", share(reversed(MAJORS), len(MAJORS)))
def test_two_releases_side_by_side_leave_each_other_s_claims_alone(stand: Stand, new_postgres: StartPostgres) -> None:
    server = new_postgres()
    first = stand.install("one", "one")
    # The second finds the CRDs there: one release brings them, for all.
    values = {"crds": {"enabled": False}, "controller": {"class": "blue"}}
    second = stand.install("two", "two", values=values)
    stand.apply(_in(examples(server, server.create_admin("admin_one")), "one"))
    one = first.start()
    stand.wait("dbclaim/orders", "shop-one")
    position = stand.plane.audit_position()
    blue = _in(examples(server, server.create_admin("admin_two"), controllerClass="blue"), "two")
    # The class first: a server or claim without one is the nameless controller's to explain.
    stand.apply(each for each in blue if each["kind"] == "DatabaseClass")
    stand.apply(blue)
    two = second.start()
    stand.wait("dbclaim/orders", "shop-two")
    stand.kubectl("annotate", "dbclaim/orders", "-n", "shop-one", "dbclaims.io/rotate=now")
    until(lambda: the_secret(stand, namespace="shop-one").username == "orders_one_b", 60)

    for installed, theirs in ((first, "two"), (second, "one")):
        asked = stand.asked_by(installed.account, position)
        touched = {(each.namespace, each.resource) for each in asked if each.is_write or each.resource == "secrets"}
        assert touched
        # That a grant stands is nobody's own word: whoever sees it first says it, with an Event.
        common = {(f"shop-{theirs}", "claimgrants/status"), (f"shop-{theirs}", "events")}
        assert {place for place in touched if place[0].endswith(theirs)} <= common
        assert [each for each in asked if each.code in (401, 403)] == []
    assert (one.stop(), two.stop()) == (0, 0)


def _in(documents: list[dict[str, Any]], tag: str) -> list[dict[str, Any]]:
    """The examples in namespaces and with a database of their own; what is cluster-scoped gets a name of its own."""
    text = yaml.safe_dump_all(documents)
    for name in ("shop", "bi", "platform"):
        text = text.replace(f"namespace: {name}\n", f"namespace: {name}-{tag}\n")
    text = text.replace("shared-postgres", f"shared-{tag}").replace(
        "databaseName: orders", f"databaseName: orders_{tag}"
    )
    moved = list(yaml.safe_load_all(text))
    for document in moved:
        if document["kind"] == "Namespace":
            document["metadata"]["name"] += f"-{tag}"
        document.get("spec", {}).pop("allowedNamespaces", None)
    return moved
