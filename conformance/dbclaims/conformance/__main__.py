"""`python -m dbclaims.conformance NAME`: prove a plugin.

Exit codes: 0 conformant (or, with -k, nothing failed), 1 not conformant, 2 wrong usage.
"""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

FAILED, USAGE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite in a process of its own and return the exit code."""
    parser = ArgumentParser(prog="python -m dbclaims.conformance", description="Prove a plugin.", allow_abbrev=False)
    parser.add_argument("plugin", metavar="NAME", help="the plugin's name")
    parser.add_argument("--report", metavar="FILE", help="where the report goes, as JSON")
    parser.add_argument("--known-failures", metavar="FILE", help="TOML: tests that fail, each with its reason")
    parser.add_argument("--observers", metavar="DIST,…", default="", help="distributions whose observers load, too")
    parser.add_argument("--servers", metavar="NAME,…", default="", help="only these of the harness's servers")
    parser.add_argument("-k", metavar="EXPRESSION", default="", help="run only the tests that pytest selects by this")
    parser.add_argument("-x", action="store_true", help="stop at the first failure")
    options = parser.parse_args(arguments)
    if find_spec("pytest") is None:
        return _refused("pytest is not installed; run: pip install 'dbclaims[conformance]'")
    # A process of its own, since pytest can rewrite no assert of a module that is imported already.
    ran = subprocess.run([sys.executable, "-m", "pytest", *_arguments(vars(options))], check=False)
    return ran.returncode if ran.returncode in (0, FAILED) else USAGE


def _refused(sentence: str) -> int:
    print(f"dbclaims.conformance: {sentence}", file=sys.stderr)
    return USAGE


def _arguments(options: dict[str, str | bool | None]) -> list[str]:
    """The pytest run that is meant."""
    named = {"--plugin": "plugin", "--conformance-report": "report", "--known-failures": "known_failures"}
    named |= {"--observers": "observers", "--servers": "servers", "-k": "k"}
    chosen = [part for flag, key in named.items() if options[key] for part in (flag, str(options[key]))]
    settings = ["-c", str(Path(__file__).with_name("pytest.ini")), "--rootdir", str(Path.cwd())]
    return [*settings, "--pyargs", "dbclaims.conformance.suite", *chosen, *(["-x"] if options["x"] else [])]


if __name__ == "__main__":
    sys.exit(main())
