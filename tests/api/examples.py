"""The examples of the design, copied so that the tests need nothing beside the repository."""

from pathlib import Path
from typing import Any

import yaml

EXAMPLES = Path(__file__).parents[1] / "examples"
ORIGINALS = Path(__file__).parents[3] / "shared" / "design" / "examples"


def documents() -> list[dict[str, Any]]:
    """Every document of every example."""
    texts = (path.read_text() for path in sorted(EXAMPLES.glob("*.yaml")))
    return [document for text in texts for document in yaml.safe_load_all(text) if document]
