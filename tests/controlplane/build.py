"""The control plane's binaries: found through KUBEBUILDER_ASSETS, or built once from the pinned go.mod and cached.

`python -m tests.controlplane.build` builds them with a progress line (about 4.5 minutes when nothing is cached) and
prints the folder that holds them.
"""

import os
from pathlib import Path

from ..gobuild import GoTools
from ..parts import MissingPart

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
_VERSION = "k8s.io/component-base/version"
_TOOLS = GoTools(
    name="controlplane",
    source=Path(__file__).parent,
    version="k8s.io/kubernetes",
    facts={f"{_VERSION}.gitVersion": "{0}", f"{_VERSION}.gitMajor": "{1}", f"{_VERSION}.gitMinor": "{2}"},
    # etcd's main package is called `server` in its module.
    renamed={"server": "etcd"},
)


def binaries() -> Path:
    """Return the folder with `PROGRAMS`; builds them if they are nowhere.

    Raises:
        MissingPart: KUBEBUILDER_ASSETS lacks a program, or the build failed.
    """
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        return _complete(Path(assets))
    return _TOOLS.binaries()


def _complete(assets: Path) -> Path:
    missing = [name for name in PROGRAMS if not (assets / name).exists()]
    if missing:
        raise MissingPart(f"KUBEBUILDER_ASSETS={assets} has no {', '.join(missing)}; add it, or unset the variable")
    return assets


def main() -> None:
    """Build what is missing and print the folder."""
    print(binaries())


if __name__ == "__main__":
    main()
