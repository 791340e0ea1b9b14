"""Completion: `kubectl_complete-claims`, which kubectl asks for words, and `completion`, which says how that is set up.

kubectl (1.26 and newer; KEP-2379) runs the program with the words so far, the last one unfinished, and reads a line
for each choice, a tab before its description, and a last line with a directive: `:4` is "no file names".
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TextIO

from ..kube.trace import unobserved
from . import claims, words
from .desk import Desk, Find, Home
from .verb import DONE, Verb, VerbError

NO_FILES = ":4"
_SCRIPT = """#!/bin/sh
# Completions of `kubectl claims`. Save this as kubectl_complete-claims in your PATH, executable.
exec kubectl claims __complete "$@"
"""
_ABOUT = {"servers": words.SERVER, "classes": words.CLASS}
_NAMELESS = ("top", "check", "report", "init", "version", "completion")


def main() -> int:
    """`kubectl_complete-claims`: what kubectl calls."""
    from .cluster import ClusterHome

    return complete(sys.argv[1:], ClusterHome, sys.stdout)


def complete(given: Sequence[str], home: Find, out: TextIO) -> int:
    """Print the choices; trouble is no answer, for nobody reads it at a prompt."""
    for line in (*choices(given or [""], home), NO_FILES):
        print(line, file=out)
    return DONE


def choices(given: Sequence[str], home: Find) -> Iterator[str]:
    """The words that may stand where the last one is."""
    *before, last = given
    if last.startswith("-"):
        return
    if before and before[-1] in ("-n", "--namespace", "--context"):
        yield from _values(before[-1], last)
        return
    verb, rest = _verb(before)
    if verb is None:
        yield from (f"{name}\t{claims.verb(name).summary}" for name in claims.ROOMS if name.startswith(last))
    elif verb not in _NAMELESS and not _positionals(rest):
        yield from _names(verb, before, last, home)


def _verb(before: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    at = next((at for at, word in enumerate(before) if word in claims.ROOMS), None)
    return (None, before) if at is None else (before[at], before[at + 1 :])


def _positionals(rest: Sequence[str]) -> list[str]:
    pairs = zip(rest, ["", *rest], strict=False)
    return [word for word, previous in pairs if not word.startswith("-") and not previous.startswith("-")]


def _values(flag: str, last: str) -> Iterator[str]:
    from ..kube.contexts import Choice, ContextError, context_names

    if flag != "--context":
        return
    try:
        yield from (name for name in context_names(Choice()) if name.startswith(last))
    except ContextError:
        return


def _names(verb: str, before: Sequence[str], last: str, home: Find) -> Iterator[str]:
    """The objects of the kind that the verb is for, each with its reason."""
    word = _ABOUT.get(verb, words.CLAIM)
    flags = _flags(before)
    place: Home = home(flags, unobserved)
    try:
        namespace = (flags.namespace or place.namespace) if word.namespaced else None
        table = place.table(word, namespace, {}, wide=False)
        yield from (f"{row.cells[0]}\t{row.cells[2]}" for row in table.rows if row.cells[0].startswith(last))
    except VerbError:
        return
    finally:
        place.close()


def _flags(before: Sequence[str]) -> Namespace:
    """The cluster's flags among the words so far."""
    given = dict(pairwise(before))
    names = {"kubeconfig": "--kubeconfig", "context": "--context", "cluster": "--cluster", "user": "--user"}
    found = {name: given.get(flag, "") for name, flag in names.items()}
    namespace = given.get("-n") or given.get("--namespace") or ""
    return Namespace(**found, namespace=namespace, as_user="", as_group="", request_timeout=2.0)


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("--script", action="store_true", help="print a kubectl_complete-claims to save")


def _run(desk: Desk) -> int:
    if desk.arguments.script:
        desk.screen.say(_SCRIPT.rstrip("\n"))
        return DONE
    desk.screen.say("kubectl 1.26 and newer complete `kubectl claims` by the program kubectl_complete-claims, which is")
    desk.screen.say("installed beside kubectl-claims. Where only that one is at hand, save what --script prints.")
    return DONE


COMPLETION = Verb(
    "completion",
    "how a shell comes to know the verbs and your claims",
    ("completion", "completion --script", "completion --script > ~/bin/kubectl_complete-claims"),
    _declare,
    _run,
)
