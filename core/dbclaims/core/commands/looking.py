"""`dbclaims list`, `explain`, `events` and `tree`: the verbs of `kubectl claims` that only look, on a directory."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from functools import partial

from ..clock import SystemClock
from ..kubectl import explain, listing, timeline, tree
from ..kubectl.claims import finished
from ..kubectl.directory import LocalHome
from ..kubectl.flags import declare_colour
from ..kubectl.screen import Screen
from ..kubectl.verb import NO, Verb
from .command import FAILED, Command, declare_directory


def _declare(parser: ArgumentParser, verb: Verb) -> None:
    verb.declare(parser)
    parser.add_argument("-n", "--namespace", default="", help="default: every namespace")
    declare_colour(parser)
    declare_directory(parser)


def _run(arguments: Namespace, verb: Verb) -> int:
    arguments.run, arguments.verb = verb.run, verb.name
    screen = Screen(sys.stdout, sys.stderr, colour=arguments.color)
    code = finished(arguments, screen, SystemClock, LocalHome)
    # Of `dbclaims`, 2 is wrong usage.
    return FAILED if code == NO else code


def _command(verb: Verb) -> Command:
    return Command(verb.name, f"{verb.summary}, in a directory", partial(_declare, verb=verb), partial(_run, verb=verb))


COMMANDS = {verb.name: _command(verb) for verb in (listing.LIST, explain.EXPLAIN, timeline.EVENTS, tree.TREE)}
