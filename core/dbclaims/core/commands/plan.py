"""`dbclaims plan DIR`: what the next `dbclaims up DIR` would do, reading only. Exit codes as of `kubectl diff`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from contextlib import closing

import orjson

from .. import log
from ..clock import SystemClock
from ..installation import SYSTEM_NAMESPACE, known_installation
from ..local import Problem, propose, rehearsal
from ..objectstore import Object
from ..outlook import TROUBLE, Outlook
from ..plugins import load
from ..preview import STRANGER, Preview
from ..snapshot import Snapshot
from .command import Command, declare_directory, declare_plugins


def _declare(parser: ArgumentParser) -> None:
    declare_directory(parser)
    declare_files(parser)
    declare_plugins(parser)


def declare_files(parser: ArgumentParser) -> None:
    """`-f` and `-o`, alike in both homes."""
    parser.add_argument(
        "-f",
        "--filename",
        metavar="FILE",
        action="append",
        default=[],
        help="plan as if these documents were applied: a file, a folder, or - for the standard input; may be repeated",
    )
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="default: text")


def _run(arguments: Namespace) -> int:
    log.configure(level="ERROR", text=True)
    clock, plugins = SystemClock(), load(arguments.plugins)
    with rehearsal(arguments.directory, arguments.state, clock) as (standing, scan):
        proposal = propose(standing.objects, arguments.filename, clock.now(), make_namespaces=True)

        def secret(namespace: str, name: str) -> Object | None:
            return proposal.secrets.get(("Secret", namespace, name)) or standing.secret(namespace, name)

        store = Snapshot(proposal.objects, secret)
        known = known_installation(store, SYSTEM_NAMESPACE) or STRANGER
        with closing(Preview(store, plugins, known, clock)) as preview:
            keys = preview.concerned(proposal.changes) if arguments.filename else preview.everything()
            return tell(Outlook(preview.plan(keys), _sentences([*scan.problems, *proposal.problems])), arguments.output)


def _sentences(problems: list[Problem]) -> list[str]:
    return [str(problem) for problem in problems]


def tell(outlook: Outlook, output: str) -> int:
    """Print what was planned, and return the exit code."""
    if output == "json":
        sys.stdout.write(orjson.dumps(outlook.document(), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        print("\n".join(outlook.lines()))
    return outlook.code


COMMAND = Command("plan", "tell what the next `up` would do, and do nothing; exit 0: nothing, 1: changes, 2: trouble", _declare, _run, failed=TROUBLE)
