"""`dbclaims plan DIR`: what the next `dbclaims up DIR` would do, reading only. Exit codes as of `kubectl diff`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

import attrs
import orjson

from .. import log
from ..clock import SystemClock
from ..installation import SYSTEM_NAMESPACE
from ..kubectl.flags import declare_files
from ..local import rehearsal
from ..outlook import TROUBLE, Outlook
from ..preview import outlook
from .command import Command, declare_directory, declare_plugins, load_plugins


def _declare(parser: ArgumentParser) -> None:
    declare_directory(parser)
    declare_files(parser)
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="default: text")
    declare_plugins(parser)


def _run(arguments: Namespace) -> int:
    log.configure(level="ERROR", text=True)
    clock, plugins = SystemClock(), load_plugins(arguments)
    with rehearsal(arguments.directory, arguments.state, clock) as (standing, scan):
        found = outlook(
            standing, arguments.filename, plugins=plugins, namespace=SYSTEM_NAMESPACE, clock=clock, make_namespaces=True
        )
    problems = [*map(str, scan.problems), *found.problems]
    return tell(attrs.evolve(found, problems=problems), arguments.output)


def tell(outlook: Outlook, output: str) -> int:
    """Print what was planned, and return the exit code."""
    if output == "json":
        sys.stdout.write(orjson.dumps(outlook.document(), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        print("\n".join(outlook.lines()))
    return outlook.code


_SUMMARY = "tell what the next `up` would do, and do nothing (exit 0: nothing, 1: changes, 2: trouble)"

COMMAND = Command("plan", _SUMMARY, _declare, _run, failed=TROUBLE)
