"""The pytest plugin: `pytest --pyargs dbclaims.conformance.suite --plugin NAME`.

It stands in the entry-point group `pytest11`, so it is imported by every pytest run on the machine: until a plugin is
named it does nothing, and it imports nothing of ours.
"""

from __future__ import annotations

from pathlib import Path

import pytest

SUITE = Path(__file__).parent / "suite"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the suite's options."""
    group = parser.getgroup("dbclaims", "conformance of a dbclaims plugin")
    group.addoption("--plugin", metavar="NAME", help="the plugin under proof")
    group.addoption("--conformance-report", metavar="FILE", help="where the report goes, as JSON")
    group.addoption("--known-failures", metavar="FILE", help="TOML: tests that fail, each with its reason")
    group.addoption("--observers", metavar="DIST,…", default="", help="distributions whose observers load, too")
    group.addoption("--servers", metavar="NAME,…", default="", help="only these of the harness's servers")


def pytest_configure(config: pytest.Config) -> None:
    """Load the named plugin. Raises `pytest.UsageError` with one sentence."""
    config.addinivalue_line("markers", "feature(feature): a test of an extended profile")
    if config.option.plugin:
        from .proof import start

        start(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse to run the suite on nothing."""
    if not config.option.plugin and any(SUITE in item.path.parents for item in items):
        raise pytest.UsageError("the conformance suite needs a plugin's name: --plugin NAME")
