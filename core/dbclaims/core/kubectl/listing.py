"""`list`, `classes` and `servers`: objects of one kind, a line each.

The columns are those of the kind's definition. A last one, NOTE, says where `explain` has more to tell.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from . import words
from .desk import Desk, Selection
from .flags import declare_objects, declare_selection
from .tables import Row, Table, lines, widths_of
from .verb import DONE, Absent, Usage, Verb
from .words import Word

_SETTLED = {"READY": "True", "REASON": "Available"}


def _declare(parser: ArgumentParser, what: str) -> None:
    declare_objects(parser, what)
    declare_selection(parser)


def listed(desk: Desk, word: Word) -> int:
    """Print the objects of a kind; the exit code is that of `kubectl get`."""
    asked = desk.arguments
    if asked.names and (asked.all_namespaces or asked.selector or asked.field_selector):
        raise Usage("error: a resource cannot be retrieved by name across all namespaces, nor by name and selector")
    if asked.watch and asked.output not in ("", "wide"):
        raise Usage("error: --watch prints lines; leave -o out, or use `kubectl get -w`")
    if asked.show_labels and asked.output not in ("", "wide"):
        raise Usage(f"error: --show-labels option cannot be used with {asked.output.partition('=')[0]} printer")
    selection = {"labelSelector": asked.selector, "fieldSelector": asked.field_selector}
    if asked.output in ("", "wide"):
        return _show_table(desk, word, selection)
    from .output import show_objects

    found = _named(desk, word, desk.home.objects(word, desk.scope, selection), lambda each: each["metadata"]["name"])
    show_objects(desk.screen, asked.output, word, found, single=len(asked.names) == 1)
    return DONE


def _show_table(desk: Desk, word: Word, selection: Selection) -> int:
    asked, wide = desk.arguments, desk.arguments.output == "wide"
    metadata = asked.show_labels or _is_everywhere(desk, word)
    table = desk.home.table(word, desk.scope, selection, wide=wide, metadata=metadata)
    rows = _named(desk, word, table.rows, lambda row: row.cells[0])
    if not rows and not asked.watch:
        place = f" in {desk.namespace} namespace" if desk.scope and word.namespaced else ""
        desk.screen.note(f"No resources found{place}.")
        return DONE
    widths = _print(desk, word, Table(table.columns, tuple(rows)), heads=not asked.no_headers)
    if asked.watch:
        _follow(desk, word, table, selection, widths)
    return DONE


def _print(desk: Desk, word: Word, table: Table, *, heads: bool, least: Sequence[int] = ()) -> list[int]:
    """Print a table with columns of at least these widths; return those that it has."""
    everywhere, labelled = _is_everywhere(desk, word), desk.arguments.show_labels
    columns = [*(["NAMESPACE"] if everywhere else []), *table.columns, *(["LABELS"] if labelled else []), "NOTE"]
    settled = _settled(table.columns)
    rows = [_cells(row, settled, everywhere=everywhere, labelled=labelled) for row in table.rows]
    widths = widths_of(columns, rows, least, heads=heads)
    for line in lines(columns, rows, desk.screen, widths, heads=heads):
        desk.screen.say(line)
    desk.screen.flush()
    return widths


def _follow(desk: Desk, word: Word, table: Table, selection: Selection, widths: Sequence[int]) -> None:
    wide = desk.arguments.output == "wide"
    for row in desk.home.changes(word, desk.scope, selection, since=table.version, wide=wide):
        if not desk.arguments.names or row.cells[0] in desk.arguments.names:
            widths = _print(desk, word, Table(table.columns, (row,)), heads=False, least=widths)


def _is_everywhere(desk: Desk, word: Word) -> bool:
    return desk.scope is None and word.namespaced


def _cells(row: Row, settled: Sequence[tuple[int, str]], *, everywhere: bool, labelled: bool) -> list[str]:
    place = [row.metadata.get("namespace", "")] if everywhere else []
    labels = [_labels(row)] if labelled else []
    return [*place, *(cell or "-" for cell in row.cells), *labels, _note(row, settled)]


def _labels(row: Row) -> str:
    """As kubectl prints them."""
    found = row.metadata.get("labels") or {}
    return ",".join(f"{name}={found[name]}" for name in sorted(found)) or "<none>"


def _settled(columns: Sequence[str]) -> list[tuple[int, str]]:
    """Which column says what where there is nothing more to know. Pure."""
    return [(at, _SETTLED[name.upper()]) for at, name in enumerate(columns) if name.upper() in _SETTLED]


def _note(row: Row, settled: Sequence[tuple[int, str]]) -> str:
    """Where there is more to know than the columns say. Pure."""
    return "" if all(row.cells[at] == says for at, says in settled) else f"see `explain {row.cells[0]}`"


def _named(desk: Desk, word: Word, found: Sequence[Any], name: Callable[[Any], str]) -> list[Any]:
    """Those that were named, in that order, or all; raises `Absent` for one that is not there."""
    wanted: list[str] = desk.arguments.names
    by_name = {name(each): each for each in found}
    for each in wanted:
        if each not in by_name:
            raise Absent(_absent(word, each, list(by_name)))
    return [by_name[each] for each in wanted] if wanted else list(found)


def _absent(word: Word, name: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, 1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    return f'Error from server (NotFound): {word.plural}.{words.GROUP} "{name}" not found{hint}'


def _verb(name: str, word: Word, summary: str, examples: tuple[str, str, str]) -> Verb:
    declare = partial(_declare, what=f"names of {word.plural}")
    return Verb(name, summary, examples, declare, partial(listed, word=word))


LIST = _verb(
    "list",
    words.CLAIM,
    "claims, a line each (what stands without a verb)",
    ("list -n shop", "list -A -o wide -l team=shop", "list -w"),
)
CLASSES = _verb(
    "classes", words.CLASS, "what may be claimed", ("classes", "classes shared-postgres -o yaml", "classes -o name")
)
SERVERS = _verb(
    "servers",
    words.SERVER,
    "the servers behind the classes",
    ("servers -A", "servers shared -n platform -o wide", "servers -n platform -w"),
)
