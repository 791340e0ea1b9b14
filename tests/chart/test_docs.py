"""The values that docs/install.md shows are taken, and every page's commands name options that helm has."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.docs.blocks import Block, blocks
from tests.docs.chart import CHART
from tests.helm.release import Helm

SHOWN = [
    block
    for block in blocks("yaml")
    if block.place.startswith("install.md:") and not any("kind" in each for each in yaml.safe_load_all(block.text))
]


@pytest.mark.parametrize("block", SHOWN, ids=[block.place for block in SHOWN])
def test_the_values_that_are_shown_are_taken(helm: Helm, block: Block) -> None:
    assert helm.template(CHART, values=yaml.safe_load(block.text))


def test_every_option_that_is_shown_is_one_of_helm_s(helm: Helm) -> None:
    text = " ".join(block.text for block in blocks("sh"))
    for command, options in re.findall(r"^helm (\w+)\b([^\n]*)", text, re.MULTILINE):
        known = helm.run(command, "--help")
        assert [option for option in re.findall(r"--[a-z-]+", options) if option not in known] == []
    (shown,) = re.findall(r"--set (\S+)", text)
    assert helm.template(CHART, options=("--set", shown))
