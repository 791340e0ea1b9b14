"""Ten days that will come (PROTOCOL.md §7), in its order: one test for each, and two for the upgrade."""

from __future__ import annotations

import psycopg
import pytest

from dbclaims.core.api import crds
from dbclaims.core.kinds import CLAIM, CLASS, ROLE, SECRET, SERVER
from dbclaims.core.objectstore import Kind
from tests.conftest import StartPostgres
from tests.core.test_manager import until

from .conftest import MakeWorld
from .test_binding import point_to
from .test_secrets import RESYNC
from .world import World

GRACE = 1300
"""Longer than a grace of 10 min, with the passes that notice its end."""


def _remember(world: World) -> None:
    """Leave something in the database that must still be there at the end of the day."""
    with world.login() as connection:
        connection.execute("CREATE TABLE remembered AS SELECT 42 AS answer")


def _remembers(world: World, claim: str = "orders") -> bool:
    with world.login(world.secret(claim)) as connection:
        return connection.execute("SELECT answer FROM remembered").fetchone() == (42,)


def test_gitops_prunes_and_re_applies(live: World) -> None:
    live.role(ns="shop")
    live.settle()
    _remember(live)
    before, reader = live.secret(), live.secret("reports")
    with live.login() as session:
        live.delete(CLAIM, "orders")
        live.settle()
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    assert not live.logs_in(before)
    assert not live.logs_in(reader)
    live.expect("Synced", "ClaimReleased", name="reports", kind=ROLE)
    live.claim(schemas=["app"])
    until(lambda: _is_current_again(live), 90)
    assert live.secret()["password"] != before["password"]
    assert _remembers(live)
    assert live.is_current("reports", ROLE)
    assert live.logs_in(live.secret("reports"))


def _is_current_again(world: World) -> bool:
    """The former claim's Secret stands in the way until the garbage collector has taken it."""
    world.pass_time(5)
    if not world.is_current():
        world.expect("Synced", "SecretNotOurs", "is gone")
        assert world.verdicts()["Reconciling"] == "True"
    return world.is_current()


def test_etcd_is_restored_from_a_backup(live: World) -> None:
    backup = {kind: live.get(kind, "orders") for kind in (CLAIM, SECRET)}
    old = live.secret()
    live.annotate(CLAIM, "orders", rotate="since the backup")
    live.settle()
    live.pass_time(GRACE, steps=13)
    newer = live.secret()
    assert not live.logs_in(old)
    live.annotate(CLAIM, "orders", rotate=None)
    live.patch_status(CLAIM, "orders", backup[CLAIM]["status"])
    live.restore_secret(backup[SECRET])
    live.restart()
    live.settle()
    live.pass_time(RESYNC)
    assert live.secret() == old
    assert live.logs_in(old), "the restored Secret's password was set again"
    assert live.logs_in(newer), "the other login stays for a full grace"
    live.pass_time(GRACE, steps=13)
    assert live.logs_in(old)
    assert not live.logs_in(newer)
    assert live.is_current()


def test_the_cluster_is_rebuilt(live: World) -> None:
    _remember(live)
    live.crash_delete(CLAIM, "orders")
    live.crash_delete(SERVER, "shared", "platform")
    live.remake_namespace("shop")
    live.create(SERVER, "shared", live.server_spec(), "platform")
    live.claim(schemas=["app"], adopt=True)
    live.settle()
    live.pass_time(40)
    live.expect("Stalled", "NameTaken", "adoptable")
    origin = {"installation": live.installation.id, "namespace": live.named("shop")}
    entry = {"databases": [f"{live.named('shop')}_*"], "namespaces": [live.named("shop")], "from": origin}
    live.edit(CLASS, live.named("shared"), adoptable=[entry])
    live.settle()
    assert live.is_current()
    assert _remembers(live)


def test_the_server_is_restored_from_a_snapshot(live: World) -> None:
    live.claim("later")
    live.settle()
    _remember(live)
    snapshot = live.verifier(live.secret()["username"])
    live.annotate(CLAIM, "orders", rotate="since the snapshot")
    live.settle()
    published, younger = live.secret(), live.secret("later")
    # What the snapshot holds: the first login with its password, the second one closed, and no later database.
    first = live.secret()["username"].removesuffix("_b") + "_a"
    live.postgres.execute(f"ALTER ROLE \"{first}\" LOGIN PASSWORD '{snapshot}'")
    live.postgres.execute(f'ALTER ROLE "{published["username"]}" NOLOGIN PASSWORD NULL')
    live.postgres.execute(f'DROP DATABASE "{younger["database"]}" WITH (FORCE)')
    for role in ("a", "b", "owner"):
        live.postgres.execute(f'DROP ROLE "{younger["database"]}_{role}"')
    live.pass_time(RESYNC, steps=2)
    assert live.secret() == published
    assert live.logs_in(published), "healed by the published Secret"
    assert _remembers(live)
    assert live.is_current()
    live.expect("Stalled", "DatabaseLost", name="later")
    assert live.databases() == {published["database"]}


def test_a_second_cluster_works_on_the_same_server(live: World, new_world: MakeWorld) -> None:
    database = live.secret()["database"]
    live.process.stop()
    second = new_world(controller_class="second")
    second.offer()
    second.claim(databaseName=database)
    second.claim("own")
    second.settle()
    second.expect("Stalled", "NameTaken", database)
    assert second.is_current("own")
    assert live.logs_in()
    holders = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = ANY(%s) ORDER BY datname"
    found = live.postgres.execute(holders, [[database, second.secret("own")["database"]]])
    assert {name for (name,) in found} == {f"dbclaims_{each.installation.id}" for each in (live, second)}
    live.restart()
    live.settle()
    assert live.is_current()


def test_a_claim_is_renamed(live: World) -> None:
    _remember(live)
    database = live.secret()["database"]
    live.delete(CLAIM, "orders")
    live.settle()
    live.claim("sales", databaseName=database, schemas=["app"])
    live.settle()
    live.expect("Stalled", "NameTaken", "adopt: true", name="sales")
    live.edit(CLAIM, "sales", adopt=True)
    live.settle()
    assert live.is_current("sales")
    assert _remembers(live, "sales")
    assert "name=sales" in live.mark(database)


def test_the_host_behind_a_server_is_another(new_world: MakeWorld, new_postgres: StartPostgres) -> None:
    world = new_world()
    world.offer()
    world.claim()
    world.settle()
    before = world.secret()
    other = new_postgres()
    point_to(world, other)
    world.settle()
    world.pass_time(RESYNC, steps=2)
    world.expect("Synced", "ServerChanged")
    assert world.verdicts()["Ready"] == "True"
    assert world.secret() == before
    assert world.logs_in(), "the host that was there still serves the published login"
    world.put_secret("shared-ca", **{"ca.crt": world.postgres.ca_file.read_text()})
    world.edit(SERVER, "shared", "platform", config={"port": world.postgres.port})
    world.settle()
    assert world.is_current()


def test_two_versions_of_the_operator_meet_during_an_upgrade(live: World) -> None:
    database = live.secret()["database"]
    newer = live.mark(database) + " shard=7"
    live.postgres.execute(f"COMMENT ON DATABASE \"{database}\" IS '{newer}'")
    live.annotate(CLAIM, "orders", rotate="1")
    live.settle()
    assert "shard=7" in live.mark(database), "keys of a newer version are kept"
    before = live.secret()
    with _newer_crd(live):
        live.edit(CLAIM, "orders", deletionPolicy="Archive")
        since = live.postgres.log_position()
        live.settle()
        live.expect("Synced", "NewerSpec", "Archive")
        assert live.verdicts()["Ready"] == "True"
        assert live.logs_in()
        assert live.secret() == before
        said = live.postgres.log_since(since).by(user=live.admin.username).statements
        assert [each.text for each in said if "ALTER" in each.text] == []
        live.edit(CLAIM, "orders", deletionPolicy=None)
    live.settle()
    assert live.is_current()


def test_a_class_of_a_newer_version_holds_its_claims_and_says_so(live: World) -> None:
    name, before = live.named("shared"), live.secret()
    with _newer_crd(live, CLASS):
        live.edit(CLASS, name, deletionPolicy="Archive", allowedDeletionPolicies=["Retain", "Archive"])
        live.settle()
        live.expect("Synced", "NewerSpec", "DatabaseClass", name, "Archive")
        assert live.verdicts()["Ready"] == "True"
        live.delete(CLAIM, "orders")
        live.settle()
        live.expect("Synced", "NewerSpec", "Archive")
        assert live.logs_in(before), "nothing is changed until the controller is updated"
        live.edit(CLASS, name, deletionPolicy="Retain", allowedDeletionPolicies=["Retain"])
    live.settle()
    assert live.find(CLAIM, "orders") is None
    assert not live.logs_in(before)


def test_the_admin_password_is_rotated_by_others(live: World) -> None:
    live.postgres.execute(f"ALTER ROLE \"{live.admin.username}\" PASSWORD 'rotated by others'")
    live.postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [live.admin.username]
    )
    since = live.postgres.log_position()
    live.pass_time(RESYNC, steps=2)
    live.expect("Synced", "AdminLoginRefused", "admin Secret", name="shared", kind=SERVER, ns="platform")
    live.expect("Synced", "AdminLoginRefused", "admin Secret")
    assert live.verdicts()["Ready"] == "True"
    assert live.logs_in()
    assert len(live.postgres.log_since(since).by(user=live.admin.username).refusals) <= 4
    live.put_secret("shared-admin", username=live.admin.username, password="rotated by others")
    live.pass_time(66, steps=4)
    assert live.is_current("shared", SERVER, "platform")
    assert live.is_current()


def test_the_class_is_edited_while_claims_exist(world: World) -> None:
    world.offer(deletionPolicy="Delete", connectionLimit=5)
    world.claim()
    world.settle()
    username = world.secret()["username"]
    world.edit(CLASS, world.named("shared"), connectionLimit=3, rotation={"interval": "6h"})
    world.settle()
    limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = %s"
    assert world.postgres.execute(limit, [username]) == [(3,)]
    world.pass_time(6.5 * 3600, steps=3)
    assert world.secret()["username"] != username
    world.edit(CLASS, world.named("shared"), deletionPolicy="Retain")
    world.settle()
    assert world.get(CLAIM, "orders")["status"]["deletionPolicy"] == "Retain"
    world.edit(CLASS, world.named("shared"), deletionPolicy="Delete")
    world.settle()
    assert world.get(CLAIM, "orders")["status"]["deletionPolicy"] == "Retain", "only towards Retain"
    world.delete(CLAIM, "orders")
    world.settle()
    assert len(world.databases()) == 1


class _newer_crd:  # noqa: N801 - reads as the context that it is
    """A CRD of a later version, whose deletionPolicy knows one value more."""

    def __init__(self, world: World, kind: Kind = CLAIM) -> None:
        self._world, self._kind = world, kind
        self._name = f"{kind.plural}.dbclaims.io"
        self._path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{self._name}"

    def __enter__(self) -> None:
        crd = next(each for each in crds() if each["metadata"]["name"] == self._name)
        schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        spec = schema["properties"]["spec"]["properties"]
        spec["deletionPolicy"]["enum"].append("Archive")
        if self._kind == CLASS:
            spec["allowedDeletionPolicies"]["items"]["enum"].append("Archive")
        self._apply(crd)
        until(self._takes_it)

    def __exit__(self, *_: object) -> None:
        self._apply(next(each for each in crds() if each["metadata"]["name"] == self._name))
        until(lambda: not self._takes_it())

    def _apply(self, crd: dict[str, object]) -> None:
        status, answer = self._world.cluster.request("PATCH", self._path, crd, kind="merge-patch+json")
        assert status == 200, answer

    def _takes_it(self) -> bool:
        """Whether the API server lives by the edited schema already."""
        place = "" if self._kind == CLASS else f"namespaces/{self._world.named('shop')}/"
        path = f"/apis/dbclaims.io/v1alpha1/{place}{self._kind.plural}?dryRun=All"
        offered = self._world.class_spec(allowedDeletionPolicies=["Archive"])
        spec = offered if self._kind == CLASS else {"className": "any"}
        body = {
            "apiVersion": self._kind.api_version,
            "kind": self._kind.kind,
            "metadata": {"name": "trial"},
            "spec": {**spec, "deletionPolicy": "Archive"},
        }
        return self._world.cluster.request("POST", path, body)[0] == 201
