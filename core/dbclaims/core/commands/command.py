"""What a command is, and the options that several share.

```
CommandError       a command cannot go on; the message is one sentence with the way out
├── Interrupted    a signal came before the end
├── NoSuchPath     a --plugin-path is no directory
├── Occupied       (new) the folder for a new plugin is there already
└── PortTaken      the health port cannot be listened on
```
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from attrs import frozen

from ..api import parse_duration
from ..installation import SYSTEM_NAMESPACE
from ..local import STATE_NAME
from ..plugins import Plugins, load

DONE, FAILED, USAGE = 0, 1, 2
"""Exit codes: all is well; something is not, and stderr says what; wrong usage."""


class CommandError(Exception):
    """A command cannot go on."""


class Interrupted(CommandError):
    """A signal came before the command had come to its end."""


class NoSuchPath(CommandError):
    """A --plugin-path is no directory."""


class PortTaken(CommandError):
    """The health port cannot be listened on."""


@frozen
class Command:
    """One command.

    Attributes:
        declare: adds its options to a parser.
        run: carries it out and returns the exit code.
        failed: the exit code where it cannot go on.
    """

    name: str
    summary: str
    declare: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    failed: int = FAILED


def declare_plugins(parser: ArgumentParser) -> None:
    """`--plugins` and `--plugin-path`, for every command that loads them."""
    parser.add_argument(
        "--plugins",
        metavar="DIST,…",
        type=names,
        default=(),
        help="distributions besides our own whose plugins may load",
    )
    parser.add_argument(
        "--plugin-path",
        metavar="DIR",
        type=Path,
        action="append",
        default=[],
        help="where further distributions lie, searched after our own packages; may be given more than once",
    )


def load_plugins(arguments: Namespace) -> Plugins:
    """What `declare_plugins` asked for. Raises `PluginError` and `NoSuchPath`."""
    for path in arguments.plugin_path:
        if not path.is_dir():
            raise NoSuchPath(f"--plugin-path {path} is no directory; mount the plugins there, or leave it out")
        # At the end, where it shadows nothing of ours; and not by site.addsitedir, whose .pth files would run code of
        # distributions that are not allowed to load.
        sys.path.append(str(path))
    return load(arguments.plugins)


def declare_cluster(parser: ArgumentParser) -> None:
    """Which cluster, and which part of it is served."""
    parser.add_argument("--kubeconfig", metavar="FILE", help="default: in-cluster, then $KUBECONFIG")
    parser.add_argument("--context", help="of the kubeconfig; default: its current one")
    parser.add_argument("--namespace", help=f"of Lease and identity; default: the pod's, else {SYSTEM_NAMESPACE}")
    parser.add_argument(
        "--namespaces", metavar="NAME,…", type=names, default=(), help="serve these namespaces alone; default: all"
    )


def declare_directory(parser: ArgumentParser) -> None:
    """DIR and `--state`."""
    parser.add_argument("directory", metavar="DIR", type=Path, help="the directory that holds the YAML")
    parser.add_argument(
        "--state", metavar="PATH", type=Path, help=f"where objects and Secrets are kept (default: DIR/{STATE_NAME})"
    )


def names(text: str) -> tuple[str, ...]:
    """A list with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def duration(text: str) -> timedelta:
    """A duration with its unit, above zero; raises `ArgumentTypeError`, which argparse makes a sentence."""
    try:
        parsed = parse_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no duration; write 10m or 90s") from error
    if parsed <= timedelta(0):
        raise ArgumentTypeError(f"{text!r}: must be longer than nothing")
    return parsed


def above_zero(text: str) -> int:
    """A whole number of at least one; raises `ArgumentTypeError`."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)
