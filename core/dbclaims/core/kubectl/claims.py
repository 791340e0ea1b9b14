"""`kubectl claims`: the door.

Exit codes: 0 done, 1 error or wrong usage, 2 it ran and the answer is no, 3 --timeout has passed, 130 ctrl-C.
"""

from __future__ import annotations

import gc
import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn, TextIO

from .desk import Desk
from .flags import declare_cluster
from .screen import Screen
from .verb import DONE, FAILED, INTERRUPTED, Verb, VerbError

if TYPE_CHECKING:
    from ..clock import Clock
    from .desk import Find

PROGRAM = "kubectl claims"
DEFAULT = "list"

GROUPS = {
    "Look": ("list", "explain", "tree", "events", "top", "classes", "servers", "grants"),
    "Connect": ("psql", "connect", "credentials", "who-uses"),
    "Change": ("plan", "rotate", "pause", "resume", "approve", "wait"),
    "Operate": ("check", "report", "init", "version", "completion"),
}
"""The verbs by what people want; the order of the help."""

ROOMS = {
    "list": "listing:LIST",
    "explain": "explain:EXPLAIN",
    "tree": "tree:TREE",
    "events": "timeline:EVENTS",
    "top": "usage:TOP",
    "classes": "listing:CLASSES",
    "servers": "listing:SERVERS",
    "grants": "grants:GRANTS",
    "psql": "connect:PSQL",
    "connect": "connect:CONNECT",
    "credentials": "credentials:CREDENTIALS",
    "who-uses": "usage:WHO_USES",
    "plan": "planning:PLAN",
    "rotate": "rotate:ROTATE_VERB",
    "pause": "annotations:PAUSE",
    "resume": "annotations:RESUME",
    "approve": "annotations:APPROVE_VERB",
    "wait": "waiting:WAIT",
    "check": "check:CHECK",
    "report": "report:REPORT",
    "init": "starting:INIT",
    "version": "version:VERSION",
    "completion": "completion:COMPLETION",
}
"""Each verb, its module, and its name there. Only the one that is asked for is loaded."""

_CLUSTER = ("-n", "--namespace", "--kubeconfig", "--context", "--cluster", "--user", "--as", "--as-group")
_WITH_VALUE = (
    *_CLUSTER,
    "--request-timeout",
    "--color",
    "-v",
    "--v",
    "-o",
    "--output",
    "-l",
    "--selector",
    "--field-selector",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb on a cluster and return its exit code."""
    # A process that lives for a tenth of a second has nothing to collect.
    gc.disable()
    from .cluster import ClusterHome

    return run(sys.argv[1:] if arguments is None else arguments, ClusterHome, system_clock, sys.stdout, sys.stderr)


def system_clock() -> Clock:
    """The machine's clock, loaded late: `list` leaves the dating to the server."""
    from ..clock import SystemClock

    return SystemClock()


def run(arguments: Sequence[str], home: Find, clock: Callable[[], Clock], out: TextIO, err: TextIO) -> int:
    """Run one verb with everything that it touches handed in; return its exit code."""
    try:
        if arguments[:1] == ["__complete"]:
            return _complete(arguments[1:], home, out)
        own, behind = cut(arguments)
        name, rest = split(own)
        parsed = parse(name, rest)
        if behind and name not in ("psql", "connect"):
            raise _Ended(FAILED, f"error: {name} takes nothing behind --\n")
        parsed.behind = behind
        return finished(parsed, Screen(out, err, colour=parsed.color), clock, home)
    except _Ended as ended:
        print(ended.message, end="", file=out if ended.code == DONE else err)
        return ended.code


def finished(parsed: Namespace, screen: Screen, clock: Callable[[], Clock], home: Find) -> int:
    """Carry a verb out, and say in one sentence what goes wrong."""
    desk = Desk(parsed, screen, clock, home)
    try:
        code: int = parsed.run(desk)
        screen.flush()
    except VerbError as error:
        screen.note(str(error))
        return parsed.failed if error.code == FAILED else error.code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough (`… | head`); what is still buffered must not complain at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if sentence := _sentence(error):
            screen.note(f"error: {sentence}")
            failed: int = parsed.failed
            return failed
        raise
    finally:
        desk.close()
    return code


def _complete(words: Sequence[str], home: Find, out: TextIO) -> int:
    from .completion import complete

    return complete(words, home, out)


def cut(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is ours, and what stands behind `--`."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return list(arguments[:at]), list(arguments[at + 1 :])


def split(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The verb, and the arguments without it: flags may stand before it, and without one it is `list`.

    The verb is empty where only `--help` is asked for.
    """
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        if arguments[at] in ("-h", "--help"):
            return "", list(arguments)
        at += 2 if arguments[at] in _WITH_VALUE else 1
    if at >= len(arguments):
        return DEFAULT, list(arguments)
    if arguments[at] == "help":
        return "", ["--help"]
    if arguments[at] not in ROOMS:
        raise _Ended(FAILED, _unknown(arguments[at]))
    return arguments[at], [*arguments[:at], *arguments[at + 1 :]]


def verb(name: str) -> Verb:
    """A verb by its name."""
    module, _, attribute = ROOMS[name].partition(":")
    found: Verb = getattr(import_module(f"dbclaims.core.kubectl.{module}"), attribute)
    return found


def parse(name: str, arguments: Sequence[str]) -> Namespace:
    """Read one verb's arguments; flags may stand between them, as kubectl has it."""
    return _parser(name).parse_intermixed_args(arguments)


class _Ended(Exception):
    """argparse has come to its end: with help, or with a sentence about wrong usage."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class _Parser(ArgumentParser):
    """A parser that leaves as kubectl does: 1 on wrong usage, and the usage after the sentence."""

    failed = FAILED

    def error(self, message: str) -> NoReturn:
        raise _Ended(self.failed, f"error: {message}\nSee '{self.prog} --help' for help and examples\n")

    def print_help(self, file: object = None) -> None:  # noqa: ARG002 -- as the base has it
        raise _Ended(DONE, self.format_help())


def _parser(name: str) -> ArgumentParser:
    """The parser of one verb, or without a name one that knows nothing but the help."""
    made = _Parser(prog=f"{PROGRAM} {name}".rstrip(), formatter_class=RawDescriptionHelpFormatter, allow_abbrev=False)
    if not name:
        made.usage = f"{PROGRAM} [VERB] [NAME] [flags]"
        made.description = overview()
        return made
    each = verb(name)
    made.description = f"{each.summary[:1].upper()}{each.summary[1:]}."
    made.epilog = "examples:\n" + "\n".join(f"  {PROGRAM} {example}" for example in each.examples)
    declare_cluster(made)
    each.declare(made)
    made.failed = each.failed
    made.set_defaults(run=each.run, verb=each.name, failed=each.failed)
    return made


def overview() -> str:
    """Every verb with its summary, by group."""
    lines = []
    for group, names in GROUPS.items():
        lines.append(f"{group}:")
        lines += [f"  {name:<12} {verb(name).summary}" for name in names if name in ROOMS]
    return "\n".join(lines)


def _unknown(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, ROOMS, 1)
    hint = f', did you mean "{near[0]}"?' if near else ""
    return f"error: unknown verb \"{name}\"{hint}\nRun '{PROGRAM} --help' for the verbs\n"


def _sentence(error: Exception) -> str:
    """What an error of the core says; empty for one that is a bug of ours."""
    from ..installation import InstallationError
    from ..kube.config import ConfigError
    from ..objectstore import StoreError
    from ..plugins import PluginError

    return str(error) if isinstance(error, StoreError | ConfigError | InstallationError | PluginError) else ""


if __name__ == "__main__":
    sys.exit(main())
