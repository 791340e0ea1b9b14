"""One pass over a claim that is to be: from the claim to the Secret, the story from top to bottom."""

from __future__ import annotations

import hashlib
import logging
from importlib.metadata import version

import attrs

from .. import conditions
from ..admission import check_claim, deletion_policy
from ..api import APPROVE, FINALIZER, DatabaseClaim, DatabaseClaimStatus, PendingAction, check_annotations
from ..controller import Result
from ..converge import armed, converge, plan
from ..kinds import CLAIM
from ..objectstore import Object, StoreError
from ..outcome import Failure, failure_of
from ..ownership import is_adoption
from ..rotation import Step
from ..secrets import Owner
from ..spi import (
    Account,
    Contents,
    Database,
    DatabaseRef,
    DatabaseSpec,
    InvalidSpec,
    Login,
    NotReady,
    Server,
    Terminal,
    Transient,
)
from .binding import Binding, bind, find_class, mark_of, rules_of
from .login import LoginKeeper, Means
from .lookup import RETRY
from .role import RolePass
from .template import make_server, server_key
from .tools import Tools

log = logging.getLogger(__name__)

DEADLINE = 60.0
"""Seconds after which a pass begins nothing more."""


class Making:
    """One pass over one claim and its RoleClaims.

    What is found on the way stands in attributes, each set by the paragraph of `_run` that finds it.
    """

    _binding: Binding
    _keeper: LoginKeeper
    _ref: DatabaseRef

    def __init__(self, tools: Tools, claim: DatabaseClaim, document: Object, roles: list[RolePass]) -> None:
        self._tools, self._claim, self._document, self._roles = tools, claim, document, roles
        self._live = conditions.is_live(claim.status.conditions)
        self._started = tools.clock.monotonic()
        self._observed: Database | None = None
        self._adopt = False
        self._broken = False
        self._lost = False

    def run(self) -> Result:
        """The pass, and what becomes of an error in it. Raises `StoreError`, which says nothing of the claim."""
        if self._claim.metadata.paused:
            return self._pause()
        try:
            self._run()
        except StoreError:
            raise
        except Exception as error:
            failure = failure_of(error, self._tools.resync.total_seconds(), broken=self._broken)
            if failure.reason == "PluginBug":
                log.exception("a plugin broke its contract")
            return self._report_failure(failure)
        return self._report()

    def _run(self) -> None:
        self._resolve()
        with self._binding.backend.session() as session:
            self._look(session)
            if self._is_settled():
                self._deliver(session)
            else:
                self._ensure_finalizers()
                with self._binding.engine.lock(session, self._ref) as locked:
                    self._confirm()
                    self._converge(locked)
                    self._deliver(locked)

    # --- what is wished, and where ------------------------------------------------------------------------------

    def _resolve(self) -> None:
        """Find class, server and names, and read the published Secrets."""
        claim, tools = self._claim, self._tools
        if problems := check_annotations(claim.metadata):
            raise InvalidSpec(str(problems[0]), reason="InvalidAnnotation")
        self._ensure_server()
        self._binding = binding = bind(claim, tools.lookup, tools.backends, live=self._live)
        means = Means(tools.client, binding.engine, tools.clock, tools.quiet)
        rules = rules_of(binding.class_, claim.spec.rotation)
        owner = Owner(CLAIM, claim.metadata)
        self._keeper = LoginKeeper(means, owner, claim, binding.owner, binding.accounts, rules)
        self._keeper.look()
        for role in self._roles:
            with role.guard():
                role.find_names(binding.database, binding.engine.info)
                if not role.deleting:
                    role.admit(binding, means)
        names = [name for role in self._roles for name in role.names]
        self._ref = DatabaseRef(binding.database, binding.owner, (*binding.accounts, *names), binding.identity)

    def _desired(self, login: Login | None = None) -> DatabaseSpec:
        """The claim's own wish, or with `login` the wish of one of its RoleClaims."""
        binding, spec = self._binding, self._claim.spec
        kept = Account(binding.accounts[0]), Account(binding.accounts[1])
        own = Login(
            role=binding.owner,
            accounts=kept if login else self._keeper.wanted(),
            connection_limit=binding.class_.spec.connection_limit,
        )
        # Of an edit that is refused nothing is made: what is there stays.
        refused, contents = binding.excess is not None, self._keeper.contents
        there = contents.schemas if contents else {}
        return DatabaseSpec(
            ref=self._ref,
            mark=binding.mark,
            logins=(own, login) if login else (own,),
            schemas=tuple(name for name in spec.schemas if not refused or name in there),
            extensions=() if refused else spec.extensions,
            adopt=self._adopt,
        )

    # --- what is there ------------------------------------------------------------------------------------------

    def _look(self, session: object) -> None:
        """Observe the database, make sure that it may be ours, try the published logins and decide about each."""
        self._observed = observed = self._binding.engine.observe(session, self._ref)
        self._check_not_lost(observed)
        if observed is not None:
            binding = self._binding
            adoptable = binding.class_.spec.adoptable
            self._adopt = is_adoption(binding.mark, observed, adopt=self._claim.spec.adopt, adoptable=adoptable)
            if observed.present and observed.owner != binding.owner:
                self._take_owner(observed.owner)
        self._keeper.decide(observed, session, self._ref)
        self._broken = self._live and self._keeper.broken
        self._keeper.prepare()
        for role in self._roles:
            with role.guard():
                if role.served:
                    role.served.decide(observed, session, self._ref)
                    role.served.prepare()

    def _take_owner(self, owner: str) -> None:
        """An adopted database keeps the owner that it has."""
        self._binding = attrs.evolve(self._binding, owner=owner)
        self._ref = attrs.evolve(self._ref, owner=owner)
        self._keeper.role = owner
        for role in self._roles:
            role.take_owner(owner)

    def _check_not_lost(self, observed: Database | None) -> None:
        """A database whose Secret was published and that is gone is never made anew by itself (PROTOCOL.md §3)."""
        if (observed is not None and observed.present) or not self._keeper.was_published:
            return
        if self._claim.metadata.annotations.get(APPROVE) == self._hash():
            return
        self._lost = self._broken = True
        key = self._binding.server.metadata.key
        raise Terminal(
            f"database {self._binding.database!r} was published and is gone from DatabaseServer {key}; restore it, or "
            f"let an empty one be made with the annotation {APPROVE}: {self._hash()}",
            reason="DatabaseLost",
        )

    def _is_settled(self) -> bool:
        contents = self._keeper.contents
        if self._keeper.decision.step is not Step.KEEP or self._plan(self._desired(), contents):
            return False
        return not any(self._role_wants(role, contents) for role in self._roles)

    def _role_wants(self, role: RolePass, contents: Contents | None) -> bool:
        with role.guard():
            if role.served and role.served.decision.step is not Step.KEEP:
                return True
            login = role.login(self._binding, self._observed)
            return login is not None and bool(self._plan(self._desired(login), contents))
        return False

    def _plan(self, desired: DatabaseSpec, contents: Contents | None) -> bool:
        return bool(plan(self._binding.engine, desired, self._observed, contents))

    # --- making it so -------------------------------------------------------------------------------------------

    def _ensure_server(self) -> None:
        """Make the claim's own server where its class has a template."""
        claim, lookup = self._claim, self._tools.lookup
        class_ = find_class(claim, lookup)
        key = server_key(claim, class_)
        if key is None or claim.status.server_ref is not None or lookup.server(key) is not None:
            return
        namespace = lookup.namespace(claim.metadata.namespace)
        engine = self._tools.backends.engine(class_.spec.template.engine if class_.spec.template else "")
        check_claim(claim, class_, namespace.labels, engine.info)
        self._ensure_finalizer()
        make_server(self._tools.client, claim, class_, mark_of(claim, namespace, self._tools.backends.installation.id))
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

    def _confirm(self) -> None:
        """What was decided before the lock was taken still holds."""
        self._keeper.confirm()
        for role in self._roles:
            with role.guard():
                if role.served:
                    role.served.confirm()

    def _converge(self, locked: object) -> None:
        """Bring the database to what is wished, then the RoleClaims', each on its own."""
        engine, ref, keeper = self._binding.engine, self._ref, self._keeper
        looked = keeper.contents
        if self._plan(self._desired(), looked):
            keeper.doubt()
        self._observed = converge(engine, locked, ref, self._desired(), looked)
        contents = keeper.prove(locked, ref)
        # Only the proof shows what is inside a database that was just made or changed.
        desired = armed(self._desired())
        if contents is not looked and self._plan(desired, contents):
            self._observed = converge(engine, locked, ref, desired, contents)
        for role in self._roles:
            with role.guard():
                self._check_deadline()
                login = role.login(self._binding, self._observed)
                if login is not None:
                    converge(engine, locked, ref, self._desired(login), contents)
        if any(each.decision.step is not Step.FIRST for each in self._keepers):
            # The lock's last check before a Secret is replaced: observing on it fails where it is lost.
            engine.observe(locked, ref)

    def _deliver(self, session: object) -> None:
        """Prove each login and publish it."""
        binding = self._binding
        endpoint = binding.published_endpoint
        self._keeper.prove(session, self._ref)
        self._keeper.publish(endpoint, binding.database, binding.server.spec.provider)
        self._broken = False
        for role in self._roles:
            with role.guard():
                if role.served:
                    role.served.prove(session, self._ref)
                    role.served.publish(endpoint, binding.database, binding.server.spec.provider)

    def _check_deadline(self) -> None:
        if self._tools.clock.monotonic() - self._started > DEADLINE:
            raise Transient(
                f"the pass took longer than {DEADLINE:.0f} s; going on in the next", reason="DeadlineExceeded"
            )

    # --- saying so ----------------------------------------------------------------------------------------------

    def _report(self) -> Result:
        """Write the statuses of a pass that did what it meant to."""
        claim, binding, keeper = self._claim, self._binding, self._keeper
        generation = claim.metadata.generation
        after = DatabaseClaimStatus(
            observed_generation=generation,
            pending=keeper.pending(),
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
        for role in self._roles:
            self._report_role(role)
        return Result(self._rest(), backoff=any(role.failure.result.backoff for role in self._roles if role.failure))

    def _report_role(self, role: RolePass) -> None:
        if role.deleting and role.failure is None and not role.waits:
            role.let_go()
        else:
            role.report(self._binding)

    def _report_failure(self, failure: Failure) -> Result:
        claim = self._claim
        lost = PendingAction(action="recreate", why="the database is gone", disruptive=True, waits_for="approval")
        after = attrs.evolve(
            claim.status,
            observed_generation=claim.metadata.generation,
            pending=(lost,) if self._lost else (),
            pending_hash=self._hash() if self._lost else "",
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
        looked: list[Database | Contents | Server | None] = [self._observed, self._keeper.contents]
        looked.append(self._binding.backend.server)
        return [(finding.reason, finding.message) for each in looked if each for finding in each.findings]

    def _rest(self) -> float:
        """Seconds until the next pass."""
        times = [look for keeper in self._keepers if (look := keeper.next_look()) is not None]
        retries = [role.failure.result.requeue_after for role in self._roles if role.failure]
        seconds = [time.total_seconds() for time in (self._binding.class_.spec.probe_interval, *times)]
        return min([*seconds, *(retry for retry in retries if retry)])

    @property
    def _keepers(self) -> list[LoginKeeper]:
        return [self._keeper, *(role.served for role in self._roles if role.served)]

    def _hash(self) -> str:
        """Over what is wished, what was seen and our version: an approval fits one situation only."""
        binding = self._binding
        facts = (
            "DatabaseLost",
            self._claim.metadata.uid,
            binding.database,
            binding.identity,
            binding.server.metadata.uid,
            version("dbclaims"),
        )
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
