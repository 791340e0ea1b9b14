"""`--plugin-path`: further distributions, searched after our own packages, of which only the allowed ones run."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commands.directory import dbclaims

ACME = Path(__file__).with_name("acme") / "acme_provider.py"


def lay_out(folder: Path) -> None:
    """A distribution as `pip install --target` leaves it, beside what tries to get in on its own."""
    info = folder / "acme_dbclaims-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-dbclaims\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dbclaims]\nacme = acme_provider\n")
    (folder / "acme_provider.py").write_text(ACME.read_text())
    (folder / "orjson.py").write_text("raise SystemExit('it took the place of our package')\n")
    (folder / "evil.pth").write_text("import sys; sys.exit('it ran without being allowed')\n")


def unavailable(*options: object) -> dict[str, str]:
    done = dbclaims("plugins", "-o", "json", *options)
    assert done.returncode == 0, done.stderr
    return {each["name"]: each["unavailable"] for each in json.loads(done.stdout)}


def test_an_allowed_distribution_is_loaded_and_shadows_nothing_of_ours(tmp_path: Path) -> None:
    lay_out(tmp_path)
    assert unavailable("--plugin-path", tmp_path, "--plugins", "acme-dbclaims")["acme"] == ""


def test_one_that_is_not_allowed_is_named_with_the_way_out(tmp_path: Path) -> None:
    lay_out(tmp_path)
    said = unavailable("--plugin-path", tmp_path)["acme"]
    assert said == "not allowed to load; name its distribution in --plugins acme-dbclaims (chart: plugins.allow)"


def test_a_path_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    done = dbclaims("plugins", "--plugin-path", tmp_path / "none")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"dbclaims: --plugin-path {tmp_path}/none is no directory; mount the plugins there, or leave it out\n"
    )
