"""A document against its schema, with the verdict that the API server would give.

Two steps, as there: `filled` drops nulls and fills in defaults, `problems` looks for unknown fields, broken bounds and
broken rules. Rules are asked only where the bounds hold, so that a twin never meets a value that it cannot read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from .errors import Problem
from .schema import Schema


def filled(schema: Schema, value: Any) -> Any:
    """A copy with nulls dropped and defaults filled in; what has the wrong type is left for `problems`."""
    if isinstance(value, Mapping) and schema.properties:
        return _filled_object(schema, value)
    if isinstance(value, Mapping) and schema.elements:
        return {key: filled(schema.elements, item) for key, item in value.items() if item is not None}
    if isinstance(value, list) and schema.elements:
        return [filled(schema.elements, item) for item in value]
    return deepcopy(value)


def problems(schema: Schema, value: Any, old: Any = None, path: str = "") -> list[Problem]:
    """Everything that is wrong with a value; `old` is what it replaces, or None."""
    found = [*_bound_problems(schema, value, old, path)]
    return found or [*_rule_problems(schema, value, old, path)]


def _filled_object(schema: Schema, value: Mapping[str, Any]) -> dict[str, Any]:
    known = schema.properties
    result = {
        key: filled(known[key], item) if key in known else deepcopy(item)
        for key, item in value.items()
        if item is not None or key not in known
    }
    for key, each in known.items():
        if key not in result and each.default is not None:
            result[key] = filled(each, each.default)
    return result


def _rule_problems(schema: Schema, value: Any, old: Any, path: str) -> Iterator[Problem]:
    for rule in schema.rules:
        if rule.transition and old is None:
            continue
        if not rule.twin(value, old):
            yield Problem(path, rule.reason, rule.message)


def _bound_problems(schema: Schema, value: Any, old: Any, path: str) -> Iterator[Problem]:
    check = _CHECKS[schema.type]
    yield from check(schema, value, old, path)


def _check_object(schema: Schema, value: Any, old: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield _wrong_type(path, value, "a map")
        return
    most = schema.bounds.max_properties
    if most is not None and len(value) > most:
        yield Problem(path, "InvalidSpec", f"has {len(value)} entries; at most {most} are possible")
    if schema.elements is not None:
        for key, item in value.items():
            yield from problems(schema.elements, item, _member(old, key), f"{path}[{key}]")
    elif not schema.open:
        yield from _check_fields(schema, value, old, path)


def _check_fields(schema: Schema, value: Mapping[str, Any], old: Any, path: str) -> Iterator[Problem]:
    for key in schema.required:
        if key not in value:
            yield Problem(_join(path, key), "InvalidSpec", "is needed")
    for key, item in value.items():
        if key in schema.properties:
            yield from problems(schema.properties[key], item, _member(old, key), _join(path, key))
        else:
            yield _unknown_field(schema, key, path)


def _check_array(schema: Schema, value: Any, _: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield _wrong_type(path, value, "a list")
        return
    yield from _check_size(path, len(value), "elements", schema.bounds.min_items, schema.bounds.max_items)
    yield from _check_unique(schema, value, path)
    if schema.elements is not None:
        # Elements have no identity from one version to the next, so nothing in a list is compared with the past.
        for index, item in enumerate(value):
            yield from problems(schema.elements, item, None, f"{path}[{index}]")


def _check_unique(schema: Schema, value: Sequence[Any], path: str) -> Iterator[Problem]:
    items = value if schema.bounds.unique else []
    for index, item in enumerate(items):
        if item in items[:index]:
            yield Problem(f"{path}[{index}]", "InvalidSpec", f"{_shown(item)} stands here twice")


def _check_string(schema: Schema, value: Any, _: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield _wrong_type(path, value, "text; put it in quotes")
    elif schema.enum and value not in schema.enum:
        yield _unknown_value(schema, value, path)
    elif schema.format == "date-time" and not _is_time(value):
        yield Problem(path, "InvalidSpec", f"{_shown(value)} is not a time such as 2026-11-20T10:00:00Z")
    else:
        yield from _check_text(schema, value, path)


def _check_text(schema: Schema, value: str, path: str) -> Iterator[Problem]:
    bounds = schema.bounds
    if bounds.pattern and not re.fullmatch(bounds.pattern[1:-1], value):
        yield Problem(path, "InvalidSpec", f"{_shown(value)} is not {bounds.says}")
    else:
        yield from _check_size(path, len(value), "characters", bounds.min_length, bounds.max_length)


def _check_integer(schema: Schema, value: Any, _: Any, path: str) -> Iterator[Problem]:
    bounds = schema.bounds
    if isinstance(value, bool) or not isinstance(value, int):
        yield _wrong_type(path, value, "a whole number")
    elif bounds.minimum is not None and value < bounds.minimum:
        yield Problem(path, "InvalidSpec", f"{value} is less than {bounds.minimum}")
    elif bounds.maximum is not None and value > bounds.maximum:
        yield Problem(path, "InvalidSpec", f"{value} is more than {bounds.maximum}")


def _check_boolean(_schema: Schema, value: Any, _: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield _wrong_type(path, value, "true or false")


_CHECKS: dict[str, Callable[[Schema, Any, Any, str], Iterator[Problem]]] = {
    "array": _check_array,
    "boolean": _check_boolean,
    "integer": _check_integer,
    "object": _check_object,
    "string": _check_string,
}


def _check_size(path: str, size: int, what: str, least: int | None, most: int | None) -> Iterator[Problem]:
    if least is not None and size < least:
        yield Problem(path, "InvalidSpec", f"has {size} {what}; at least {least} are needed")
    if most is not None and size > most:
        yield Problem(path, "InvalidSpec", f"has {size} {what}; at most {most} are possible")


def _unknown_field(schema: Schema, key: object, path: str) -> Problem:
    close = get_close_matches(str(key), schema.properties, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(schema.properties))}"
    return Problem(_join(path, str(key)[:80]), "InvalidSpec", f"no such field; {hint}", unknown=True)


def _unknown_value(schema: Schema, value: str, path: str) -> Problem:
    close = get_close_matches(value, schema.enum, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    message = f"{_shown(value)} is none of {', '.join(schema.enum)}{hint}"
    return Problem(path, "InvalidSpec", message, unknown=True)


def _wrong_type(path: str, value: object, wanted: str) -> Problem:
    return Problem(path, "InvalidSpec", f"{_shown(value)} is not {wanted}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _is_time(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _member(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
