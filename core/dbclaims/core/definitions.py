"""Whether the cluster's CustomResourceDefinitions are those of this version.

```
WrongDefinitions   they are missing, or those of another version; the process must not start
```
"""

from __future__ import annotations

from typing import Any

from .api import SCHEMA_ANNOTATION, crds
from .objectstore import Kind, ObjectStore

DEFINITION = Kind(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False
)
_WAY_OUT = "run `dbclaims crds | kubectl apply --server-side -f -` with this version of dbclaims, and start it again"


class WrongDefinitions(Exception):
    """The cluster's CustomResourceDefinitions are not those of this version."""


def check_definitions(store: ObjectStore) -> None:
    """Compare checksums, of which each definition carries its own. Raises `WrongDefinitions` and `StoreError`."""
    wanted = {crd["metadata"]["name"]: _checksum(crd) for crd in crds()}
    installed = {name: store.get(DEFINITION, None, name) for name in wanted}
    missing = [name for name, found in installed.items() if found is None]
    if missing:
        raise WrongDefinitions(f"the cluster has no definition of {', '.join(missing)}; {_WAY_OUT}")
    other = [name for name, found in installed.items() if found and _checksum(found) != wanted[name]]
    if other:
        raise WrongDefinitions(f"the cluster's definition of {', '.join(other)} is another version's; {_WAY_OUT}")


def _checksum(definition: dict[str, Any]) -> str | None:
    annotations: dict[str, str] = definition["metadata"].get("annotations") or {}
    return annotations.get(SCHEMA_ANNOTATION)
