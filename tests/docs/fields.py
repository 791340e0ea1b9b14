"""A model's schema as rows of a reference table: one row for each field, nested ones by their dotted path."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from dbclaims.core.api.bounds import Bounds
from dbclaims.core.api.schema import DURATION, Schema

IMMUTABLE = "Immutable"


@frozen
class Row:
    """One field.

    Attributes:
        path: from the object's root; `[]` stands for an element of a list, `.*` for a value of a map.
        kind: its type as people name it.
        default: what an omitted field means, as a document writes it; empty where nothing is filled in.
        bounds: what its value must be.
        text: its meaning.
    """

    path: str
    kind: str
    default: str
    bounds: str
    text: str

    def cells(self) -> tuple[str, ...]:
        """The row for a table."""
        return (f"`{self.path}`", self.kind, self.default, self.bounds, self.text)


def rows(schema: Schema, path: str) -> Iterator[Row]:
    """Every field below a schema, in the order in which the model declares them."""
    for key, each in schema.properties.items():
        where = f"{path}.{key}"
        yield Row(where, kind(each), _default(schema, key), "; ".join(_bounds(each)), _meaning(schema, key))
        yield from _inner(each, where)


def kind(schema: Schema) -> str:
    """The type as people name it: `list of text`, `duration`."""
    if schema.elements is not None:
        shape = "map" if schema.type == "object" else "set" if schema.bounds.unique else "list"
        return f"{shape} of {kind(schema.elements)}"
    if schema.bounds == DURATION:
        return "duration"
    if schema.format == "date-time":
        return "time"
    words = {"string": "text", "integer": "number", "boolean": "true or false", "object": "object"}
    return words[schema.type]


def _inner(schema: Schema, path: str) -> Iterator[Row]:
    if schema.elements is not None:
        mark = ".*" if schema.type == "object" else "[]"
        yield from _inner(schema.elements, path + mark)
    else:
        yield from rows(schema, path)


def _default(parent: Schema, key: str) -> str:
    value = parent.properties[key].default
    if key in parent.required:
        return "**needed**"
    if value is None or isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
        return ""
    return f"`{', '.join(map(str, value)) if isinstance(value, list) else value}`"


def _meaning(parent: Schema, key: str) -> str:
    """Its text, and the way out where it cannot be changed."""
    schema = parent.properties[key]
    fixed = [rule.message for rule in schema.rules if rule.reason == IMMUTABLE]
    return " ".join([schema.text, *(f"**Immutable**: {message.partition('; ')[2]}." for message in fixed)])


def _bounds(schema: Schema) -> Iterator[str]:
    """The limits of a value and of what is in it, each as a few words."""
    limits = schema.bounds
    if schema.enum:
        yield ", ".join(f"`{value}`" for value in schema.enum)
    if schema.type == "string" and limits != DURATION:
        yield from _text_bounds(limits)
    yield from _between(limits.minimum, limits.maximum, "")
    yield from _between(limits.min_items, limits.max_items, " elements")
    yield from _between(None, limits.max_properties, " entries")
    yield from (rule.message for rule in schema.rules if rule.reason != IMMUTABLE)
    if schema.elements is not None and schema.elements.type != "object":
        yield from (f"each {words}" for words in [", ".join(_bounds(schema.elements))] if words)


def _text_bounds(limits: Bounds) -> Iterator[str]:
    """What a pattern means, and the length where the words do not say it."""
    if limits.pattern:
        yield limits.says
    if limits.max_length and f"at most {limits.max_length}" not in limits.says:
        yield f"at most {limits.max_length} characters"


def _between(least: int | None, most: int | None, unit: str) -> Iterator[str]:
    if least is not None and most is not None:
        yield f"{least} to {most}{unit}"
    elif most is not None:
        yield f"at most {most}{unit}"
    elif least is not None:
        yield f"at least {least}{unit}"
