"""A provider's own block, `spec.config`, made into the attrs class that the provider declares.

Keys are camelCase in YAML and snake_case in Python. Types are taken at their word: `"5432"` is no number and `"no"` is
no boolean. Every refusal is an `InvalidSpec` that begins with the path of what is wrong.
"""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
from cattrs import (
    BaseValidationError,
    ClassValidationError,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
)
from cattrs.gen import make_dict_structure_fn, override

from .spi import InvalidSpec

ROOT = "spec.config"

_SECRET_KEY = re.compile(r"(password|passwd|passphrase|token|clientSecret|secretAccessKey|privateKey)$", re.IGNORECASE)
_SECRET_TEXT = re.compile(r"://[^/@\s]*:[^/@\s]+@|\bpassword\s*=|-----BEGIN [A-Z ]*PRIVATE KEY-----", re.IGNORECASE)
_WORDS = {bool: "true or false", int: "a whole number", str: "a text"}


def structure_config(cls: type, block: Mapping[str, Any]) -> object:
    """An instance of `cls` from a block of YAML. Raises `InvalidSpec` naming every path that is wrong."""
    for path in _plain_secrets(block, ROOT):
        raise InvalidSpec(f"{path}: a secret does not belong here; put it into a Secret and refer to it by name")
    try:
        instance: object = _CONVERTER.structure(block, cls)
    except (BaseValidationError, ValueError) as error:
        raise InvalidSpec("; ".join(_problems(error, ROOT))) from None
    return instance


def camel(name: str) -> str:
    """`admin_secret_ref` as `adminSecretRef`."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _plain_secrets(value: object, path: str) -> Iterator[str]:
    """The paths under which something secret stands in plain text; never the text itself."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if _SECRET_KEY.search(str(key)) and isinstance(inner, str | int):
                yield f"{path}.{key}"
            else:
                yield from _plain_secrets(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _plain_secrets(inner, f"{path}[{index}]")
    elif isinstance(value, str) and _SECRET_TEXT.search(value):
        yield path


def _problems(error: BaseException, path: str) -> Iterator[str]:
    """Every sentence in a tree of validation errors, each behind its path."""
    if isinstance(error, ClassValidationError):
        named, unnamed = error.group_exceptions()
        inner = [(each, f"{path}.{camel(note.name)}") for each, note in named] + [(each, path) for each in unnamed]
    elif isinstance(error, IterableValidationError):
        items, unnamed = error.group_exceptions()
        inner = [(each, f"{path}[{note.index}]") for each, note in items] + [(each, path) for each in unnamed]
    else:
        yield from _sentences(error, path)
        return
    for each, where in inner:
        yield from _problems(each, where)


def _sentences(error: BaseException, path: str) -> Iterator[str]:
    if isinstance(error, ForbiddenExtraKeysError):
        known = [camel(field.name) for field in attrs.fields(error.cl)]
        yield from (f"{path}.{key}: is not known here{_guess(key, known)}" for key in sorted(error.extra_fields))
    elif isinstance(error, KeyError):
        yield f"{path}: is missing"
    else:
        yield f"{path}: {error}"


def _guess(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]}?" if close else f" (known: {', '.join(known)})"


def _exactly(expected: type) -> Callable[[object, object], object]:
    """A hook that converts nothing: cattrs alone would take "5432" for a number and "false" for true."""

    def structure(value: object, _: object) -> object:
        # bool is a subclass of int.
        if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
            raise ValueError(f"must be {_WORDS[expected]}")
        return value

    return structure


def _one_of(value: object, cls: type[enum.Enum]) -> enum.Enum:
    """A hook for enumerations that names the words in its refusal."""
    words = {member.value: member for member in cls}
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"must be one of {', '.join(words)}")
    return words[value]


def _by_key(cls: Any, converter: Converter) -> Callable[[object, object], object]:
    """A hook for an attrs class whose keys are camelCase, all of them known."""
    renames = {field.name: override(rename=camel(field.name)) for field in attrs.fields(cls)}
    fill: Callable[..., object] = make_dict_structure_fn(cls, converter, True, **renames)  # type: ignore[arg-type]

    def structure(value: object, target: object) -> object:
        if not isinstance(value, Mapping):
            raise ValueError("must be a mapping of keys to values")
        return fill(value, target)

    return structure


def _converter() -> Converter:
    converter = Converter(detailed_validation=True)
    for plain in _WORDS:
        converter.register_structure_hook(plain, _exactly(plain))
    # StrEnum by name, since cattrs would find it under str.
    for words in (enum.Enum, enum.StrEnum):
        converter.register_structure_hook(words, _one_of)
    converter.register_structure_hook_factory(attrs.has, _by_key)
    return converter


_CONVERTER = _converter()
