"""What a pass over a claim finds and decides before anything is changed: reads only, also for a plan that is shown."""

from __future__ import annotations

from collections.abc import Container

import attrs

from .. import drift
from ..admission import check_claim
from ..api import APPROVE, DatabaseClaim, ObjectMeta, PendingAction, check_annotations
from ..approval import Waiting, digest
from ..converge import plan
from ..drift import Held
from ..kinds import CLAIM
from ..ownership import is_adoption
from ..rotation import Step
from ..secrets import Owner
from ..spi import Account, Action, Database, DatabaseRef, DatabaseSpec, InvalidSpec, Login, Part, Plan, Terminal
from .binding import Binding, bind, find_class, rules_of
from .login import LoginKeeper, Means
from .role import RolePass
from .template import server_key
from .tools import Tools


class Looking:
    """One look at one claim and its RoleClaims.

    What is found on the way stands in attributes, each set by the paragraph that finds it.

    Attributes:
        live: whether somebody may depend on the published login.
        broken: whether that login is known not to work.
        observed: the database as the admin sees it; None while there is none.
        adopt: whether it is taken over from somebody else.
        held: what was changed by hand and is only reported.
        waiting: the same, or the loss of the database, as the status tells it.
    """

    binding: Binding
    keeper: LoginKeeper
    ref: DatabaseRef

    def __init__(self, tools: Tools, claim: DatabaseClaim, roles: list[RolePass], *, live: bool) -> None:
        self._tools, self._claim, self._roles = tools, claim, roles
        self.live = live
        self.broken = False
        self.observed: Database | None = None
        self.adopt = False
        self.held = Held()
        self.waiting = Waiting()

    # --- what is wished, and where ------------------------------------------------------------------------------

    def missing_server(self) -> str | None:
        """The key of the claim's own server where its class has a template and nobody made it yet.

        Raises what `resolve` raises of what the claim asks for: no server is made for a claim that is refused.
        """
        claim, lookup = self._claim, self._tools.lookup
        if problems := check_annotations(claim.metadata):
            raise InvalidSpec(str(problems[0]), reason="InvalidAnnotation")
        class_ = find_class(claim, lookup)
        key = server_key(claim, class_)
        if key is None or claim.status.server_ref is not None or lookup.server(key) is not None:
            return None
        engine = self._tools.backends.engine(class_.spec.template.engine if class_.spec.template else "")
        check_claim(claim, class_, lookup.namespace(claim.metadata.namespace).labels, engine.info)
        return key

    def resolve(self) -> None:
        """Find class, server and names, and read the published Secrets."""
        claim, tools = self._claim, self._tools
        self.binding = binding = bind(claim, tools.lookup, tools.backends, live=self.live)
        means = Means(tools.client, binding.engine, tools.clock, tools.quiet)
        rules = rules_of(binding.class_, claim.spec.rotation)
        owner = Owner(CLAIM, claim.metadata)
        self.keeper = LoginKeeper(means, owner, claim, binding.owner, binding.accounts, rules)
        self.keeper.look()
        for role in self._roles:
            with role.guard():
                role.find_names(binding.database, binding.engine.info)
                if not role.deleting:
                    role.admit(binding, means)
        names = [name for role in self._roles for name in role.names]
        self.ref = DatabaseRef(binding.database, binding.owner, (*binding.accounts, *names), binding.identity)

    def desired(self, login: Login | None = None) -> DatabaseSpec:
        """The claim's own wish, or with `login` the wish of one of its RoleClaims."""
        binding, spec = self.binding, self._claim.spec
        kept = Account(binding.accounts[0]), Account(binding.accounts[1])
        own = Login(
            role=binding.owner,
            accounts=kept if login else self.keeper.wanted(),
            connection_limit=binding.class_.spec.connection_limit,
        )
        # Of an edit that is refused nothing is made: what is there stays.
        refused, contents = binding.excess is not None, self.keeper.contents
        there = contents.schemas if contents else {}
        return DatabaseSpec(
            ref=self.ref,
            mark=binding.mark,
            logins=(own, login) if login else (own,),
            schemas=tuple(name for name in spec.schemas if not refused or name in there),
            extensions=() if refused else spec.extensions,
            adopt=self.adopt,
        )

    @property
    def is_server_paused(self) -> bool:
        """Whether somebody paused the server that the claim is on."""
        binding: Binding | None = getattr(self, "binding", None)
        return binding is not None and binding.server.metadata.paused

    # --- what is there ------------------------------------------------------------------------------------------

    def look(self, session: object) -> None:
        """Observe the database, make sure that it may be ours, try the published logins and decide about each."""
        self.observed = observed = self.binding.engine.observe(session, self.ref)
        self._check_not_lost(observed)
        if observed is not None:
            binding = self.binding
            adoptable = binding.class_.spec.adoptable
            self.adopt = is_adoption(binding.mark, observed, adopt=self._claim.spec.adopt, adoptable=adoptable)
            if observed.present and observed.owner != binding.owner:
                self._take_owner(observed.owner)
        self.keeper.decide(observed, session, self.ref)
        self.broken = self.live and self.keeper.broken
        for role in self._roles:
            with role.guard():
                if role.served:
                    role.served.decide(observed, session, self.ref)
        self._find_drift()

    def _take_owner(self, owner: str) -> None:
        """An adopted database keeps the owner that it has."""
        self.binding = attrs.evolve(self.binding, owner=owner)
        self.ref = attrs.evolve(self.ref, owner=owner)
        self.keeper.role = owner
        for role in self._roles:
            role.take_owner(owner)

    def _check_not_lost(self, observed: Database | None) -> None:
        """A database whose Secret was published and that is gone is never made anew by itself (PROTOCOL.md §3)."""
        if (observed is not None and observed.present) or not self.keeper.was_published:
            return
        binding, uid = self.binding, self._claim.metadata.uid
        lost = PendingAction(action="recreate", why="the database is gone", disruptive=True, waits_for="approval")
        facts = (uid, binding.database, binding.identity, binding.server.metadata.uid)
        waiting = Waiting((lost,), digest("DatabaseLost", *facts))
        if waiting.approved(self._claim.metadata):
            return
        self.waiting, self.broken = waiting, True
        raise Terminal(
            f"database {binding.database!r} was published and is gone from DatabaseServer {binding.server.metadata.key}"
            f"; restore it, or let an empty one be made with the annotation {APPROVE}: {waiting.hash}",
            reason="DatabaseLost",
        )

    # --- what is to be done about it ----------------------------------------------------------------------------

    def needs(self, login: Login | None = None) -> Plan:
        """The engine's steps for the claim's own wish, or with `login` those of a RoleClaim, but those left alone."""
        return self._plan(self.desired(login), self.held)

    def role_needs(self, role: RolePass) -> Plan:
        """The engine's steps for one RoleClaim; none where nothing of it is to be touched."""
        login = role.login(self.binding, self.observed)
        return () if login is None else self.needs(login)

    def is_settled(self) -> bool:
        """Whether no login is to change and nothing is to be done in the server."""
        if self.keeper.decision.step is not Step.KEEP or self.needs():
            return False
        return not any(self._wants(role) for role in self._roles)

    def _wants(self, role: RolePass) -> bool:
        with role.guard():
            if role.served and role.served.decision.step is not Step.KEEP:
                return True
            return bool(self.role_needs(role))
        return False

    def _plan(self, desired: DatabaseSpec, held: Container[Action] = ()) -> Plan:
        return plan(self.binding.engine, desired, self.observed, self.keeper.contents, held)

    # --- what was changed by hand -------------------------------------------------------------------------------

    @property
    def wish(self) -> str:
        """The digest of the claim's own wish."""
        return drift.wish_of_database(self.desired())

    def role_wish(self, role: RolePass) -> str:
        """The digest of a RoleClaim's wish; empty where nothing of it is to be touched."""
        login = role.login(self.binding, self.observed)
        return drift.wish_of_database(self.desired(login)) if login else ""

    def repairs(self) -> Plan:
        """The steps that take back what somebody changed by hand."""
        if self._claim.status.settled_hash != self.wish:
            return ()
        return tuple(step for step in _mending(self.keeper, self.needs()) if step.part)

    def _find_drift(self) -> None:
        """Leave alone what the class only reports. Raises `Terminal` (`Drifted`) where the login cannot work so."""
        parts = drift.reported([self.binding.class_.spec.drift])
        own = self._plan(self.desired())
        if self._claim.status.settled_hash == self.wish:
            self.waiting = self._hold(_mending(self.keeper, own), parts, self._claim.metadata)
            _check_works(self.keeper, self.waiting, parts)
        for role in self._roles:
            with role.guard():
                login = role.login(self.binding, self.observed) if role.served else None
                if role.served and login and role.settled_hash == self.role_wish(role):
                    # A RoleClaim's plan holds its claim's steps as well; those are the claim's matter.
                    further = tuple(step for step in self._plan(self.desired(login)) if step not in own)
                    role.waiting = self._hold(_mending(role.served, further), parts, role.meta)
                    _check_works(role.served, role.waiting, parts)

    def _hold(self, steps: Plan, parts: frozenset[Part], meta: ObjectMeta) -> Waiting:
        """Hold the steps of these parts back, unless somebody approved them; what is told of it."""
        found = tuple(step for step in steps if step.part in parts and step not in self.held)
        waiting = drift.waiting(found, meta.uid)
        if waiting.approved(meta):
            return Waiting()
        self.held = Held((*self.held.actions, *found))
        return waiting


def _mending(keeper: LoginKeeper, steps: Plan) -> Plan:
    """Of these steps, those that may take somebody's change back."""
    if keeper.decision.step is Step.REPAIR:
        return (Action("repair", keeper.decision.why, part=Part.LOGIN), *steps)
    if keeper.decision.step is Step.KEEP:
        return steps
    # The login is about to change as a whole.
    return tuple(step for step in steps if step.part is not Part.LOGIN)


def _check_works(keeper: LoginKeeper, waiting: Waiting, parts: frozenset[Part]) -> None:
    if keeper.refused and waiting.steps and Part.LOGIN in parts:
        raise Terminal(drift.sentence(waiting), reason=drift.DRIFTED)
