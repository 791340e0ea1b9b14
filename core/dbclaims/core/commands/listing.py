"""`dbclaims plugins`: which plugins are installed, what each can do, and why one cannot be used."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

import attrs
import orjson
from rich.console import Console
from rich.table import Table

from ..plugins import Listing
from .command import DONE, Command, declare_plugins, load_plugins

# A pipe has no width; nothing may be cut for it.
_PIPED = 400


def _declare(parser: ArgumentParser) -> None:
    declare_plugins(parser)
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table", help="default: table")


def _run(arguments: Namespace) -> int:
    listings = load_plugins(arguments).listings
    if arguments.output == "json":
        print(orjson.dumps([attrs.asdict(each) for each in listings], option=orjson.OPT_INDENT_2).decode())
    else:
        _print(listings)
    return DONE


def _print(listings: Sequence[Listing]) -> None:
    console = Console(highlight=False, markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("NAME", "KIND", "VERSION", "DISTRIBUTION", "FEATURES", "AVAILABLE"):
        table.add_column(column, overflow="fold")
    for each in listings:
        facts = (each.name, each.kind, each.version, each.distribution)
        table.add_row(*facts, ", ".join(each.features) or "-", each.unavailable or "yes")
    console.print(table, width=None if console.is_terminal else _PIPED)


COMMAND = Command("plugins", "list plugins, what each can do, and why one cannot be used", _declare, _run)
