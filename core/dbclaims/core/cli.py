"""`dbclaims`: the command line.

Exit codes: 0 done, 1 something is not as wished and stderr says what, 2 wrong usage.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib.metadata import version

from .commands import crds, delete, listing, run, up
from .commands.command import FAILED, CommandError
from .definitions import WrongDefinitions
from .installation import InstallationError
from .kube.config import ConfigError
from .manager import ManagerError
from .objectstore import StoreError
from .plugins import PluginError

COMMANDS = (up.COMMAND, delete.COMMAND, run.COMMAND, crds.COMMAND, listing.COMMAND)

_SENTENCES = (CommandError, ConfigError, InstallationError, ManagerError, PluginError, StoreError, WrongDefinitions)
"""What a command may raise: each is one sentence for the person at the terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; argparse itself exits with 2 on wrong usage."""
    parsed = parser().parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
        sys.stdout.flush()
    except _SENTENCES as error:
        print(f"dbclaims: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # The reader has seen enough (`dbclaims crds | head`); what is still buffered must not complain at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return code


def parser() -> ArgumentParser:
    """The parser of all commands."""
    top = ArgumentParser(
        prog="dbclaims",
        description="A claim becomes a database and a Secret whose login works.",
        epilog="exit codes: 0 done, 1 something is not as wished and stderr says what, 2 wrong usage",
    )
    top.add_argument("--version", action="version", version=f"dbclaims {version('dbclaims')}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        one = commands.add_parser(command.name, help=command.summary, description=command.summary, allow_abbrev=False)
        command.declare(one)
        one.set_defaults(run=command.run)
    return top


if __name__ == "__main__":
    sys.exit(main())
