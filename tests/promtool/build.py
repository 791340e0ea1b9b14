"""promtool: the one that PROMTOOL names or that is on PATH, else built once from the pinned go.mod and cached.

`python -m tests.promtool.build` builds it (three minutes of one core) and prints where it is.
"""

import os
import shutil
from pathlib import Path

from ..gobuild import GoTools


def promtool() -> Path:
    """Return promtool; builds it if it is nowhere.

    Raises:
        MissingPart: there is no Go and none can be had, or the build failed.
    """
    if found := os.environ.get("PROMTOOL") or shutil.which("promtool"):
        return Path(found)
    tools = GoTools(
        name="promtool",
        source=Path(__file__).parent,
        version="github.com/prometheus/prometheus",
        facts={"github.com/prometheus/common/version.Version": "{0}"},
        renamed={},
        # The clouds' SDKs, by which a Prometheus finds its targets, are most of it.
        tags="remove_all_sd",
    )
    return tools.binaries() / "promtool"


if __name__ == "__main__":
    print(promtool())
