"""kubectl's JSONPath templates, as far as claims need them: fields, indexes, `[*]`, filters by `==`, range and texts.

Grammar: Kubernetes, "JSONPath Support". A field that is not there prints nothing, as with `kubectl get`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_BLOCK = re.compile(r"\{((?:[^{}\"']|\"[^\"]*\"|'[^']*')*)\}")
_STEP = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\]\\])+)
      | \['(?P<quoted>[^']*)'\]
      | \[(?P<index>-?\d+)\]
      | \[(?P<all>\*)\]
      | \[\?\(@(?P<path>[^=)]+?)\s*==\s*(?P<value>"[^"]*"|'[^']*'|[^)]+?)\)\]""",
    re.VERBOSE,
)


class TemplateError(ValueError):
    """The template cannot be read; the message says where."""


def rendered(template: str, document: Any) -> str:
    """The text that a template makes of a document; raises `TemplateError`."""
    text, rest = _until_end(_parts(template), document, nested=False)
    if rest:
        raise TemplateError("{end} without {range}")
    return text


def found(path: str, document: Any) -> list[Any]:
    """Every value that a path such as `.status.conditions[?(@.type=="Ready")].status` leads to."""
    values, at = [document], 0
    path = path.removeprefix("$")
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise TemplateError(f"{path!r} is no path from {path[at:]!r} on")
        values = [value for each in values for value in _taken(step, each)]
        at = step.end()
    return values


def _parts(template: str) -> list[tuple[bool, str]]:
    """The template as (whether it stood in braces, text)."""
    parts, at = [], 0
    for block in _BLOCK.finditer(template):
        parts += [(False, template[at : block.start()]), (True, block[1].strip())]
        at = block.end()
    if "{" in template[at:]:
        raise TemplateError(f"unclosed brace in {template[at:]!r}")
    return [*parts, (False, template[at:])]


def _until_end(parts: list[tuple[bool, str]], document: Any, *, nested: bool) -> tuple[str, list[tuple[bool, str]]]:
    """What the parts say up to `{end}`, and the parts behind it."""
    text = ""
    while parts:
        (is_block, said), parts = parts[0], parts[1:]
        if not is_block:
            text += said
        elif said == "end":
            if not nested:
                raise TemplateError("{end} without {range}")
            return text, parts
        elif said.startswith("range "):
            more, parts = _ranged(said.removeprefix("range ").strip(), parts, document)
            text += more
        else:
            text += _said(said, document)
    if nested:
        raise TemplateError("{range} without {end}")
    return text, parts


def _ranged(path: str, parts: list[tuple[bool, str]], document: Any) -> tuple[str, list[tuple[bool, str]]]:
    each = [_until_end(parts, value, nested=True) for value in found(path, document)]
    _, behind = _until_end(parts, None, nested=True)
    return "".join(text for text, _ in each), behind


def _said(block: str, document: Any) -> str:
    if block[:1] in "\"'" and block[-1:] == block[:1] and len(block) > 1:
        return str(json.loads(f'"{block[1:-1]}"'))
    path = block.removeprefix("@")
    return " ".join(_text(value) for value in found(path if path[:1] in ".[$" or not path else f".{path}", document))


def _taken(step: re.Match[str], value: Any) -> Iterator[Any]:
    if step["all"]:
        yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    elif step["index"]:
        if isinstance(value, list) and -len(value) <= int(step["index"]) < len(value):
            yield value[int(step["index"])]
    elif step["path"]:
        wanted = step["value"].strip("\"'")
        items = value if isinstance(value, list) else ()
        yield from (each for each in items if [_text(one) for one in found(step["path"].strip(), each)] == [wanted])
    else:
        name = step["quoted"] if step["quoted"] is not None else re.sub(r"\\(.)", r"\1", step["field"])
        if isinstance(value, dict) and name in value:
            yield value[name]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
