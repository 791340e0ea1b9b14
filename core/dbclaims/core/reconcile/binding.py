"""What a claim is bound to: its class, its server, its names. Binding happens once (PROTOCOL.md §3)."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from .. import naming
from ..admission import check_claim
from ..api import BoundServer, ConditionStatus, DatabaseClaim, DatabaseClass, DatabaseServer, SpecError, StatusEndpoint
from ..backends import Backend, Backends
from ..conditions import find
from ..objectstore import join_key
from ..plugins import Engine
from ..rotation import Rules
from ..spi import Endpoint, Mark, NotReady, SPIError, Terminal
from .lookup import RETRY, Lookup, Namespace
from .template import check_own, server_key

UNSERVED = frozenset({"NoClass", "ServerChanged", "Paused"})
"""Reasons of a DatabaseServer that its claims must not pass by."""


@attrs.frozen
class Binding:
    """Everything that a pass over one claim needs to know of its surroundings.

    Attributes:
        namespace: the claim's; its uid stands in the mark.
        mark: whose the database is to be.
        database: its name.
        owner: the role that owns its schemas.
        accounts: the two accounts of the claim's login.
        identity: the server's own id, as its DatabaseServer holds it.
        excess: what the class does not allow (any more) although the claim is live; None when all is well.
    """

    claim: DatabaseClaim
    class_: DatabaseClass
    server: DatabaseServer
    backend: Backend
    namespace: Namespace
    mark: Mark
    database: str
    owner: str
    accounts: tuple[str, str]
    identity: str
    excess: SPIError | None = None

    @property
    def engine(self) -> Engine:
        """The plugin that speaks to the server."""
        return self.backend.engine

    @property
    def published_endpoint(self) -> Endpoint:
        """Where applications connect."""
        server = self.backend.server
        endpoint = (server.client_endpoint or server.endpoint) if server else None
        if endpoint is None:
            raise NotReady(f"DatabaseServer {self.server.metadata.key} has no endpoint", reason="ServerNotReady")
        return endpoint

    @property
    def client_endpoint(self) -> StatusEndpoint:
        """The same, for `status.endpoint`."""
        return StatusEndpoint(host=self.published_endpoint.host, port=self.published_endpoint.port)

    @property
    def reference(self) -> BoundServer:
        """What `status.serverRef` is to say."""
        meta = self.server.metadata
        return BoundServer(name=meta.name, namespace=meta.namespace, uid=meta.uid)


def bind(claim: DatabaseClaim, lookup: Lookup, backends: Backends, *, live: bool) -> Binding:
    """Resolve a claim's class and server and check what it asks for.

    Raises `SPIError` for what is missing or refused. Of a live claim, what the class does not allow is kept in
    `excess` instead: it keeps the login that it has.
    """
    class_ = find_class(claim, lookup)
    namespace = lookup.namespace(claim.metadata.namespace)
    server = find_server(claim, class_, lookup)
    engine = backends.engine(server.spec.engine)
    excess = _excess(claim, class_, namespace.labels, engine, live=live)
    mark = mark_of(claim, namespace, backends.installation.id)
    if server.metadata.key == server_key(claim, class_):
        check_own(server, mark)
    check_server(server)
    database = claim.status.database_name or claim.spec.database_name
    database = database or naming.database_name(claim.metadata.namespace, claim.metadata.name, engine.info)
    naming.check(database, engine.info)
    return Binding(
        claim=claim,
        class_=class_,
        server=server,
        backend=backends.get(server),
        namespace=namespace,
        mark=mark,
        database=database,
        owner=naming.owner_role(database, engine.info),
        accounts=naming.accounts(database, engine.info),
        identity=server.status.identity or "",
        excess=excess,
    )


def find_class(claim: DatabaseClaim, lookup: Lookup) -> DatabaseClass:
    """The claim's class; raises `Terminal`: `ClassNotFound`, looked up again soon, or what is wrong with it."""
    try:
        class_ = lookup.class_(claim.spec.class_name)
    except SpecError as error:
        raise Terminal(f"DatabaseClass {claim.spec.class_name!r}: {error}", reason=error.reason) from error
    if class_ is None:
        raise Terminal(
            f"DatabaseClass {claim.spec.class_name!r} does not exist; create it, or make a claim that names another",
            reason="ClassNotFound",
            retry_after=RETRY,
        )
    return class_


def find_server(claim: DatabaseClaim, class_: DatabaseClass | None, lookup: Lookup) -> DatabaseServer:
    """The server that the claim is bound to, or is to be bound to; raises `Terminal` (`ServerNotFound`)."""
    reference = claim.status.server_ref or (class_.spec.server_ref if class_ else None)
    key = join_key(reference.namespace, reference.name) if reference else server_key(claim, class_) if class_ else None
    if key is None:
        raise Terminal(
            f"DatabaseClass {claim.spec.class_name!r} names no server; name another class, or ask the platform team",
            reason="ServerNotFound",
            retry_after=RETRY,
        )
    server = lookup.server(key)
    if server is None:
        raise Terminal(
            f"DatabaseServer {key} does not exist; the platform team must create it",
            reason="ServerNotFound",
            retry_after=RETRY,
        )
    return server


def check_server(server: DatabaseServer) -> None:
    """Raise while the server must not be used: not looked at yet, unserved, or not the one that it was."""
    key = server.metadata.key
    synced = find(server.status.conditions, "Synced")
    if synced is not None and synced.reason in UNSERVED and synced.status is not ConditionStatus.TRUE:
        raise Terminal(f"DatabaseServer {key}: {synced.message}", reason=synced.reason, retry_after=RETRY)
    if not server.status.identity:
        why = synced.message if synced else "it was not looked at yet"
        raise NotReady(f"DatabaseServer {key} is not ready: {why}", reason="ServerNotReady", retry_after=RETRY)


def mark_of(claim: DatabaseClaim, namespace: Namespace, installation: str) -> Mark:
    """The mark of this claim's database."""
    meta = claim.metadata
    return Mark(installation, "DatabaseClaim", namespace.uid, meta.namespace, meta.name, meta.uid)


def rules_of(class_: DatabaseClass, interval: object) -> Rules:
    """The rotation rules for a login: the claim's interval if it has one, all else the class's."""
    rotation = class_.spec.rotation
    wanted = getattr(interval, "interval", None)
    return Rules(
        interval=rotation.interval if wanted is None else wanted,
        grace=rotation.grace,
        max_overlap=max(rotation.max_overlap, rotation.grace),
        force=rotation.force,
    )


def _excess(
    claim: DatabaseClaim, class_: DatabaseClass, labels: Mapping[str, str], engine: Engine, *, live: bool
) -> SPIError | None:
    try:
        check_claim(claim, class_, labels, engine.info)
    except SPIError as error:
        if not live:
            raise
        ready = find(claim.status.conditions, "Ready")
        if ready is not None and ready.observed_generation == claim.metadata.generation:
            # The claim did not change, so its class did.
            return Terminal(f"{error.message}; what is there stays as it is", reason="OutsideClass")
        return error
    return None
