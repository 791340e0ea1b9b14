"""The Grafana dashboard, rendered from the recorded scrape: a panel for each metric. `make docs` writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.docs.blocks import REPOSITORY

from .record import METRICS

DASHBOARD = REPOSITORY / "charts" / "dbclaims" / "files" / "dashboard.json"

ROWS: Mapping[str, str] = {
    "controller_runtime_": "Passes",
    "dbclaims_last_pass": "Passes",
    "workqueue_": "Queues",
    "dbclaims_backend": "Database servers",
    "dbclaims_watch": "API server",
    "rest_client_": "API server",
    "leader_": "API server",
}
"""Where a metric stands, by the beginning of its name."""

_BY = {"controller", "name", "target", "kind", "code", "result", "priority"}
_OURS = 'job=~"$job"'
_WIDTH, _HEIGHT, _COLUMNS = 8, 7, 3


def recorded() -> list[Metric]:
    """Every metric of the recorded scrape."""
    return list(text_string_to_metric_families(METRICS.read_text()))


def rendered() -> str:
    """The dashboard as JSON."""
    return json.dumps(_dashboard(recorded()), indent=1) + "\n"


def _dashboard(metrics: list[Metric]) -> dict[str, Any]:
    return {
        "title": "dbclaims",
        "uid": "dbclaims",
        "schemaVersion": 39,
        "tags": ["dbclaims"],
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "templating": {"list": [_variable("datasource", "datasource", "prometheus"), _job()]},
        "panels": list(_panels(metrics)),
    }


def _variable(name: str, type_: str, query: str) -> dict[str, Any]:
    return {"name": name, "type": type_, "query": query}


def _job() -> dict[str, Any]:
    query = "label_values(dbclaims_watch_last_event_seconds, job)"
    found = _variable("job", "query", query) | {"datasource": {"type": "prometheus", "uid": "${datasource}"}}
    return found | {"multi": True, "includeAll": True, "refresh": 2}


def _panels(metrics: list[Metric]) -> Iterator[dict[str, Any]]:
    y, number = 0, 0
    for title in dict.fromkeys(ROWS.values()):
        mine = [metric for metric in metrics if _row(metric) == title]
        number += 1
        yield {"id": number, "type": "row", "title": title, "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}, "panels": []}
        for at, metric in enumerate(mine):
            number += 1
            place = {"x": at % _COLUMNS * _WIDTH, "y": y + 1 + at // _COLUMNS * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
            yield _panel(metric) | {"id": number, "gridPos": place}
        y += 1 + -(-len(mine) // _COLUMNS) * _HEIGHT


def _row(metric: Metric) -> str:
    """The row of a metric; a new one must be given a place."""
    return next(title for beginning, title in ROWS.items() if metric.name.startswith(beginning))


def _panel(metric: Metric) -> dict[str, Any]:
    seconds = metric.name.endswith("_seconds")
    unit = "s" if seconds else "reqps" if metric.type == "counter" else "short"
    targets = [
        {"refId": reference, "expr": expression, "legendFormat": legend}
        for reference, (expression, legend) in zip("AB", _queries(metric), strict=False)
    ]
    return {
        "type": "timeseries",
        "title": metric.name,
        "description": metric.documentation,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": targets,
    }


def _queries(metric: Metric) -> Iterator[tuple[str, str]]:
    """The expressions of a metric, each with its legend."""
    labels = sorted({label for sample in metric.samples for label in sample.labels} & _BY)
    by, legend = ", ".join(labels), " ".join(f"{{{{{label}}}}}" for label in labels)
    if metric.type == "counter":
        yield f"sum by ({by}) (rate({metric.name}_total{{{_OURS}}}[$__rate_interval]))", legend
    elif metric.type == "histogram":
        for quantile in ("0.5", "0.99"):
            rate = f"rate({metric.name}_bucket{{{_OURS}}}[$__rate_interval])"
            yield f"histogram_quantile({quantile}, sum by (le, {by}) ({rate}))", f"{legend} p{quantile[2:]}"
    else:
        yield f"max by ({by}) ({metric.name}{{{_OURS}}})", legend
