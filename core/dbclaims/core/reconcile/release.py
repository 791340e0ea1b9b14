"""Letting go: a claim that is deleted, and RoleClaims whose claim is gone (PROTOCOL.md §6)."""

from __future__ import annotations

import attrs

from .. import conditions, naming
from ..admission import deletion_policy
from ..api import (
    ABANDON,
    APPROVE,
    FINALIZER,
    DatabaseClaim,
    DatabaseServer,
    DeletionPolicy,
    ServerDeletionPolicy,
    SpecError,
)
from ..backends import Backend
from ..controller import Result
from ..converge import converge
from ..kinds import CLAIM, SERVER
from ..objectstore import Object, StoreError
from ..outcome import Failure
from ..spi import RELEASED, Account, Database, DatabaseRef, DatabaseSpec, Feature, Login, Mark, SPIError
from .binding import check_server, find_server, mark_of
from .lookup import RETRY
from .role import RolePass
from .template import server_key
from .tools import Tools


class Release:
    """The end of one claim, with its RoleClaims."""

    def __init__(self, tools: Tools, roles: list[RolePass]) -> None:
        self._tools, self._roles = tools, roles

    def orphans(self, key: str) -> Result:
        """RoleClaims whose claim does not exist: they wait for it, or go."""
        self._leave(key)
        return Result(RETRY) if self._roles else Result()

    def claim(self, claim: DatabaseClaim, document: Object) -> Result:
        """One pass over a claim that is meant to go. Raises `StoreError`."""
        if FINALIZER not in claim.metadata.finalizers:
            return Result()
        if claim.metadata.protected:
            return self._wait(claim, document, "Protected", "dbclaims.io/protect refuses the deletion; remove it first")
        if claim.metadata.paused:
            return self._wait(claim, document, "Paused", "Paused by annotation: the deletion waits.")
        try:
            self._let_go(claim)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes a condition
            return self._hold(claim, document, error)
        self._leave(claim.metadata.key)
        self._remove_finalizer(claim, document)
        return Result()

    def _let_go(self, claim: DatabaseClaim) -> None:
        """Close or drop what a server holds of the claim. Its own Secrets are not read: they may be gone."""
        lookup = self._tools.lookup
        class_ = lookup.class_(claim.spec.class_name)
        own = server_key(claim, class_) if class_ else None
        if own and claim.status.server_ref is None and lookup.server(own) is None:
            return
        server = find_server(claim, class_, lookup)
        policy = deletion_policy(claim, class_)
        if not self._goes_whole(server, policy, own) and (server.status.identity or own != server.metadata.key):
            self._end_database(claim, server, policy)
        if own == server.metadata.key and policy is DeletionPolicy.DELETE and not server.metadata.deleting:
            # The server's own policy then decides what becomes of it.
            meta = server.metadata
            self._tools.client.delete(SERVER, meta.namespace, meta.name, uid=meta.uid)

    def _goes_whole(self, server: DatabaseServer, policy: DeletionPolicy, own: str | None) -> bool:
        """Whether the claim's own server ends with it: nothing is dropped, so that its last snapshot holds the data."""
        if own != server.metadata.key or policy is not DeletionPolicy.DELETE:
            return False
        # A provider that makes no servers ends none either, whatever the server's policy says.
        makes = Feature.CREATE in self._tools.backends.provider(server.spec.provider).info.features
        return makes and server.spec.deletion_policy is not ServerDeletionPolicy.RETAIN

    def _end_database(self, claim: DatabaseClaim, server: DatabaseServer, policy: DeletionPolicy) -> None:
        check_server(server)
        backend = self._tools.backends.get(server)
        engine = backend.engine
        namespace = self._tools.lookup.namespace(claim.metadata.namespace)
        mark = mark_of(claim, namespace, self._tools.backends.installation.id)
        ref = self._ref(claim, server, backend)
        # Looked at under the lock: what was ours before it may have been finished or taken over by another claim.
        with backend.session() as session, engine.lock(session, ref) as locked:
            observed = engine.observe(locked, ref)
            if observed is None or not _is_ours(observed, mark):
                return
            ref = attrs.evolve(ref, owner=observed.owner)
            desired = None
            if policy is DeletionPolicy.RETAIN:
                released = attrs.evolve(mark, state=RELEASED)
                desired = DatabaseSpec(ref, released, self._closed(observed, ref, backend))
            converge(engine, locked, ref, desired)

    def _ref(self, claim: DatabaseClaim, server: DatabaseServer, backend: Backend) -> DatabaseRef:
        info = backend.engine.info
        database = claim.status.database_name or claim.spec.database_name
        database = database or naming.database_name(claim.metadata.namespace, claim.metadata.name, info)
        names = list(naming.accounts(database, info))
        for role in self._roles:
            role.find_names(database, info)
            names += role.names
        return DatabaseRef(database, naming.owner_role(database, info), tuple(names), server.status.identity or None)

    def _closed(self, observed: Database, ref: DatabaseRef, backend: Backend) -> tuple[Login, ...]:
        first, second = naming.accounts(ref.name, backend.engine.info)
        own = Login(ref.owner, (Account(first, False), Account(second, False)))
        further = (role.closed(observed, self._tools.backends.installation.id) for role in self._roles)
        return (own, *(login for login in further if login is not None))

    def _hold(self, claim: DatabaseClaim, document: Object, error: Exception) -> Result:
        """The server could not be brought to let go: under Retain people may decide to leave it alone."""
        failure = self._tools.failure(error)
        retain = self._policy(claim) is DeletionPolicy.RETAIN
        if retain and claim.metadata.annotations.get(APPROVE) == ABANDON and isinstance(error, SPIError):
            note = f"let go without closing its logins: {failure.message}"
            self._tools.reporter.tell(document, reason="Abandoned", note=note, warning=True)
            self._leave(claim.metadata.key)
            self._remove_finalizer(claim, document)
            return Result()
        way_out = f"; or leave the server as it is with the annotation {APPROVE}: {ABANDON}" if retain else ""
        self._wait(claim, document, failure.reason, failure.message + way_out)
        return failure.result

    def _policy(self, claim: DatabaseClaim) -> DeletionPolicy:
        try:
            return deletion_policy(claim, self._tools.lookup.class_(claim.spec.class_name))
        except SpecError:
            # The class is a newer version's; as without one, what stood when the claim was bound holds.
            return deletion_policy(claim, None)

    def _wait(self, claim: DatabaseClaim, document: Object, reason: str, message: str) -> Result:
        generation = claim.metadata.generation
        after = attrs.evolve(claim.status, observed_generation=generation)
        said = conditions.deleting(claim.status.conditions, generation, message, reason)
        self._tools.reporter.write(CLAIM, document, claim.status, after, said)
        return Result()

    def _leave(self, key: str) -> None:
        """Let the RoleClaims know: those that were served lost their claim, the others wait for it."""
        for role in self._roles:
            if role.deleting:
                role.let_go()
                continue
            reason, what = ("ClaimReleased", "was deleted") if role.held else ("ClaimNotFound", "does not exist")
            message = f"DatabaseClaim {key} {what}; create it, or delete this RoleClaim"
            role.report_failure(instead=Failure(reason, message, Result(RETRY), broken=True))

    def _remove_finalizer(self, claim: DatabaseClaim, document: Object) -> None:
        self._tools.quiet.forget(claim.metadata.uid)
        left = [each for each in claim.metadata.finalizers if each != FINALIZER]
        metadata = document["metadata"]
        self._tools.client.patch(
            CLAIM,
            metadata["namespace"],
            metadata["name"],
            {"metadata": {"finalizers": left}},
            resource_version=metadata["resourceVersion"],
        )


def _is_ours(observed: Database, mark: Mark) -> bool:
    if observed.mark is not None:
        return observed.mark.same_owner(mark)
    owner = observed.roles.get(observed.owner)
    # Half made: its owner role was marked before it, maybe for another claim that wants the same name.
    return observed.held and (owner is None or owner.mark is None or owner.mark.same_owner(mark))
