"""`dbclaims crds`: the CustomResourceDefinitions of this version."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..api import crds_yaml
from .command import DONE, Command


def _declare(_: ArgumentParser) -> None:
    """It has no options."""


def _run(_: Namespace) -> int:
    print(crds_yaml(), end="")
    return DONE


COMMAND = Command("crds", "print the CRDs: dbclaims crds | kubectl apply --server-side -f -", _declare, _run)
