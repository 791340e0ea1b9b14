"""What the next pass over an object would do, told and not done: the same look, and then only words."""

from __future__ import annotations

import attrs

from .. import conditions
from ..admission import deletion_policy
from ..api import DatabaseClaim, DatabaseServer, DeletionPolicy, PendingAction, SpecError
from ..kinds import CLAIM, ROLE, SERVER
from ..objectstore import Object, StoreError, key_of
from ..spi import Credentials, NotReady, Plan
from .looking import Looking
from .role import RolePass, open_roles
from .serverspec import check_features, held_settings, pending, server_spec
from .tools import Tools

Steps = tuple[PendingAction, ...]

_PAUSE = "the end of the pause"
_ENDS = {
    DeletionPolicy.RETAIN: ("release", "its logins are closed and the data stay"),
    DeletionPolicy.DELETE: ("drop", "the database and its logins are dropped"),
}


@attrs.frozen
class Planned:
    """What the next pass over one object would do.

    Attributes:
        key: `namespace/name`.
        steps: in order; each that waits says what for.
        hash: what dbclaims.io/approve must say so that those which wait for it are taken; None where none does.
        reason: why nothing can be told, CamelCase; empty where nothing is in the way.
        message: the same as a sentence, with the way out.
    """

    kind: str
    key: str
    steps: Steps = ()
    hash: str | None = None
    reason: str = ""
    message: str = ""


class Planner:
    """Plans passes. Nothing is written, to no store and to no server."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def claim(self, key: str) -> list[Planned]:
        """The next pass over a claim and its RoleClaims; nothing where there is no such claim. Raises `StoreError`."""
        blank = Planned(CLAIM.kind, key)
        try:
            claim = self._tools.lookup.claim(key)
        except SpecError as error:
            return [self._failed(blank, error)]
        if claim is None:
            return []
        if claim.metadata.deleting:
            return [attrs.evolve(blank, steps=(self._end(claim),))]
        roles = open_roles(self._tools, key)
        look = Looking(self._tools, claim, roles, live=conditions.is_live(claim.status.conditions))
        try:
            own = attrs.evolve(blank, steps=self._steps(look, claim), hash=look.waiting.hash)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes a sentence
            return [self._stopped(blank, look, error)]
        found = [own, *(self._role(look, role, own) for role in roles)]
        return [_paused(each) for each in found] if claim.metadata.paused or look.is_server_paused else found

    def server(self, key: str) -> tuple[list[Planned], str]:
        """The next pass over a server, and the identity that answers: empty where none does. Raises `StoreError`."""
        blank = Planned(SERVER.kind, key)
        try:
            server = self._tools.lookup.server(key)
            if server is None:
                return [], ""
            document = self._tools.lookup.document(SERVER, key)
            assert document is not None
            steps, identity = self._server_steps(server, document)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes a sentence
            return [self._failed(blank, error)], ""
        planned = attrs.evolve(blank, steps=steps, hash=server.status.pending_hash or None)
        return [_paused(planned) if server.metadata.paused else planned], identity

    def _server_steps(self, server: DatabaseServer, document: Object) -> tuple[Steps, str]:
        backend = self._tools.backends.get(server)
        check_features(server, backend.provider.info.features, backend.provider.info.name)
        observed = backend.observe()
        # What a new server's admin login will be is decided when it is made; a plan shows none.
        desired = server_spec(server, backend, Credentials("", ""))
        held = held_settings(self._tools, document, desired, observed)
        actions = backend.provider.plan(desired, observed)
        steps = tuple(pending(action, server.spec.maintenance_window, held=held) for action in actions)
        if observed is None or not observed.ready or observed.endpoint is None:
            return steps, ""
        with backend.session() as session:
            found = backend.engine.survey(session).identity or ""
        known = server.status.identity or ""
        if found == known and known:
            return steps, found
        verb, why = ("accept", "another server answers") if known else ("hold", "it gets our holder role, once")
        waits_for = "approval" if known else ""
        step = PendingAction(action=verb, why=why, disruptive=bool(known), waits_for=waits_for)
        return (*steps, *([] if found and not known else [step])), "" if known else found

    def _steps(self, look: Looking, claim: DatabaseClaim) -> Steps:
        if (key := look.missing_server()) is not None:
            server = PendingAction(action="createServer", why=f"class {claim.spec.class_name} gives each claim its own")
            return (server, PendingAction(action="createDatabase", why="it is new", waits_for=f"DatabaseServer {key}"))
        look.resolve()
        binding = look.binding
        with binding.backend.session() as session:
            look.look(session)
        login = look.keeper.steps(binding.published_endpoint, binding.database, binding.server.spec.provider)
        return (*_told(look.needs()), *login, *look.waiting.steps)

    def _end(self, claim: DatabaseClaim) -> PendingAction:
        """How a claim that is meant to go would go."""
        policy = deletion_policy(claim, self._tools.lookup.class_(claim.spec.class_name))
        action, what = _ENDS[policy]
        waits_for = "dbclaims.io/protect to go" if claim.metadata.protected else ""
        waits_for = waits_for or (_PAUSE if claim.metadata.paused else "")
        return PendingAction(
            action=action, why=f"deletionPolicy {policy}: {what}", disruptive=True, waits_for=waits_for
        )

    def _role(self, look: Looking, role: RolePass, own: Planned) -> Planned:
        """One RoleClaim's part of the pass, without what is done for the claim anyway."""
        blank, binding, steps = Planned(ROLE.kind, key_of(role.document)), look.binding, Steps()
        with role.guard():
            steps = tuple(step for step in _told(look.role_needs(role)) if step not in own.steps)
            if role.served:
                where = (binding.published_endpoint, binding.database, binding.server.spec.provider)
                steps = (*steps, *role.served.steps(*where))
        if role.failure is not None:
            blank = attrs.evolve(blank, reason=role.failure.reason, message=role.failure.message)
        return attrs.evolve(blank, steps=(*steps, *role.waiting.steps), hash=role.waiting.hash)

    def _stopped(self, blank: Planned, look: Looking, error: Exception) -> Planned:
        """What is told of a pass that would end early: what it waits for, or what is in its way."""
        if look.waiting.steps:
            return attrs.evolve(blank, steps=look.waiting.steps, hash=look.waiting.hash)
        if isinstance(error, NotReady) and not look.live:
            return attrs.evolve(blank, steps=(PendingAction(action="make", why="it is new", waits_for=error.message),))
        return self._failed(blank, error)

    def _failed(self, blank: Planned, error: Exception) -> Planned:
        failure = self._tools.failure(error)
        return attrs.evolve(blank, reason=failure.reason, message=failure.message)


def _told(plan: Plan) -> Steps:
    """A plugin's steps as people see them; what they are made with may be secret."""
    return tuple(PendingAction(action=each.verb, why=each.why, disruptive=each.disruptive) for each in plan)


def _paused(planned: Planned) -> Planned:
    """The same while the object is paused: everything waits for that first."""
    steps = tuple(attrs.evolve(step, waits_for=step.waits_for or _PAUSE) for step in planned.steps)
    return attrs.evolve(planned, steps=steps)
