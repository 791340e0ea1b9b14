"""The reasons that stall an object, read from the source: those that a `Terminal` error of any kind is raised with."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from dbclaims.core.spi import InvalidSpec, NotOwned, Refused, Terminal, Unsupported

from .blocks import REPOSITORY

_KINDS = {kind.__name__: kind for kind in (Terminal, InvalidSpec, Unsupported, NotOwned, Refused)}


def stalling() -> set[str]:
    """Every such reason in the core, the providers and the engines."""
    files = [path for folder in ("core", "providers", "engines") for path in (REPOSITORY / folder).rglob("*.py")]
    return {reason for path in files for reason in _reasons(path)}


def _reasons(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and (kind := _KINDS.get(_name(node.func))):
            yield from _of_call(node, kind.default_reason)
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and (kind := _KINDS.get(_name(node.elts[0]))):
            yield _text(node.elts[1]) or kind.default_reason


def _of_call(call: ast.Call, default: str) -> Iterator[str]:
    """The reason of one raise; one that is computed is named by whoever computes it."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
    if not given:
        yield default
    elif text := _text(given[0]):
        yield text


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
