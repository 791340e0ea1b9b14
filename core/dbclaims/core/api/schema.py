"""From a model to its schema: one tree for the API server (as OpenAPI) and for the local home (`check.problems`)."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

import attrs
from attrs import evolve, field, frozen

from .bounds import About, Bounds
from .duration import MAX_LENGTH, PATTERN, format_duration
from .rules import Rule, immutable, immutable_presence

DURATION = Bounds(says='a duration: "12h", "1h30m", "0s" or "7d"', pattern=PATTERN, min_length=2, max_length=MAX_LENGTH)


@frozen(kw_only=True)
class Schema:
    """One node of a structural schema.

    Attributes:
        type: string, integer, boolean, array or object.
        text: its description.
        bounds: its limits.
        enum: the only values, for a string; empty: any.
        format: of a string or an integer.
        default: what the API server fills in, or None.
        properties, required: of an object with fields of its own.
        elements: of an array, or the values of a map.
        open: an object that may hold anything.
        list_key: the field that identifies an element, for a list that is a map.
        rules: what CEL says about it.
    """

    type: str
    text: str = ""
    bounds: Bounds = field(factory=Bounds)
    enum: tuple[str, ...] = ()
    format: str = ""
    default: Any = None
    properties: Mapping[str, Schema] = field(factory=dict)
    required: tuple[str, ...] = ()
    elements: Schema | None = None
    open: bool = False
    list_key: str = ""
    rules: tuple[Rule, ...] = ()


def key_of(attribute: attrs.Attribute[Any]) -> str:
    """A field's key in a document: `max_overlap` is `maxOverlap`, `from_` is `from`."""
    first, *rest = attribute.name.rstrip("_").split("_")
    about = attribute.metadata.get("about")
    return (about and str(about.key)) or first + "".join(word.capitalize() for word in rest)


@cache
def schema_of(model: type[Any], *, fixed: bool = True) -> Schema:
    """The schema of a model.

    Args:
        model: an attrs class whose fields carry `bounds.about`.
        fixed: whether its immutable fields are; False in a mould such as a class's template.
    """
    hints = typing.get_type_hints(model)
    fields = attrs.fields(model)
    properties = {key_of(each): _field_schema(each, hints[each.name], fixed) for each in fields}
    needed = tuple(key_of(each) for each in fields if each.default is attrs.NOTHING)
    presence = [
        immutable_presence(key_of(each), _about(each).immutable)
        for each in fields
        if fixed and _about(each).immutable and key_of(each) not in needed
    ]
    rules = (*getattr(model, "rules", ()), *presence)
    return Schema(type="object", properties=properties, required=needed, rules=rules)


def _about(attribute: attrs.Attribute[Any]) -> About:
    return typing.cast(About, attribute.metadata["about"])


def _field_schema(attribute: attrs.Attribute[Any], hint: Any, fixed: bool) -> Schema:
    about = _about(attribute)
    schema = _type_schema(hint, about.bounds, fixed and about.frozen_inside)
    rules = schema.rules
    if fixed and about.immutable:
        rules += (immutable(key_of(attribute), about.immutable),)
    return evolve(schema, text=about.text, rules=rules, list_key=about.list_key, default=_default(attribute))


def _type_schema(hint: Any, bounds: Bounds, fixed: bool) -> Schema:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return _type_schema(next(each for each in arguments if each is not type(None)), bounds, fixed)
    if origin is tuple:
        elements = _type_schema(arguments[0], bounds.elements or Bounds(), fixed)
        return Schema(type="array", bounds=bounds, elements=elements, rules=bounds.rules)
    if origin is Mapping and arguments[1] is Any:
        return Schema(type="object", bounds=bounds, open=True, rules=bounds.rules)
    if origin is Mapping:
        elements = _type_schema(arguments[1], bounds.elements or Bounds(), fixed)
        return Schema(type="object", bounds=bounds, elements=elements, rules=bounds.rules)
    if attrs.has(hint):
        schema = schema_of(hint, fixed=fixed)
        return evolve(schema, bounds=bounds, rules=schema.rules + bounds.rules)
    return _scalar_schema(hint, bounds)


def _scalar_schema(hint: type[Any], bounds: Bounds) -> Schema:
    if hint is bool:
        return Schema(type="boolean", bounds=bounds)
    if hint is int:
        return Schema(type="integer", format="int64", bounds=bounds, rules=bounds.rules)
    if hint is timedelta:
        return Schema(type="string", bounds=DURATION)
    if hint is datetime:
        return Schema(type="string", format="date-time")
    if issubclass(hint, StrEnum):
        return Schema(type="string", enum=tuple(hint))
    if hint is not str:
        raise TypeError(f"no schema for {hint!r}")
    return Schema(type="string", bounds=bounds, rules=bounds.rules)


def _default(attribute: attrs.Attribute[Any]) -> Any:
    """What the API server fills in; nothing for what is empty, since an absent field says the same."""
    value: Any = attribute.default
    plain = _plain(value.factory() if isinstance(value, attrs.Factory) else value)  # type: ignore[arg-type]
    return None if plain in (None, False, "", [], {}) else plain


def _plain(value: Any) -> Any:
    """A default as a document holds it."""
    if value is attrs.NOTHING or value is None:
        return None
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, StrEnum):
        return value.value
    if attrs.has(type(value)):
        pairs = ((key_of(each), _plain(getattr(value, each.name))) for each in attrs.fields(type(value)))
        return {key: item for key, item in pairs if item not in (None, "", [], {})}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value


def openapi(schema: Schema) -> dict[str, Any]:
    """The schema as OpenAPI v3, as a CustomResourceDefinition holds it."""
    bounds = schema.bounds
    document: dict[str, Any] = {"type": schema.type}
    candidates = {
        "description": schema.text,
        "format": schema.format,
        "enum": [str(value) for value in schema.enum],
        "default": schema.default,
        "pattern": bounds.pattern,
        "minimum": bounds.minimum,
        "maximum": bounds.maximum,
        "minLength": bounds.min_length,
        "maxLength": bounds.max_length,
        "minItems": bounds.min_items,
        "maxItems": bounds.max_items,
        "maxProperties": bounds.max_properties,
        "required": list(schema.required),
        "properties": {key: openapi(each) for key, each in schema.properties.items()},
        "x-kubernetes-validations": [{"rule": rule.cel, "message": rule.message} for rule in schema.rules],
        "x-kubernetes-preserve-unknown-fields": schema.open or None,
    }
    document |= {key: value for key, value in candidates.items() if value not in (None, "", [], {})}
    return document | _openapi_elements(schema)


def _openapi_elements(schema: Schema) -> dict[str, Any]:
    if schema.elements is None:
        return {}
    elements = openapi(schema.elements)
    if schema.type == "object":
        return {"additionalProperties": elements}
    if schema.list_key:
        return {"items": elements, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [schema.list_key]}
    return {"items": elements, "x-kubernetes-list-type": "set" if schema.bounds.unique else "atomic"}
