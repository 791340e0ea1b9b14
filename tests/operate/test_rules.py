"""The Prometheus rules: what they name exists, each alert has its page and fires when it must; and the dashboard."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from dbclaims.core.metrics import Metrics
from tests.conftest import needed
from tests.docs.blocks import REPOSITORY
from tests.promtool.build import promtool

from .dashboard import DASHBOARD, ROWS, rendered
from .record import METRICS

RULES = REPOSITORY / "charts" / "dbclaims" / "files" / "rules.yaml"
TESTS = Path(__file__).with_name("rules_test.yaml")
RUNBOOKS = REPOSITORY / "docs" / "runbooks"
SECTIONS = ["What it means", "How to see it", "What to do"]
_METRIC = re.compile(r"\b[a-z]+(?:_[a-z]+){2,}\b")
_FUNCTIONS = {"min_over_time"}


def alerts() -> list[dict[str, Any]]:
    """Every alert of the rules."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def recorded() -> set[str]:
    """Every name of a sample or of a metric without one in the recorded scrape."""
    families = list(text_string_to_metric_families(METRICS.read_text()))
    return {family.name for family in families} | {sample.name for family in families for sample in family.samples}


def test_every_metric_that_a_rule_names_is_in_the_recorded_scrape() -> None:
    named = {name for rule in alerts() for name in _METRIC.findall(re.sub(r'"[^"]*"', "", rule["expr"]))} - _FUNCTIONS
    assert len(named) > 8
    assert named - recorded() == set()


def test_the_recorded_scrape_is_of_this_version() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    assert {family.name for family in text_string_to_metric_families(METRICS.read_text())} == {
        family.name for family in registry.collect()
    }


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == {rule["alert"] for rule in alerts()}
    assert len({rule["alert"] for rule in alerts()}) == len(alerts())


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_bad_it_is_what_is_wrong_and_where_its_page_is(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("warning", "critical")
    said = rule["annotations"]
    assert said["summary"].endswith(".")
    assert said["description"].endswith(".")
    page = REPOSITORY / said["runbook_url"]
    assert page == RUNBOOKS / f"{rule['alert']}.md"
    text = page.read_text()
    assert text.startswith(f"# {rule['alert']}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS


def test_every_alert_is_tested_with_a_time_when_it_fires() -> None:
    tests = [case for test in yaml.safe_load(TESTS.read_text())["tests"] for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in tests if case["exp_alerts"]} == {rule["alert"] for rule in alerts()}


def test_promtool_finds_the_rules_sound_and_each_fires_when_it_must(tmp_path: Path) -> None:
    tool = str(needed(promtool))
    for file in (RULES, TESTS):
        shutil.copy(file, tmp_path)
    for command in (["check", "rules", RULES.name], ["test", "rules", TESTS.name]):
        done = subprocess.run([tool, *command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_would_find_a_rule_that_never_fires(tmp_path: Path) -> None:
    tool = str(needed(promtool))
    (tmp_path / RULES.name).write_text(RULES.read_text().replace("> 180", "> 18000"))
    shutil.copy(TESTS, tmp_path)
    command = [tool, "test", "rules", TESTS.name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode != 0


def test_the_dashboard_is_what_the_recorded_metrics_make_of_it() -> None:
    assert DASHBOARD.read_text() == rendered(), "run `make docs`"


def test_the_dashboard_shows_every_metric_once_and_nothing_overlaps() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    shown = [panel["title"] for panel in panels if panel["type"] == "timeseries"]
    assert sorted(shown) == sorted(family.name for family in text_string_to_metric_families(METRICS.read_text()))
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == list(dict.fromkeys(ROWS.values()))
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
