"""Harnesses of acme with a second kind of server: one that is like the first, and one that is said to lack sizes."""

from __future__ import annotations

import attrs

from dbclaims.core.spi import Feature
from tests.plugins.acme.acme_harness import HARNESS

ALIKE = attrs.evolve(HARNESS, further={"second": HARNESS})
LACKING = attrs.evolve(HARNESS, further={"second": attrs.evolve(HARNESS, lacks=frozenset({Feature.RESIZE}))})
