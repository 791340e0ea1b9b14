"""The objects in a cluster: by the fast path where reading a table is all, by the core's own store otherwise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..kube.access import Access, Unfamiliar, access
from ..kube.contexts import Choice, Context, ContextError, chosen
from ..kube.trace import unobserved
from .tables import Row, Table
from .verb import VerbError
from .wire import JSON, METADATA, TABLE, Declined, Door, Wire
from .words import GROUP, VERSION, Word

if TYPE_CHECKING:
    from argparse import Namespace

    from ..kube.config import ClusterAccess
    from ..kube.trace import Observer
    from ..objectstore import ObjectStore
    from .desk import Selection

_PAGE = "500"
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"


class ClusterHome:
    """A cluster (`Home`), as kubectl's flags and the kubeconfig name it. Raises `VerbError`."""

    def __init__(self, arguments: Namespace, observe: Observer = unobserved) -> None:
        self._arguments, self._observe = arguments, observe
        self._entered = False

    @cached_property
    def namespace(self) -> str:
        """The context's namespace, or in a pod its own."""
        return self._context.namespace if self._context else _own_namespace()

    @cached_property
    def store(self) -> ObjectStore:
        """The core's object store on this cluster."""
        # Only here: it costs as much as everything else together.
        from .opening import opened

        asked = self._arguments
        dry_run = getattr(asked, "dry_run", "") == "server"
        return opened(self._enter, self._headers, asked.request_timeout, self._observe, dry_run=dry_run)

    def table(
        self, word: Word, namespace: str | None, selection: Selection, *, wide: bool, metadata: bool = False
    ) -> Table:
        """See `Home.table`: the server makes it, so new columns need no new `kubectl claims`."""
        columns: list[str] = []
        rows: list[Row] = []
        version = ""
        # For 1,000 claims the metadata is 1.2 MB.
        query = {**selection, "includeObject": "Metadata" if metadata else "None"}
        for page in self._pages(word, namespace, query, TABLE):
            shown = [at for at, each in enumerate(page["columnDefinitions"]) if wide or not each.get("priority")]
            columns = [page["columnDefinitions"][at]["name"] for at in shown]
            rows += _rows(page, shown)
            version = page["metadata"].get("resourceVersion", "")
        return Table(tuple(columns), tuple(rows), version)

    def changes(
        self, word: Word, namespace: str | None, selection: Selection, *, since: str, wide: bool
    ) -> Iterator[Row]:
        """See `Home.changes`."""
        shown: list[int] = []
        query = {**selection, "watch": "true", "resourceVersion": since}
        for event in self._wire.lines(_path(word, namespace), query, TABLE):
            if event["type"] == "ERROR":
                raise VerbError(f"error: the watch ended: {event['object'].get('message')}")
            page = event["object"]
            if definitions := page.get("columnDefinitions"):
                shown = [at for at, each in enumerate(definitions) if wide or not each.get("priority")]
            yield from _rows(page, shown)

    def objects(self, word: Word, namespace: str | None, selection: Selection) -> list[dict[str, Any]]:
        """See `Home.objects`."""
        return [item for page in self._pages(word, namespace, selection, JSON) for item in page["items"]]

    def secret_names(self, namespace: str | None) -> list[dict[str, Any]] | None:
        """See `Home.secret_names`: the API server sends metadata alone, so no value is on the way."""
        place = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
        query = {"labelSelector": "app.kubernetes.io/managed-by=dbclaims"}
        try:
            found = self._wire.get(f"/api/v1{place}/secrets", query, METADATA)
        except Declined as error:
            if error.status == 403:
                return None
            raise
        return [{"kind": "Secret", "metadata": each["metadata"]} for each in found["items"]]

    def secrets(self) -> list[str]:
        """See `Home.secrets`."""
        sent = [value.rpartition(" ")[2] for value in self._door.headers().values()]
        user = self._context.user if self._context else {}
        return [*sent, *(str(user[key]) for key in ("token", "password", "client-key-data") if user.get(key))]

    def login_at(self, namespace: str, owner: str, secret: str) -> str:  # noqa: ARG002 -- a directory needs it
        """See `Home.login_at`."""
        return f"`kubectl claims credentials {owner} -n {namespace}` shows its keys"

    def approval(self, name: str, namespace: str, hash_: str) -> str:
        """See `Home.approval`."""
        return f"kubectl claims approve {name} -n {namespace} {hash_}"

    def close(self) -> None:
        """See `Home.close`."""
        for opened in ("store", "_wire"):
            if opened in self.__dict__:
                self.__dict__[opened].close()

    def _pages(self, word: Word, namespace: str | None, selection: Selection, accept: str) -> Iterator[dict[str, Any]]:
        token = ""
        while True:
            query = {**selection, "limit": _PAGE, "continue": token}
            page = self._wire.get(_path(word, namespace), query, accept)
            yield page
            token = page["metadata"].get("continue", "")
            if not token:
                return

    @cached_property
    def _context(self) -> Context | None:
        """The kubeconfig's context; None in a pod, where nothing else is named."""
        asked = self._arguments
        choice = Choice(asked.kubeconfig, asked.context, asked.cluster, asked.user)
        if not any(choice) and "KUBERNETES_SERVICE_HOST" in os.environ:
            return None
        try:
            return chosen(choice)
        except ContextError as error:
            raise VerbError(f"error: {error}") from error

    def _enter(self) -> Access | ClusterAccess:
        """The login as it stands; each further time a fresh one, since a program's token lasts for minutes."""
        if self._entered:
            del self._door
        self._entered = True
        return self._door

    @cached_property
    def _door(self) -> Access | ClusterAccess:
        try:
            return _foreign(self._arguments) if self._context is None else access(self._context)
        except Unfamiliar:
            return _foreign(self._arguments)
        except ContextError as error:
            raise VerbError(f"error: {error}") from error

    @cached_property
    def _wire(self) -> Wire:
        door: Door = self._door
        return Wire(door, self._arguments.request_timeout, self._headers, self._observe)

    @property
    def _headers(self) -> dict[str, str]:
        """`--as` and `--as-group`."""
        asked = self._arguments
        if not asked.as_user:
            if asked.as_group:
                raise VerbError("error: --as-group needs --as, for whoever is a member")
            return {}
        return {"Impersonate-User": asked.as_user, **({"Impersonate-Group": asked.as_group} if asked.as_group else {})}


def _foreign(arguments: Namespace) -> ClusterAccess:
    """Through the core: in a pod, or by the `kubernetes` package, which knows the rest of the ways to log in."""
    if arguments.cluster or arguments.user:
        raise VerbError("error: with this way to log in, --cluster and --user are not known; make a context of them")
    from ..kube.config import ConfigError, access_loader

    try:
        return access_loader(arguments.kubeconfig or None, arguments.context or None)()
    except ConfigError as error:
        raise VerbError(f"error: {error}") from error


def _rows(page: dict[str, Any], shown: list[int]) -> Iterator[Row]:
    for row in page.get("rows") or ():
        cells = row["cells"]
        said = tuple("" if cells[at] is None else str(cells[at]) for at in shown)
        yield Row(said, (row.get("object") or {}).get("metadata") or {})


def _path(word: Word, namespace: str | None) -> str:
    place = f"/namespaces/{quote(namespace, safe='')}" if namespace and word.namespaced else ""
    return f"/apis/{GROUP}/{VERSION}{place}/{word.plural}"


def _own_namespace() -> str:
    try:
        with open(_ACCOUNT, encoding="utf-8") as file:
            return file.read().strip() or "default"
    except OSError:
        return "default"
