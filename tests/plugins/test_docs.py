"""docs/plugins.md says what the boundary is: every hook with its signature, every error, and the tested provider."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from dbclaims.core import spi
from dbclaims.core.spi import hookspecs
from dbclaims.core.spi.hookspecs import OPTIONAL

GUIDE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()
HOOKS = dict(inspect.getmembers(hookspecs, inspect.isfunction))
ERRORS = [
    name for name in spi.__all__ if isinstance(value := getattr(spi, name), type) and issubclass(value, Exception)
]


def section(hook: str) -> str:
    """The text under a hook's heading."""
    return GUIDE.split(f"### `{hook}(", 1)[1].split("\n\n", 1)[1].split("\n#", 1)[0]


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_every_hook_is_documented_with_its_exact_signature(hook: str) -> None:
    signature = str(inspect.signature(HOOKS[hook])).replace("'", "")
    assert f"\n### `{hook}{signature}`\n" in GUIDE


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_a_hook_is_called_optional_exactly_where_it_is(hook: str) -> None:
    optional = hook in OPTIONAL or hook == "claim_reconciled"
    assert section(hook).startswith("Optional. ") == optional


def test_the_guide_names_no_hook_that_there_is_not() -> None:
    documented = {line.split("`")[1].split("(")[0] for line in GUIDE.splitlines() if line.startswith("### `")}
    assert documented == HOOKS.keys()


@pytest.mark.parametrize("error", [name for name in ERRORS if name != "SPIError"])
def test_every_error_has_a_row(error: str) -> None:
    assert f"\n| `{error}` | " in GUIDE


def test_the_provider_in_the_guide_is_the_tested_file() -> None:
    block = GUIDE.split("```python\n", 1)[1].split("```", 1)[0]
    assert block == (Path(__file__).parent / "acme" / "acme_provider.py").read_text()


def test_the_packaging_in_the_guide_is_that_of_the_tested_distribution() -> None:
    block = GUIDE.split("```toml\n", 1)[1].split("```", 1)[0]
    tested = (Path(__file__).parent / "acme" / "pyproject.toml").read_text().splitlines()
    assert [line for line in block.splitlines() if line not in tested] == []
