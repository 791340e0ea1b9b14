"""What is made from the code for the chart: its CRDs, its rights, and the table of its values in docs/install.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from dbclaims.core.api import crds
from dbclaims.core.rights import cluster_rules, event_rules, namespace_rules, own_rules, secret_rules

from .blocks import REPOSITORY
from .markdown import table

CHART = REPOSITORY / "charts" / "dbclaims"
_OPENED, _CLOSED = "<!-- values, made by `make docs` -->", "<!-- end of values -->"
Values = Mapping[str, Any]


def files() -> Iterator[tuple[Path, str]]:
    """The files that the chart takes from the code, and their text."""
    for crd in crds():
        yield CHART / "files" / "crds" / f"{crd['metadata']['name'].partition('.')[0]}.yaml", _yaml(crd)
    parts = {
        "cluster": cluster_rules(),
        "namespace": namespace_rules(),
        "events": event_rules(),
        "secrets": secret_rules(),
        "own": own_rules(),
    }
    granted = {part: [rule.document() for rule in rules] for part, rules in parts.items()}
    yield CHART / "files" / "rights.yaml", _yaml(granted)


def tabled(page: str) -> str:
    """The page, with the table of values as the chart has them."""
    before, _, rest = page.partition(_OPENED)
    _, _, after = rest.partition(_CLOSED)
    body = [(f"`{path}`", f"`{json.dumps(value)}`", text) for path, value, text in values()]
    return f"{before}{_OPENED}\n\n{table(('value', 'default', 'meaning'), body)}\n{_CLOSED}{after}"


def values() -> list[tuple[str, Any, str]]:
    """Every value: its path, default and meaning."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    return [(path, value, _meaning(schema, path)) for path, value in _leaves(schema, defaults)]


def _leaves(schema: Values, defaults: Values, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in defaults.items():
        inner = schema["properties"][name]
        if "properties" in inner:
            yield from _leaves(inner, value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def _meaning(schema: Values, path: str) -> str:
    for part in path.split("."):
        schema = schema["properties"][part]
    text = str(schema["description"])
    return f"{text[:1].upper()}{text[1:]}."


def _yaml(document: object) -> str:
    return yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)
