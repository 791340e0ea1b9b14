"""`dbclaims`: the command line.

Exit codes: 0 done, 1 something is not as wished and stderr says what, 2 wrong usage.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.metadata import version

from .commands.command import FAILED, Command, CommandError
from .definitions import WrongDefinitions
from .installation import InstallationError
from .kube.config import ConfigError
from .manager import ManagerError
from .objectstore import StoreError
from .plugins import PluginError

_LOOKS = dict.fromkeys(("list", "explain", "events", "tree"), "looking")
ROOMS = {
    "up": "up",
    "plan": "plan",
    "delete": "delete",
    **_LOOKS,
    "run": "run",
    "check": "check",
    "crds": "crds",
    "plugins": "listing",
    "new": "new",
}
"""Each command and its module. Only the one that is asked for is loaded: a controller needs no terminal (3 MiB)."""

_SENTENCES = (CommandError, ConfigError, InstallationError, ManagerError, PluginError, StoreError, WrongDefinitions)
"""What a command may raise: each is one sentence for the person at the terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; argparse itself exits with 2 on wrong usage."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parsed = parser([name for name in arguments[:1] if name in ROOMS] or ROOMS).parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
        sys.stdout.flush()
    except _SENTENCES as error:
        print(f"dbclaims: {error}", file=sys.stderr)
        failed: int = parsed.failed
        return failed
    except BrokenPipeError:
        # The reader has seen enough (`dbclaims crds | head`); what is still buffered must not complain at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return code


def command(name: str) -> Command:
    """A command by its name."""
    room = import_module(f"dbclaims.core.commands.{ROOMS[name]}")
    found: Command = room.COMMANDS[name] if ROOMS[name] == "looking" else room.COMMAND
    return found


def parser(names: Iterable[str] = ROOMS) -> ArgumentParser:
    """The parser of these commands; all of them, unless told."""
    top = ArgumentParser(
        prog="dbclaims",
        description="A claim becomes a database and a Secret whose login works.",
        epilog="exit codes: 0 done, 1 something is not as wished and stderr says what, 2 wrong usage",
    )
    top.add_argument("--version", action="version", version=f"dbclaims {version('dbclaims')}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for each in map(command, names):
        one = commands.add_parser(each.name, help=each.summary, description=each.summary, allow_abbrev=False)
        each.declare(one)
        one.set_defaults(run=each.run, failed=each.failed)
    return top


if __name__ == "__main__":
    sys.exit(main())
