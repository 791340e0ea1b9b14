"""Reconciling a DatabaseServer: reach or make it, know it again, and say what it is."""

from __future__ import annotations

import uuid

import attrs

from .. import conditions, drift
from ..api import (
    APPROVE,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    SERVER_FINALIZER,
    DatabaseServer,
    DatabaseServerStatus,
    PendingAction,
    SpecError,
    StatusEndpoint,
    check_annotations,
    from_document,
)
from ..approval import Waiting, digest
from ..backends import Backend, admin_secret_name
from ..controller import Result
from ..kinds import CLAIM, SECRET, SERVER
from ..objectstore import Object, StoreError, key_of
from ..outcome import Failure, waited
from ..secrets import new_password, read, unowned
from ..spi import (
    Credentials,
    Feature,
    InvalidSpec,
    NotReady,
    Survey,
    Terminal,
)
from ..window import is_open, opens_in
from .lookup import RETRY
from .serverspec import check_features, held_settings, pending, server_spec
from .tools import Tools

_ADMIN = "dbclaims_admin"

_SOON = 1.0
"""Seconds until a Secret that is missing is looked for again; then as long as it was missing, RETRY at most."""


class ServerReconciler:
    """Reconciles DatabaseServers."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def reconcile(self, key: str) -> Result:
        """One pass. Raises `StoreError`, which the queue takes for an ordinary failure."""
        document = self._tools.lookup.document(SERVER, key)
        if document is None:
            self._tools.backends.forget(key)
            return Result()
        try:
            server = self._tools.lookup.server(key)
        except SpecError as error:
            before = from_document(document.get("status") or {}, DatabaseServerStatus)
            return _Pass(self._tools, document, before).fail(self._tools.failure(error))
        if server is None or not self._is_ours(document):
            return Result()
        return _Pass(self._tools, document, server.status).run(server)

    def _is_ours(self, server: Object) -> bool:
        """Whether the server is this controller's: a class that names it says so; without one, the claims on it.

        Where nobody speaks of it, it is the nameless one's.
        """
        lookup = self._tools.lookup
        served = {class_.spec.controller_class for class_ in lookup.classes_serving(server)}
        if not served:
            claims = filter(None, (lookup.document(CLAIM, key) for key in lookup.claims_on(key_of(server))))
            served = {(claim.get("status") or {}).get("controllerClass", "") for claim in claims}
        return self._tools.controller_class in (served or {""})


class _Pass:
    def __init__(self, tools: Tools, document: Object, before: DatabaseServerStatus) -> None:
        self._tools, self._document, self._before = tools, document, before
        self._generation = int(document["metadata"].get("generation", 0))
        self._pending: tuple[PendingAction, ...] = ()
        self._hash = ""
        self._wish = ""
        self._held = False

    def run(self, server: DatabaseServer) -> Result:
        if server.metadata.deleting:
            return self._release(server)
        if server.metadata.paused:
            message = "Paused by annotation: neither the server nor its claims are changed."
            self._write(self._before, conditions.paused(self._before.conditions, self._generation, message))
            return Result()
        try:
            return self._run(server)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes a condition
            return self.fail(self._tools.failure(error))

    def _run(self, server: DatabaseServer) -> Result:
        self._check(server)
        backend = self._tools.backends.get(server)
        check_features(server, backend.provider.info.features, backend.provider.info.name)
        self._ensure_finalizer()
        self._bring_about(server, backend)
        with backend.session() as session:
            survey = backend.engine.survey(session)
            _check_survey(server, survey, upgrading=bool(self._pending))
            identity = self._identify(server, backend, session, survey)
        return self._report(backend, survey, identity)

    def _check(self, server: DatabaseServer) -> None:
        lookup, key = self._tools.lookup, server.metadata.key
        if not lookup.classes_serving(self._document) and not lookup.claims_on(key):
            self._tools.backends.forget(key)
            raise Terminal(
                f"no DatabaseClass names DatabaseServer {key}, so it is not contacted; name it in a class's serverRef",
                reason="NoClass",
            )
        if problems := check_annotations(server.metadata):
            raise InvalidSpec(str(problems[0]), reason="InvalidAnnotation")

    def _bring_about(self, server: DatabaseServer, backend: Backend) -> None:
        """One step of the provider's loop; disruptive ones wait for the maintenance window or an approval."""
        observed = backend.observe()
        desired = server_spec(server, backend, self._admin(server, backend))
        actions = backend.provider.plan(desired, observed)
        self._wish, window = drift.wish_of_server(desired), server.spec.maintenance_window
        self._held = held_settings(self._tools, self._document, desired, observed) and bool(actions)
        self._hash = _digest(server, *(f"{action.verb} {action.why}" for action in actions)) if actions else ""
        self._pending = tuple(pending(action, window, held=self._held) for action in actions)
        approved = server.metadata.annotations.get(APPROVE) == self._hash
        for action in actions:
            if approved or (not self._held and (not action.disruptive or self._is_window(window))):
                backend.provider.apply(backend.provider_session, backend.ref, action)
                raise NotReady(f"{action.verb}: {action.why}", reason="Applying", retry_after=1.0)
        if observed is None or not observed.ready or observed.endpoint is None:
            message = observed.message if observed and observed.message else "the server has no endpoint yet"
            raise NotReady(message, reason="ServerNotReady", retry_after=observed.poll_after if observed else None)

    def _is_window(self, window: str | None) -> bool:
        return window is not None and is_open(window, self._tools.clock.now())

    def _admin(self, server: DatabaseServer, backend: Backend) -> Credentials | None:
        """The admin login that a new server gets, kept in a Secret before there is a server.

        The Secret has no owner reference: under Retain the server outlives its object, and so must its login.
        """
        makes = Feature.CREATE in backend.provider.info.features
        if not makes or backend.provider.has("provider_credentials"):
            return None
        namespace, name = server.metadata.namespace, admin_secret_name(server.metadata.name)
        found = self._tools.client.get(SECRET, namespace, name)
        if found is None:
            found = self._tools.client.create(SECRET, unowned(namespace, name, Credentials(_ADMIN, new_password())))
        login = read(found)
        return Credentials(login.username, login.password)

    def _identify(self, server: DatabaseServer, backend: Backend, session: object, survey: Survey) -> str:
        """The server's identity: known again, or given at first sight; another one stops everything."""
        known = self._before.identity
        if survey.identity == known and known:
            return known
        if known:
            wanted = _digest(server, known, survey.identity or "none")
            if server.metadata.annotations.get(APPROVE) != wanted:
                self._pending = (
                    PendingAction(action="accept", why="another server answers", disruptive=True, waits_for="approval"),
                )
                self._hash = wanted
                raise Terminal(
                    "another server answers under this address: its identity is not the one that was seen before; "
                    "correct the address or restore the server, or accept this one with the annotation "
                    f"{APPROVE}: {wanted}",
                    reason="ServerChanged",
                    retry_after=RETRY,
                )
        return survey.identity or backend.engine.hold(session, uuid.uuid4().hex)

    def _report(self, backend: Backend, survey: Survey, identity: str) -> Result:
        server = backend.server
        endpoint = server.endpoint if server else None
        after = DatabaseServerStatus(
            observed_generation=self._generation,
            pending=self._pending,
            pending_hash=self._hash,
            identity=identity,
            endpoint=StatusEndpoint(host=endpoint.host, port=endpoint.port) if endpoint else None,
            version=survey.version,
            size=(server.size or "") if server else "",
            settled_hash=self._before.settled_hash if self._pending else self._wish,
        )
        said = conditions.ready(self._generation, f"The server answers; it runs version {survey.version}.")
        findings = (*survey.findings, *(server.findings if server else ()))
        warnings = [(finding.reason, finding.message) for finding in findings]
        warnings += drift.warnings(Waiting(self._pending, self._hash)) if self._held else []
        self._write(after, conditions.warned(said, self._generation, warnings))
        return Result(self._rest(backend))

    def _rest(self, backend: Backend) -> float:
        """Seconds until the next pass: a server that is changing, or for which a step waits, is looked at sooner."""
        seconds = [self._tools.resync.total_seconds()]
        if backend.server and backend.server.poll_after is not None:
            seconds.append(backend.server.poll_after)
        window = self._document["spec"].get("maintenanceWindow")
        if window and any(action.disruptive for action in self._pending):
            seconds.append(opens_in(window, self._tools.clock.now()).total_seconds())
        return min(seconds)

    def fail(self, failure: Failure) -> Result:
        after = attrs.evolve(
            self._before, observed_generation=self._generation, pending=self._pending, pending_hash=self._hash
        )
        before, now = self._before.conditions, self._tools.clock.now()
        self._write(after, failure.conditions(before, self._generation, now))
        wait = failure.result.requeue_after or RETRY
        if failure.reason == "SecretMissing":
            # Most often it is just being applied, after its server, and nobody would tell us.
            wait = min(wait, max(_SOON, waited(before, failure.reason, now).total_seconds()))
        return attrs.evolve(failure.result, backoff=False, requeue_after=wait)

    def _release(self, server: DatabaseServer) -> Result:
        """Hold the object while claims are bound to it, then let the provider end the server if that is wished."""
        if SERVER_FINALIZER not in server.metadata.finalizers:
            return Result()
        key = server.metadata.key
        if held := _holds_on(server, len(self._tools.lookup.claims_on(key))):
            said = conditions.deleting(self._before.conditions, self._generation, *held)
            self._write(attrs.evolve(self._before, observed_generation=self._generation), said)
            return Result(RETRY)
        try:
            if server.spec.deletion_policy == "Retain" or self._is_gone(server):
                self._set_finalizers([f for f in server.metadata.finalizers if f != SERVER_FINALIZER])
                self._tools.backends.forget(key)
                return Result()
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes a condition
            return self.fail(self._tools.failure(error))
        observed = self._tools.backends.get(server).server
        return Result(observed.poll_after if observed and observed.poll_after else 1.0)

    def _is_gone(self, server: DatabaseServer) -> bool:
        """Whether the provider says that the server is no more, or is not its to end; else one step towards that."""
        backend = self._tools.backends.get(server)
        observed = backend.observe()
        actions = backend.provider.plan(None, observed)
        for action in actions[:1]:
            backend.provider.apply(backend.provider_session, backend.ref, action)
        if observed is None:
            self._forget_admin(server)
        return observed is None or (not actions and observed.ready)

    def _forget_admin(self, server: DatabaseServer) -> None:
        """Remove the admin login that we made for a server that is no more."""
        namespace, name = server.metadata.namespace, admin_secret_name(server.metadata.name)
        found = self._tools.client.get(SECRET, namespace, name)
        if found is not None and (found["metadata"].get("labels") or {}).get(MANAGED_BY_LABEL) == MANAGED_BY:
            self._tools.client.delete(SECRET, namespace, name, uid=found["metadata"]["uid"])

    def _ensure_finalizer(self) -> None:
        finalizers = self._document["metadata"].get("finalizers", [])
        if SERVER_FINALIZER not in finalizers:
            self._set_finalizers([*finalizers, SERVER_FINALIZER])

    def _set_finalizers(self, finalizers: list[str]) -> None:
        metadata = self._document["metadata"]
        self._document = self._tools.client.patch(
            SERVER,
            metadata["namespace"],
            metadata["name"],
            {"metadata": {"finalizers": finalizers}},
            resource_version=metadata["resourceVersion"],
        )

    def _write(self, after: DatabaseServerStatus, said: conditions.Conditions) -> None:
        self._document = self._tools.reporter.write(SERVER, self._document, self._before, after, said)


def _holds_on(server: DatabaseServer, bound: int) -> tuple[str, str] | None:
    """Why a server that is meant to go stays (message, reason); None where nothing holds it."""
    if server.metadata.protected:
        return "dbclaims.io/protect refuses the deletion; remove it first", "Protected"
    if server.metadata.paused:
        return "Paused by annotation: the deletion waits.", "Paused"
    if bound:
        return f"{bound} claims are bound to this server; delete them first", "InUse"
    return None


def _check_survey(server: DatabaseServer, survey: Survey, *, upgrading: bool) -> None:
    key, wanted = server.metadata.key, server.spec.version
    if survey.read_only:
        raise Terminal(
            f"DatabaseServer {key} refuses writes: it is a replica, or read-only by its settings; name the primary",
            reason="ReadOnly",
            retry_after=RETRY,
        )
    if wanted and not upgrading and not f"{survey.version}.".startswith(f"{wanted}."):
        raise InvalidSpec(
            f"spec.version: {wanted!r} is wanted and the server runs {survey.version}; correct it, or leave it out",
            reason="VersionMismatch",
        )


def _digest(server: DatabaseServer, *facts: str) -> str:
    """Over what is wished, what was seen and our version: an approval fits one situation only."""
    return digest(server.metadata.uid, str(server.metadata.generation), *facts)
