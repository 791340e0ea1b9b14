"""The reference page: objects, conditions, annotations, Secret, plugins, and what `process` says of the process."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType
from typing import Any, get_args, get_origin

import attrs

from dbclaims.core import plugins
from dbclaims.core.api import API_VERSION, RESOURCES, Resource
from dbclaims.core.api.crd import CATEGORY
from dbclaims.core.api.kinds import document_schema
from dbclaims.core.api.reasons import REASONS
from dbclaims.core.config import camel

from .fields import rows
from .markdown import Lines, table, words
from .meanings import ANNOTATIONS, CONDITIONS, EVENTS, IDLE_FIELDS, SECRET_KEYS, WRITTEN
from .process import commands, metrics, rights, verbs

_HEAD = f"""# Reference

Made from the code by `make docs`; edits here are overwritten. What the objects are for: [concepts](concepts.md). The
chart's values: [install](install.md#values). Versions of everything: [versions](versions.md).

Group and version: `{API_VERSION}`. Durations are text with a unit (`"12h"`, `"1h30m"`, `"0s"`, `"7d"`). In a path, `[]`
stands for an element of a list and `.*` for a value of a map. Names of objects follow Kubernetes' own rules.
"""


def reference() -> str:
    """The whole page."""
    parts = (
        _HEAD,
        *_kinds(),
        *_conditions(),
        *_events(),
        *_annotations(),
        *_secret(),
        *_plugins(),
        *commands(),
        *verbs(),
        *rights(),
        *metrics(),
    )
    return "\n".join(parts).rstrip() + "\n"


def anchor(reason: str) -> str:
    """The anchor of a reason, for links from other pages."""
    return f"reason-{reason.lower()}"


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


def _events() -> Lines:
    yield (
        "## Events\n\nWritten where something turned, in the API `events.k8s.io/v1`, about the object itself; "
        "in a directory they are lines of the log.\n"
    )
    yield table(("reason", "type", "when"), [(reason, *texts) for reason, texts in EVENTS.items()])


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
        yield f"### Provider `{name}`\n\nFeatures: {words(provider.info.features)}.\n"
        if provider.info.config is not None:
            body = list(_config(provider.info.config, "spec.config"))
            yield table(("field", "type", "default"), body)
    for name, engine in sorted(loaded.engines.items()):
        info = engine.info
        yield f"### Engine `{name}`\n\nVersions: {', '.join(info.versions)}. Features: {words(info.features)}.\n"
        yield (
            f"Names: at most {info.name_limit} {info.name_unit} for a database, {info.role_limit} for a role. "
            f"Reserved: {words(info.reserved)}.\n"
        )


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


def _type_name(hint: Any) -> str:
    names = {"str": "text", "int": "number", "bool": "true or false"}
    if members := getattr(hint, "__members__", None):
        return ", ".join(f"`{member.value}`" for member in members.values())
    # One that may be left out (`str | None`), or a tuple of any length (`tuple[str, ...]`).
    inner = next((each for each in get_args(hint) if each not in (NoneType, ...)), None)
    if inner is not None:
        return f"list of {_type_name(inner)}" if get_origin(hint) is tuple else _type_name(inner)
    return names[hint.__name__]


def _plain(value: object) -> str:
    return "" if value is None else f"`{value}`"
