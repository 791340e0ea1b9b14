"""`version`: ours, the cluster's definitions, and whether they fit together."""

from __future__ import annotations

from argparse import ArgumentParser
from importlib.metadata import version

from .desk import Desk
from .flags import declare_output
from .output import show_document
from .verb import DONE, Verb

SHAPE = "ClaimVersion/v1"


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("--client", action="store_true", help="ask no cluster")
    declare_output(parser, "json", "yaml")


def _run(desk: Desk) -> int:
    said = {"client": version("dbclaims"), "definitions": "not asked" if desk.arguments.client else _definitions(desk)}
    if desk.arguments.output:
        show_document(desk.screen, desk.arguments.output, {"kind": SHAPE, **said})
    else:
        desk.screen.say(f"Client version: {said['client']}")
        if not desk.arguments.client:
            desk.screen.say(f"Definitions in the cluster: {said['definitions']}")
    return DONE


def _definitions(desk: Desk) -> str:
    """Whether the cluster's CRDs are those of this version. Raises `StoreError` where there is no cluster."""
    from ..definitions import WrongDefinitions, check_definitions
    from ..objectstore import Forbidden

    try:
        check_definitions(desk.store)
    except WrongDefinitions as error:
        return str(error)
    except Forbidden:
        return "not for your eyes"
    return "those of this version"


VERSION = Verb(
    "version",
    "the versions of this command and of the cluster's definitions",
    ("version", "version --client", "version -o json"),
    _declare,
    _run,
)
