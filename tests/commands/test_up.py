"""`dbclaims up` on a real server: what it makes, leaves alone and says, and with which exit code it ends."""

import re
from pathlib import Path
from typing import Any

from tests.core.test_manager import until
from tests.overlay import edit
from tests.servers.faults import RstHost

from .directory import Directory, dbclaims

WRITES = re.compile(r"\s*(CREATE|ALTER|DROP|GRANT|REVOKE|COMMENT|INSERT|UPDATE|DELETE|REASSIGN|BEGIN|START)\b", re.I)


def rotated(document: dict[str, Any]) -> None:
    document["metadata"]["annotations"] = {"dbclaims.io/rotate": "now"}


def test_the_examples_become_ready_and_their_secrets_log_in(examples: Directory) -> None:
    done = examples.once()
    assert (done.returncode, done.stderr) == (0, "")
    owner, reader = examples.published(), examples.published("orders-reports", "bi")
    assert owner is not None
    assert owner.log_in() == "orders_a as orders_owner"
    assert reader is not None
    assert reader.log_in()
    assert "DatabaseClaim shop/orders: Ready" in done.stdout


def test_a_second_run_writes_nothing_anywhere(examples: Directory) -> None:
    assert examples.once().returncode == 0
    before, position = examples.fingerprint(), examples.server.log_position()
    assert examples.once().returncode == 0
    statements = [each.text for each in examples.server.log_since(position).statements]
    assert statements, "it did look"
    assert [text for text in statements if WRITES.match(text)] == []
    assert examples.fingerprint() == before


def test_a_settled_run_still_finds_a_login_that_somebody_broke(examples: Directory) -> None:
    assert examples.once().returncode == 0
    examples.server.execute("ALTER ROLE orders_a PASSWORD 'another'")
    published = examples.published()
    assert published is not None
    assert published.is_refused()
    assert examples.once().returncode == 0
    assert published.log_in()


def test_each_claim_that_is_not_ready_gets_a_sentence(examples: Directory) -> None:
    claim = examples.document("databaseclaim.yaml")
    other = {**claim, "metadata": {"name": "stray", "namespace": "shop"}, "spec": {"className": "nowhere"}}
    examples.write("stray.yaml", other)
    (examples.path / "torn.yaml").write_text("kind: [")
    done = examples.once()
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert len(said) == 2
    assert said[0].startswith("dbclaims: torn.yaml:2: this is no YAML")
    assert said[1].startswith("dbclaims: DatabaseClaim shop/stray: not Ready (ClassNotFound): DatabaseClass 'nowhere'")
    assert examples.published(), "the others are served all the same"


def test_a_refused_edit_keeps_the_login_and_fails_the_run(examples: Directory) -> None:
    assert examples.once().returncode == 0
    edit(examples.path / "databaseclaim.yaml", lambda claim: claim["spec"].update(databaseName="another"))
    done = examples.once()
    assert done.returncode == 1
    assert "databaseName" in done.stderr
    published = examples.published()
    assert published is not None
    assert published.log_in()


def test_a_wrong_admin_password_is_told_and_never_shown(examples: Directory) -> None:
    documents = (examples.path / "secrets.yaml").read_text()
    (examples.path / "secrets.yaml").write_text(re.sub(r"password: .*", "password: not-the-one", documents))
    done = examples.once()
    assert done.returncode == 1
    assert "AdminLoginRefused" in done.stderr
    assert "not-the-one" not in done.stdout + done.stderr


def test_up_follows_edits_and_stops_cleanly(examples: Directory, tmp_path: Path) -> None:
    running = examples.up(tmp_path / "up.log")
    until(lambda: examples.published() is not None, 30)
    edit(examples.path / "databaseclaim.yaml", rotated)
    until(lambda: (found := examples.published()) is not None and found.username == "orders_b", 30)
    running.stop()
    assert running.returncode == 0
    assert "Traceback" not in (tmp_path / "up.log").read_text()


def test_two_processes_never_share_a_state(examples: Directory, tmp_path: Path) -> None:
    running = examples.up(tmp_path / "up.log")
    until(lambda: examples.published() is not None, 30)
    done = examples.once()
    running.stop()
    assert done.returncode == 1
    assert re.fullmatch(r"dbclaims: another process works on \S+; stop it, or .*--state\n", done.stderr)


def test_a_vanished_document_waits_for_delete_or_prune(examples: Directory) -> None:
    assert examples.once().returncode == 0
    early = dbclaims("delete", "DatabaseClaim/orders", "-n", "shop", examples.path)
    assert early.returncode == 1
    assert "still stands in databaseclaim.yaml:1; remove the document first" in early.stderr
    (examples.path / "databaseclaim.yaml").unlink()
    waiting = examples.once()
    assert (waiting.returncode, examples.databases()) == (1, ["orders"])
    assert "dbclaims delete DatabaseClaim/orders -n shop" in waiting.stderr
    assert dbclaims("delete", "dbc/orders", "-n", "shop", examples.path).returncode == 0
    after = examples.once()
    assert examples.databases() == []
    assert examples.published() is None
    assert "RoleClaim bi/reports: not Ready" in after.stderr


def test_prune_takes_every_vanished_document_at_its_word(examples: Directory) -> None:
    assert examples.once().returncode == 0
    for name in ("databaseclaim.yaml", "roleclaim.yaml", "claimgrant.yaml"):
        (examples.path / name).unlink()
    done = examples.once("--prune")
    assert (done.returncode, done.stderr, examples.databases()) == (0, "", [])


def test_the_installation_id_is_made_once_and_never_anew_beside_marks(examples: Directory) -> None:
    assert examples.once("--id", "workshop").returncode == 0
    assert examples.server.execute("SELECT 1 FROM pg_roles WHERE rolname = 'dbclaims_workshop'")
    identity = examples.path / ".dbclaims/secrets/dbclaims-system/dbclaims-identity"
    assert (identity / "id").read_text() == "workshop"
    assert examples.once("--id", "another").returncode == 1
    for path in sorted(identity.rglob("*"), reverse=True):
        path.unlink() if path.is_symlink() or path.is_file() else path.rmdir()
    identity.rmdir()
    lost = examples.once()
    assert lost.returncode == 1
    assert re.fullmatch(r"dbclaims: Secret dbclaims-identity .* is gone .*; restore it, or .*\n", lost.stderr)


def test_an_unreachable_host_ends_the_run_by_itself(examples: Directory) -> None:
    host = RstHost()
    edit(
        examples.path / "databaseserver.yaml",
        lambda server: server["spec"]["config"].update(host=host.host, port=host.port),
    )
    done = examples.once()
    host.close()
    assert done.returncode == 1
    assert "DatabaseServer platform/shared: not Ready" in done.stderr


def test_a_missing_directory_is_one_sentence(tmp_path: Path) -> None:
    done = dbclaims("up", tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"dbclaims: there is no directory {tmp_path}/nowhere; name the one that holds the YAML\n"
