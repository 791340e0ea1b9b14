"""Between documents and models: keys in camel case, durations and times as text, what is absent left out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

import attrs
from cattrs import BaseValidationError, Converter, transform_error
from cattrs.gen import make_dict_structure_fn, override

from .duration import format_duration, parse_duration
from .schema import key_of

T = TypeVar("T")

_TIME = "%Y-%m-%dT%H:%M:%SZ"


def format_time(value: datetime) -> str:
    """A time as the API writes it: RFC 3339, UTC, whole seconds."""
    return value.astimezone(UTC).strftime(_TIME)


def parse_time(text: str) -> datetime:
    """Read a time of the API's.

    Raises:
        ValueError: it is not RFC 3339.
    """
    return datetime.fromisoformat(text).astimezone(UTC)


def to_document(value: Any) -> Any:
    """A model, or a part of one, as a document holds it; what is None is left out."""
    return _CONVERTER.unstructure(value)


def from_document(document: Any, model: type[T]) -> T:
    """A model from a document; keys that the model does not know are left out.

    Raises:
        ValueError: the document is not shaped as the model. One that passed `check.problems` always is.
    """
    try:
        return _CONVERTER.structure(document, model)
    except BaseValidationError as error:
        raise ValueError(f"not a {model.__name__}: {'; '.join(transform_error(error))}") from error


def _structure(model: type[Any], converter: Converter) -> Callable[[Any, Any], Any]:
    names = {each.name: override(rename=key_of(each)) for each in attrs.fields(model)}
    return make_dict_structure_fn(model, converter, **names)  # type: ignore[arg-type]


def _unstructure(model: type[Any], converter: Converter) -> Callable[[Any], dict[str, Any]]:
    names = [(each.name, key_of(each)) for each in attrs.fields(model)]

    def unstructure(value: Any) -> dict[str, Any]:
        pairs = ((key, getattr(value, name)) for name, key in names)
        return {key: converter.unstructure(item) for key, item in pairs if item is not None}

    return unstructure


def _converter() -> Converter:
    converter = Converter(unstruct_collection_overrides={tuple: list})
    converter.register_structure_hook_factory(attrs.has, _structure)
    converter.register_unstructure_hook_factory(attrs.has, _unstructure)
    converter.register_unstructure_hook(StrEnum, str)
    converter.register_structure_hook(timedelta, lambda text, _: parse_duration(text))
    converter.register_unstructure_hook(timedelta, format_duration)
    converter.register_structure_hook(datetime, lambda text, _: parse_time(text))
    converter.register_unstructure_hook(datetime, format_time)
    return converter


_CONVERTER = _converter()
