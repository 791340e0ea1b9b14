"""What a value may be: sizes, patterns and what they are called. Everything has an end, or CEL's cost limit breaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

from . import rules
from .rules import Rule


@frozen
class Bounds:
    """The limits of one value; for a list or a map also those of its elements.

    Attributes:
        says: what the pattern means, to end the sentence "… is not".
        pattern: RE2 and Python alike; begins with ^ and ends with $.
        minimum, maximum: of a number.
        min_length, max_length: of a string, in characters.
        min_items, max_items: of a list.
        max_properties: of a map or an open object.
        unique: no element twice (a list that is a set).
        elements: the limits of each element of a list or each value of a map.
        rules: what CEL must say about this very value.
    """

    says: str = ""
    pattern: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    max_properties: int | None = None
    unique: bool = False
    elements: Bounds | None = None
    rules: tuple[Rule, ...] = ()


@frozen
class About:
    """What a field's metadata holds.

    Attributes:
        text: one or two sentences for `kubectl explain` and the reference page.
        bounds: the limits of its value.
        immutable: the way out for somebody who wants another value; empty if the field may change.
        frozen_inside: False where the value is a mould, whose own immutable fields may change.
        list_key: the field that identifies an element, for a list that is a map.
        key: its key in a document, where that is not the attribute's name in camel case.
    """

    text: str
    bounds: Bounds = field(factory=Bounds)
    immutable: str = ""
    frozen_inside: bool = True
    list_key: str = ""
    key: str = ""


def about(
    text: str,
    bounds: Bounds | None = None,
    *,
    immutable: str = "",
    frozen_inside: bool = True,
    list_key: str = "",
    key: str = "",
) -> Mapping[str, Any]:
    """The metadata of a field of a model; `schema.schema_of` reads it back."""
    return {"about": About(text, bounds or Bounds(), immutable, frozen_inside, list_key, key)}


def listed(elements: Bounds, most: int, *, least: int | None = None, unique: bool = True) -> Bounds:
    """A list of at most `most` such elements."""
    return Bounds(max_items=most, min_items=least, unique=unique, elements=elements)


def mapped(elements: Bounds, most: int, *key_rules: Rule) -> Bounds:
    """A map of at most `most` such values; OpenAPI cannot bound keys, so rules do."""
    return Bounds(max_properties=most, elements=elements, rules=key_rules)


DNS_LABEL = Bounds(
    says="a DNS label (lower-case letters, digits and '-', at most 63)",
    pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
    min_length=1,
    max_length=63,
)
DNS_SUBDOMAIN = Bounds(
    says="a DNS name (lower-case letters, digits, '-' and '.', at most 253)",
    pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$",
    min_length=1,
    max_length=253,
)
SECRET_NAME = evolve(DNS_SUBDOMAIN, rules=(rules.SECRET_NAME_NOT_OURS,))
PLUGIN_NAME = Bounds(
    says="a plugin's name (lower-case letters, digits, '-' and '_')",
    pattern=r"^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$",
    min_length=1,
    max_length=63,
)
DATABASE_NAME = Bounds(
    says="a database's name (letters, digits, '_', '-' and '.', beginning with a letter, a digit or '_')",
    pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
    min_length=1,
    max_length=63,
)
SCHEMA_NAME = Bounds(
    says="a schema's name (letters, digits and '_', not beginning with a digit)",
    pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
    min_length=1,
    max_length=63,
    rules=(rules.SCHEMA_NOT_RESERVED,),
)
SCHEMA_KEYS = rules.keys_match(
    r"^[A-Za-z_][A-Za-z0-9_]{0,62}$", "a schema's name (letters, digits and '_', at most 63)"
)
EXTENSION = Bounds(
    says="an extension's name (lower-case letters, digits, '_' and '-')",
    pattern=r"^[a-z0-9_-]+$",
    min_length=1,
    max_length=63,
)
NAMESPACE_GLOB = Bounds(
    says="a namespace or a pattern such as team-* (lower-case letters, digits, '-', '*' and '?')",
    pattern=r"^[a-z0-9*?-]+$",
    min_length=1,
    max_length=63,
)
DATABASE_GLOB = Bounds(
    says="a database's name or a pattern such as {namespace}_*",
    pattern=r"^([A-Za-z0-9_.*?-]|\{namespace\})+$",
    min_length=1,
    max_length=128,
)
INSTALLATION = Bounds(
    says="an installation's id (letters, digits, '.', '_' and '-')",
    pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
    min_length=1,
    max_length=63,
)
VERSION = Bounds(says="a version such as 17 or 8.4", pattern=r"^[0-9]{1,4}(\.[0-9]{1,4}){0,2}$", max_length=14)
SIZE = Bounds(
    says="a size's name (letters, digits, '.', '_' and '-')",
    pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
    min_length=1,
    max_length=63,
)
SIZE_KEYS = rules.keys_match(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", "a size's name (letters, digits, '.', '_' and '-')")
PARAMETER_KEYS = rules.keys_match(r"^[A-Za-z_][A-Za-z0-9_.-]{0,127}$", "a setting's name")
TAG_KEYS = rules.keys_match(r"^[A-Za-z0-9_.:/=+@-]{1,128}$", "a tag's name (letters, digits and _.:/=+@-, at most 128)")
LABEL_KEYS = rules.keys_match(
    r"^([a-z0-9][a-z0-9.-]{0,252}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$", "a label's name"
)
LABEL_VALUE = Bounds(
    says="a label's value (letters, digits, '-', '_' and '.', at most 63)",
    pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$",
    max_length=63,
)
UID = Bounds(says="a uid", pattern=r"^[A-Za-z0-9-]+$", min_length=1, max_length=128)
PORT = Bounds(minimum=1, maximum=65535)
TEXT = Bounds(max_length=1024)
SHORT_TEXT = Bounds(max_length=253)
