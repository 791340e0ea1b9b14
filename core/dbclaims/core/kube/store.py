"""`KubernetesStore`: the object store on an API server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote

import orjson

from ..kinds import NAMESPACE
from ..objectstore import Expired, Forbidden, Invalid, Kind, NotFound, Object, Page, WatchEvent
from .errors import answer_error, wire_errors
from .transport import JSON, MERGE_PATCH, Transport


class KubernetesStore:
    """The port `dbclaims.core.objectstore.ObjectStore` on a `Transport`; threads may share it.

    Args:
        dry_run: the API server checks every write as any other, and stores none.
    """

    def __init__(self, transport: Transport, *, dry_run: bool = False) -> None:
        self._transport = transport
        self._writing = {"dryRun": "All"} if dry_run else {}

    def list(
        self,
        kind: Kind,
        *,
        namespace: str | None = None,
        resource_version: str = "",
        limit: int = 500,
        continue_: str = "",
    ) -> Page:
        """See `ObjectStore.list`."""
        query = {"limit": str(limit), **_only(kind, namespace)}
        # A continue token names its own resourceVersion; the API server refuses both together.
        if continue_:
            query["continue"] = continue_
        elif resource_version:
            query["resourceVersion"] = resource_version
        try:
            return self._page(kind, self._object("GET", path_of(kind, namespace), query=query))
        except Forbidden:
            if (nothing := self._nothing_in(kind, namespace)) is None:
                raise
            return nothing

    def _nothing_in(self, kind: Kind, namespace: str | None) -> Page | None:
        """The empty list of a namespace that is not there, whose Roles went with it; None unless that is certain."""
        if not (kind.namespaced and namespace):
            return None
        with suppress(Forbidden):
            found = self.list(NAMESPACE, namespace=namespace)
            return None if found.items else found
        return None

    @staticmethod
    def _page(kind: Kind, parsed: Object) -> Page:
        metadata = parsed.get("metadata") or {}
        # Items of a list carry neither, but the rest of the core deals in whole objects.
        head = {"apiVersion": kind.api_version, "kind": kind.kind}
        items = [orjson.dumps({**head, **item}) for item in parsed.get("items") or ()]
        return Page(items, metadata.get("resourceVersion", ""), metadata.get("continue", ""))

    @contextmanager
    def watch(
        self, kind: Kind, *, namespace: str | None = None, resource_version: str, timeout_seconds: float
    ) -> Iterator[Iterator[WatchEvent]]:
        """See `ObjectStore.watch`."""
        path = path_of(kind, namespace)
        query = {
            **_only(kind, namespace),
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(int(timeout_seconds)),
        }
        try:
            with self._transport.stream(path, query) as lines:
                yield (_event(f"WATCH {path}", line) for line in lines)
        except Forbidden as error:
            if self._nothing_in(kind, namespace) is None:
                raise
            raise Expired(f"WATCH {path}: namespace {namespace} is not there; it is looked for again") from error

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """See `ObjectStore.get`."""
        with _absence(name):
            return self._object("GET", path_of(kind, namespace, name))
        return None

    def create(self, kind: Kind, obj: Object) -> Object:
        """See `ObjectStore.create`."""
        return self._object("POST", path_of(kind, obj["metadata"].get("namespace")), obj)

    def replace(self, kind: Kind, obj: Object) -> Object:
        """See `ObjectStore.replace`."""
        metadata = obj["metadata"]
        return self._object("PUT", path_of(kind, metadata.get("namespace"), metadata["name"]), obj)

    def patch(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        patch: Mapping[str, Any],
        *,
        resource_version: str | None = None,
        subresource: str = "",
    ) -> Object:
        """See `ObjectStore.patch`."""
        body = dict(patch)
        if resource_version is not None:
            body["metadata"] = {**body.get("metadata", {}), "resourceVersion": resource_version}
        path = path_of(kind, namespace, name, subresource)
        return self._object("PATCH", path, body, content_type=MERGE_PATCH)

    def delete(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
    ) -> Object | None:
        """See `ObjectStore.delete`."""
        wanted = {"uid": uid, "resourceVersion": resource_version}
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {key: value for key, value in wanted.items() if value},
        }
        with _absence(name):
            left = self._object("DELETE", path_of(kind, namespace, name), options)
            # The answer is a Status or the last state of an object that is gone, unless a finalizer holds it.
            return left if left.get("metadata", {}).get("finalizers") else None
        return None

    def close(self) -> None:
        """See `ObjectStore.close`."""
        self._transport.close()

    def _object(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = JSON,
    ) -> Object:
        data = None if body is None else orjson.dumps(body)
        asked = query if method == "GET" else self._writing
        with wire_errors(f"{method} {path}"):
            answer = self._transport.request(method, path, query=asked, body=data, content_type=content_type)
            parsed: Object = orjson.loads(answer)
            return parsed


def path_of(kind: Kind, namespace: str | None = None, name: str | None = None, subresource: str = "") -> str:
    """The path of a collection or object; every part is quoted, so that no name can leave its place.

    Raises `Invalid` for the two names that quoting does not tame.
    """
    parts = ["apis", kind.group, kind.version] if kind.group else ["api", kind.version]
    if namespace and kind.namespaced:
        parts += ["namespaces", namespace]
    parts += [part for part in (kind.plural, name, subresource) if part]
    if "." in parts or ".." in parts:
        raise Invalid(f"{kind.kind} {namespace}/{name}: no object can have that name")
    return "/" + "/".join(quote(part, safe="") for part in parts)


def _only(kind: Kind, namespace: str | None) -> dict[str, str]:
    """A namespace lies in none. Wished for alone it is asked for by name, which RBAC can allow by `resourceNames`."""
    return {"fieldSelector": f"metadata.name={namespace}"} if namespace and not kind.namespaced else {}


@contextmanager
def _absence(name: str) -> Iterator[None]:
    """Swallow the one 404 that proves the object's absence; one of a kind that is not served proves nothing."""
    try:
        yield
    except NotFound as error:
        if error.name != name:
            raise


def _event(what: str, line: bytes) -> WatchEvent:
    with wire_errors(what):
        parsed = orjson.loads(line)
        type_, obj = parsed["type"], orjson.dumps(parsed["object"])
    if type_ == "ERROR":
        raise answer_error(what, int(parsed["object"].get("code") or 500), obj)
    return WatchEvent(type_, obj)
