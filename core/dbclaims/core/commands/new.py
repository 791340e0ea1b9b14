"""`dbclaims new provider|engine NAME`: a plugin that is to be written, with the harness that proves it."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from string import Template

from .command import DONE, Command, CommandError

_TEMPLATES = Path(__file__).parents[1] / "templates"
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


class Occupied(CommandError):
    """The folder for the new plugin is there already."""


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("kind", choices=("provider", "engine"), help="what the plugin is")
    parser.add_argument("name", metavar="NAME", type=_name, help="the plugin's name, as people write it into a spec")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ArgumentTypeError(f"{text!r}: use up to 40 lower-case letters, digits and hyphens")
    return text


def _run(options: Namespace) -> int:
    folder = Path(f"{options.name}-dbclaims")
    if folder.exists():
        raise Occupied(f"{folder} is there already; choose another name, or another directory")
    folder.mkdir()
    module = options.name.replace("-", "_")
    files = {
        "pyproject.toml": "pyproject.toml",
        "plugin.py": f"{module}_{options.kind}.py",
        "harness.py": f"{module}_harness.py",
    }
    for template, file in files.items():
        text = (_TEMPLATES / options.kind / f"{template}.txt").read_text()
        (folder / file).write_text(Template(text).substitute(name=options.name, module=module))
    print(f"Made {folder}. Next:\n  pip install -e './{folder}[conformance]'")
    print(f"  python -m dbclaims.conformance {options.name} -x")
    return DONE


COMMAND = Command("new", "write an empty plugin, to be filled until the conformance suite is content", _declare, _run)
