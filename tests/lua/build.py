"""glua: built once from the pinned go.mod, in seconds, and cached. `python -m tests.lua.build` prints where it is."""

from pathlib import Path

from ..gobuild import GoTools


def glua() -> Path:
    """Return glua; builds it if it is not in the cache.

    Raises:
        MissingPart: there is no Go and none can be had, or the build failed.
    """
    tools = GoTools("glua", Path(__file__).parent, version="github.com/yuin/gopher-lua", facts={}, renamed={})
    return tools.binaries() / "glua"


if __name__ == "__main__":
    print(glua())
