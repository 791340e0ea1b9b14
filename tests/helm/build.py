"""The helms: built once from the pinned go.mod of each major version, and cached.

`python -m tests.helm.build` builds them (three and four minutes on one core) and prints where they are. A go.mod for
each: in one, the versions of their modules would have to agree.
"""

from pathlib import Path

from ..gobuild import GoTools

MAJORS = (3, 4)


def helm(major: int) -> Path:
    """Return the helm of a major version; builds it if it is not in the cache.

    Raises:
        MissingPart: there is no Go and none can be had, or the build failed.
    """
    module = f"helm.sh/helm/v{major}"
    tools = GoTools(
        name=f"helm{major}",
        source=Path(__file__).parent / f"v{major}",
        version=module,
        facts={f"{module}/internal/version.version": "{0}"},
        renamed={},
    )
    return tools.binaries() / "helm"


def main() -> None:
    """Build what is missing and print the paths."""
    for major in MAJORS:
        print(helm(major))


if __name__ == "__main__":
    main()
