"""Writes `docs/reference.md` from the code: `python -m tests.docs.generate [--check]`.

With `--check` nothing is written; the exit code is 1 where the file is out of date. `make docs` and `make check` call
it.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Iterator, Sequence

import attrs
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from dbclaims.core import plugins
from dbclaims.core.api import API_VERSION, RESOURCES, Resource
from dbclaims.core.api.crd import CATEGORY
from dbclaims.core.api.kinds import document_schema
from dbclaims.core.api.reasons import REASONS
from dbclaims.core.config import camel
from dbclaims.core.metrics import Metrics

from .blocks import REPOSITORY
from .fields import rows
from .meanings import ANNOTATIONS, CONDITIONS, IDLE_FIELDS, SECRET_KEYS, WRITTEN

PAGE = REPOSITORY / "docs" / "reference.md"

_HEAD = f"""# Reference

Made from the code by `make docs`; edits here are overwritten. What the objects are for: [concepts](concepts.md).

Group and version: `{API_VERSION}`. Durations are text with a unit (`"12h"`, `"1h30m"`, `"0s"`, `"7d"`). In a path, `[]`
stands for an element of a list and `.*` for a value of a map. Names of objects follow Kubernetes' own rules.
"""

Lines = Iterator[str]


def reference() -> str:
    """The whole page."""
    parts = (_HEAD, *_kinds(), *_conditions(), *_annotations(), *_secret(), *_plugins(), *_metrics())
    return "\n".join(parts).rstrip() + "\n"


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A Markdown table, ready to be followed by a blank line."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines) + "\n"


def anchor(reason: str) -> str:
    """The anchor of a reason, for links from other pages."""
    return f"reason-{reason.lower()}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _kinds() -> Lines:
    for name, resource in RESOURCES.items():
        schema = document_schema(name)
        yield f"## {name}\n\n{schema.text}\n"
        yield _names(resource)
        if rules := [rule.message for rule in (*schema.rules, *schema.properties["spec"].rules) if not rule.transition]:
            yield "Rules over several fields:\n\n" + "".join(f"- {message}\n" for message in rules)
        if name == "DatabaseClass":
            idle = ", ".join(f"`{word}`" for word in IDLE_FIELDS.values())
            yield f"Checked and kept, but without effect in this version: {idle}.\n"
        for part in ("spec", "status"):
            body = [row.cells() for row in rows(schema.properties[part], part)]
            yield table(("field", "type", "default", "bounds", "meaning"), body)


def _names(resource: Resource) -> str:
    scope = "namespaced" if resource.namespaced else "cluster-scoped"
    columns = ", ".join(column.name for column in resource.columns)
    fields = ", ".join(f"`{path.removeprefix('.')}`" for path in resource.selectable)
    return (
        f"`kubectl get {resource.plural}` or `{'`, `'.join(resource.short_names)}`, also in `kubectl get {CATEGORY}`; "
        f"{scope}. Columns: Ready, Reason, {columns}, Age. Field selectors: {fields}.\n"
    )


def _conditions() -> Lines:
    yield "## Conditions\n"
    yield table(("type", "meaning"), [(f"`{name}`", text) for name, text in CONDITIONS.items()])
    yield (
        "A warning is a condition of its own, whose type is its reason; it stands while it holds. "
        "`status.observedGeneration` is the last generation that was looked at; -1: none yet.\n"
    )
    yield "## Reasons\n\nA reason is stable: scripts and alerts may name it.\n"
    body = [(f'<a id="{anchor(each.name)}"></a>`{each.name}`', each.meaning, each.way_out) for each in REASONS.values()]
    yield table(("reason", "meaning", "way out"), body)


def _annotations() -> Lines:
    yield "## Annotations\n\nAny other one under `dbclaims.io/` is `InvalidAnnotation`: a wish that nobody reads.\n"
    body = [(f"`{name}`", *texts) for name, texts in ANNOTATIONS.items()]
    yield table(("annotation", "on", "value", "meaning"), body)
    yield "Written by the controller, and not meant for people:\n"
    yield table(("name", "where", "meaning"), [(f"`{name}`", *texts) for name, texts in WRITTEN.items()])


def _secret() -> Lines:
    yield "## The Secret\n"
    types = ", ".join(f"`{engine.info.secret_type}`" for engine in plugins.load().engines.values())
    yield f"Type {types}, unless `secretFormat.type` says another.\n"
    yield table(("key", "value"), [(f"`{key}`", text) for key, text in SECRET_KEYS.items()])


def _plugins() -> Lines:
    loaded = plugins.load()
    yield "## Providers and engines\n\nThose of this distribution; `dbclaims plugins` lists what is installed.\n"
    for name, provider in sorted(loaded.providers.items()):
        yield f"### Provider `{name}`\n\nFeatures: {_words(provider.info.features)}.\n"
        if provider.info.config is not None:
            body = list(_config(provider.info.config, "spec.config"))
            yield table(("field", "type", "default"), body)
    for name, engine in sorted(loaded.engines.items()):
        info = engine.info
        yield f"### Engine `{name}`\n\nVersions: {', '.join(info.versions)}. Features: {_words(info.features)}.\n"
        yield (
            f"Names: at most {info.name_limit} {info.name_unit} for a database, {info.role_limit} for a role. "
            f"Reserved: {_words(info.reserved)}.\n"
        )


def _words(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(map(str, names))) or "none"


def _config(cls: type, path: str) -> Iterator[tuple[str, str, str]]:
    """The fields of a provider's block; a nested class is shown by its own fields."""
    attrs.resolve_types(cls)
    for each in attrs.fields(cls):
        where = f"{path}.{camel(each.name)}"
        inner = _attrs_class(each.type)
        default = "**needed**" if each.default is attrs.NOTHING else "" if inner else _plain(each.default)
        yield f"`{where}`", "object" if inner else _type_name(each.type), default
        if inner:
            yield from _config(inner, where)


def _attrs_class(hint: object) -> type | None:
    """The attrs class of a field, also where it may be None."""
    choices = getattr(hint, "__args__", (hint,))
    return next((each for each in choices if isinstance(each, type) and attrs.has(each)), None)


def _type_name(hint: object) -> str:
    words = {"str": "text", "int": "number", "bool": "true or false"}
    if members := getattr(hint, "__members__", None):
        return ", ".join(f"`{member.value}`" for member in members.values())
    return words.get(getattr(hint, "__name__", ""), str(hint))


def _plain(value: object) -> str:
    return "" if value is None else f"`{value}`"


def _metrics() -> Lines:
    yield "## Metrics\n\n`/metrics` on the port of the probes. A counter's name ends in `_total` there.\n"
    metrics = [each for each in vars(Metrics(CollectorRegistry())).values() if isinstance(each, MetricWrapperBase)]
    yield table(("metric", "type", "labels", "meaning"), sorted(_metric(each) for each in metrics))


def _metric(metric: MetricWrapperBase) -> tuple[str, str, str, str]:
    (family,) = metric.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    # The library has no public way to a metric's label names.
    return f"`{name}`", family.type, _words(metric._labelnames), family.documentation


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with `--check` compare it; the exit code."""
    wanted = reference()
    standing = PAGE.read_text() if PAGE.exists() else ""
    if wanted == standing:
        return 0
    if "--check" not in arguments:
        PAGE.write_text(wanted)
        print(f"wrote {PAGE.relative_to(REPOSITORY)}")
        return 0
    sys.stdout.writelines(difflib.unified_diff(standing.splitlines(True), wanted.splitlines(True), "file", "code", n=0))
    print(f"{PAGE.relative_to(REPOSITORY)} is out of date; run `make docs` and commit it")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
