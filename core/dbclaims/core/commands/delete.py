"""`dbclaims delete`: say that an object whose document is gone is meant to go (DESIGN.md §6)."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from ..local import STATE_NAME, request_deletion
from ..objectstore import join_key
from .command import DONE, Command, declare_directory


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("object", metavar="KIND/NAME", type=_split, help="such as DatabaseClaim/orders")
    parser.add_argument("-n", "--namespace", default="default", help="default: default")
    declare_directory(parser)


def _run(arguments: Namespace) -> int:
    kind, name = arguments.object
    state = arguments.state or arguments.directory / STATE_NAME
    kind, namespace, name = request_deletion(arguments.directory, state, kind, arguments.namespace, name)
    print(f"{kind} {join_key(namespace, name)} goes with the next look of `dbclaims up {arguments.directory}`")
    return DONE


def _split(text: str) -> tuple[str, str]:
    kind, slash, name = text.partition("/")
    if not (kind and slash and name):
        raise ArgumentTypeError(f"{text!r} is not KIND/NAME, such as DatabaseClaim/orders")
    return kind, name


COMMAND = Command("delete", "say that a vanished document's object is meant to go", _declare, _run)
