"""One pass over a claim that is to be: from the claim to the Secret, the story from top to bottom."""

from __future__ import annotations

import attrs

from .. import conditions, drift
from ..admission import deletion_policy
from ..api import FINALIZER, DatabaseClaim, DatabaseClaimStatus, check_annotations
from ..controller import Result
from ..converge import armed, converge, plan
from ..kinds import CLAIM
from ..objectstore import Object, StoreError
from ..outcome import Failure
from ..rotation import Step
from ..spi import Contents, Database, NotReady, Plan, Server, Transient
from .binding import find_class, mark_of
from .login import LoginKeeper
from .looking import Looking
from .lookup import RETRY
from .role import RolePass
from .template import make_server
from .tools import Tools

DEADLINE = 60.0
"""Seconds after which a pass begins nothing more."""


class Making:
    """One pass over one claim and its RoleClaims: look, and where something is to be done, do it under the lock."""

    def __init__(self, tools: Tools, claim: DatabaseClaim, document: Object, roles: list[RolePass]) -> None:
        self._tools, self._claim, self._document, self._roles = tools, claim, document, roles
        self._look = Looking(tools, claim, roles, live=conditions.is_live(claim.status.conditions))
        self._started = tools.clock.monotonic()
        self._repairs: Plan = ()

    def run(self) -> Result:
        """The pass, and what becomes of an error in it. Raises `StoreError`, which says nothing of the claim."""
        if self._claim.metadata.paused:
            return self._pause()
        try:
            self._run()
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes a condition
            return self._report_failure(self._tools.failure(error, broken=self._look.broken))
        return self._report()

    def _run(self) -> None:
        look = self._look
        if (key := look.missing_server()) is not None:
            self._make_server(key)
        look.resolve()
        with look.binding.backend.session() as session:
            look.look(session)
            self._prepare()
            if look.is_settled():
                self._deliver(session)
            else:
                self._repairs = look.repairs()
                self._ensure_finalizers()
                with look.binding.engine.lock(session, look.ref) as locked:
                    self._confirm()
                    self._converge(locked)
                    self._deliver(locked)

    # --- making it so -------------------------------------------------------------------------------------------

    def _make_server(self, key: str) -> None:
        """Make the claim's own server, which its class has a template for; the next pass finds it."""
        claim, lookup = self._claim, self._tools.lookup
        self._ensure_finalizer()
        mark = mark_of(claim, lookup.namespace(claim.metadata.namespace), self._tools.backends.installation.id)
        make_server(self._tools.client, claim, find_class(claim, lookup), mark)
        raise NotReady(f"DatabaseServer {key} is being made", reason="ServerNotReady", retry_after=RETRY)

    def _ensure_finalizers(self) -> None:
        """Set the finalizers, before the first write to the server."""
        self._ensure_finalizer()
        for role in self._roles:
            if role.served:
                role.ensure_finalizer()

    def _ensure_finalizer(self) -> None:
        metadata = self._document["metadata"]
        finalizers = metadata.get("finalizers", [])
        if FINALIZER not in finalizers:
            self._document = self._tools.client.patch(
                CLAIM,
                metadata["namespace"],
                metadata["name"],
                {"metadata": {"finalizers": [*finalizers, FINALIZER]}},
                resource_version=metadata["resourceVersion"],
            )

    def _prepare(self) -> None:
        """Have the passwords that are to be set."""
        self._look.keeper.prepare()
        for role in self._roles:
            with role.guard():
                if role.served:
                    role.served.prepare()

    def _confirm(self) -> None:
        """What was decided before the lock was taken still holds."""
        self._look.keeper.confirm()
        for role in self._roles:
            with role.guard():
                if role.served:
                    role.served.confirm()

    def _converge(self, locked: object) -> None:
        """Bring the database to what is wished, then the RoleClaims', each on its own."""
        look, keeper, held = self._look, self._look.keeper, self._look.held
        engine, ref, looked = look.binding.engine, look.ref, keeper.contents
        if look.needs():
            keeper.doubt()
        look.observed = converge(engine, locked, ref, look.desired(), looked, held)
        contents = keeper.prove(locked, ref)
        # Only the proof shows what is inside a database that was just made or changed.
        desired = armed(look.desired())
        if contents is not looked and plan(engine, desired, look.observed, contents, held):
            look.observed = converge(engine, locked, ref, desired, contents, held)
        for role in self._roles:
            with role.guard():
                self._check_deadline()
                login = role.login(look.binding, look.observed)
                if login is not None:
                    converge(engine, locked, ref, look.desired(login), contents, held)
        if any(each.decision.step is not Step.FIRST for each in self._keepers):
            # The lock's last check before a Secret is replaced: observing on it fails where it is lost.
            engine.observe(locked, ref)

    def _deliver(self, session: object) -> None:
        """Prove each login and publish it."""
        binding, keeper, ref = self._look.binding, self._look.keeper, self._look.ref
        endpoint = binding.published_endpoint
        keeper.prove(session, ref)
        keeper.publish(endpoint, binding.database, binding.server.spec.provider)
        self._look.broken = False
        for role in self._roles:
            with role.guard():
                if role.served:
                    role.served.prove(session, ref)
                    role.served.publish(endpoint, binding.database, binding.server.spec.provider)

    def _check_deadline(self) -> None:
        if self._tools.clock.monotonic() - self._started > DEADLINE:
            raise Transient(
                f"the pass took longer than {DEADLINE:.0f} s; going on in the next", reason="DeadlineExceeded"
            )

    # --- saying so ----------------------------------------------------------------------------------------------

    def _report(self) -> Result:
        """Write the statuses of a pass that did what it meant to."""
        claim, look = self._claim, self._look
        binding, keeper, generation = look.binding, look.keeper, claim.metadata.generation
        after = DatabaseClaimStatus(
            observed_generation=generation,
            pending=(*keeper.pending(), *look.waiting.steps),
            pending_hash=look.waiting.hash,
            settled_hash=look.wish,
            server_ref=binding.reference,
            controller_class=self._tools.controller_class or None,
            endpoint=binding.client_endpoint,
            database_name=binding.database,
            deletion_policy=deletion_policy(claim, binding.class_),
            version=binding.server.status.version,
            secret_name=keeper.secret_name,
            login=keeper.status(),
        )
        said = conditions.ready(generation, keeper.sentence())
        if binding.excess is not None:
            before = claim.status.conditions
            said = conditions.refused_edit(before, generation, binding.excess.reason, binding.excess.message)
        self._write(after, conditions.warned(said, generation, (*keeper.warnings(), *self._warnings())))
        if self._repairs:
            note = f"taken back, since somebody changed it by hand: {drift.listed(self._repairs)}"
            self._tools.reporter.tell(self._document, "Repaired", note, warning=False)
        for role in self._roles:
            self._report_role(role)
        return Result(self._rest(), backoff=any(role.failure.result.backoff for role in self._roles if role.failure))

    def _report_role(self, role: RolePass) -> None:
        if role.deleting and role.failure is None and not role.waits:
            role.let_go()
        else:
            role.report(self._look.binding, self._look.role_wish(role))

    def _report_failure(self, failure: Failure) -> Result:
        claim, waiting = self._claim, self._look.waiting
        after = attrs.evolve(
            claim.status,
            observed_generation=claim.metadata.generation,
            pending=waiting.steps,
            pending_hash=waiting.hash,
        )
        before, now = claim.status.conditions, self._tools.clock.now()
        self._write(after, failure.conditions(before, claim.metadata.generation, now))
        for role in self._roles:
            role.report_failure(instead=failure)
        return failure.result

    def _pause(self) -> Result:
        claim = self._claim
        message = "Paused by annotation: nothing in the server is changed, the published login goes on."
        if problems := check_annotations(claim.metadata):
            message += f" {problems[0]}"
        after = attrs.evolve(claim.status, observed_generation=claim.metadata.generation)
        self._write(after, conditions.paused(claim.status.conditions, claim.metadata.generation, message))
        for role in self._roles:
            role.report_failure(instead=Failure("Paused", f"DatabaseClaim {claim.metadata.key}: {message}", Result()))
        return Result()

    def _write(self, after: DatabaseClaimStatus, said: conditions.Conditions) -> None:
        self._document = self._tools.reporter.write(CLAIM, self._document, self._claim.status, after, said)

    def _warnings(self) -> list[tuple[str, str]]:
        look = self._look
        looked: list[Database | Contents | Server | None] = [look.observed, look.keeper.contents]
        looked.append(look.binding.backend.server)
        found = [(finding.reason, finding.message) for each in looked if each for finding in each.findings]
        return [*found, *drift.warnings(look.waiting)]

    def _rest(self) -> float:
        """Seconds until the next pass."""
        times = [look for keeper in self._keepers if (look := keeper.next_look()) is not None]
        retries = [role.failure.result.requeue_after for role in self._roles if role.failure]
        seconds = [time.total_seconds() for time in (self._look.binding.class_.spec.probe_interval, *times)]
        return min([*seconds, *(retry for retry in retries if retry)])

    @property
    def _keepers(self) -> list[LoginKeeper]:
        return [self._look.keeper, *(role.served for role in self._roles if role.served)]
