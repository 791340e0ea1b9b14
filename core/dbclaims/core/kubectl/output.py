"""The forms of an answer that a program reads: `-o json`, `yaml`, `name` and `jsonpath=…`, as kubectl writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .verb import VerbError

if TYPE_CHECKING:
    from .screen import Screen
    from .words import Word


def show_objects(screen: Screen, form: str, word: Word, objects: Sequence[dict[str, Any]], *, single: bool) -> None:
    """Print objects of one kind; `single` prints the only one bare, and not as a List."""
    for each in objects:
        # As kubectl: who wrote which field is for those who ask the API server.
        each["metadata"].pop("managedFields", None)
    if form == "name":
        for each in objects:
            screen.say(word.named(each["metadata"]["name"]))
        return
    listed = {"apiVersion": "v1", "items": list(objects), "kind": "List", "metadata": {"resourceVersion": ""}}
    show_document(screen, form, objects[0] if single else listed)


def show_document(screen: Screen, form: str, document: Any) -> None:
    """Print one document. Raises `VerbError` for a template that cannot be read."""
    if form == "json":
        import json

        screen.say(json.dumps(document, indent=4, ensure_ascii=False))
    elif form == "yaml":
        import yaml

        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        screen.say(yaml.dump(document, Dumper=dumper, allow_unicode=True, width=1000).rstrip("\n"))
    else:
        _show_template(screen, form.removeprefix("jsonpath="), document)


def _show_template(screen: Screen, template: str, document: Any) -> None:
    from .jsonpath import TemplateError, rendered

    try:
        screen.say(rendered(template, document))
    except TemplateError as error:
        raise VerbError(f"error: error parsing jsonpath {template}, {error}") from error
