"""One RoleClaim during one pass of its claim: one database is one key (DESIGN.md §1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from .. import conditions, drift, naming
from ..admission import access_of, check_grant, check_interval
from ..api import (
    FINALIZER,
    ClaimGrant,
    ObjectMeta,
    RoleClaim,
    RoleClaimStatus,
    check_annotations,
    from_document,
)
from ..approval import Waiting
from ..kinds import ROLE
from ..objectstore import Object, StoreError
from ..outcome import Failure
from ..secrets import Owner
from ..spi import (
    HELD,
    RELEASED,
    Access,
    Account,
    Database,
    EngineInfo,
    Feature,
    InvalidSpec,
    Login,
    Mark,
    Unreachable,
    Unsupported,
)
from .binding import Binding, rules_of
from .grant import hold
from .login import LoginKeeper, Means
from .tools import Tools

_REVOKED = frozenset({"NotGranted", "GrantStale"})

_WAITS = {
    "Paused": "Paused by annotation: nothing in the server is changed, a published login goes on.",
    "Protected": "dbclaims.io/protect refuses the deletion; remove it first",
}


class RolePass:
    """One RoleClaim during one pass.

    Attributes:
        document: as it is stored; replaced by every write.
        role: the NOLOGIN role in the server that stands for it, empty until `name`.
        accounts: the two that log in.
        keeper: its login; None where it is not served.
        failure: why it is not served, or what failed.
        waiting: what of it was changed by hand and is only reported.
    """

    def __init__(self, tools: Tools, document: Object) -> None:
        self.document = document
        self.role = ""
        self.accounts = ("", "")
        self.keeper: LoginKeeper | None = None
        self.failure: Failure | None = None
        self.waiting = Waiting()
        self._tools = tools
        self._model: RoleClaim | None = None
        self._uid = ""
        self._owner = False
        self._grants: dict[str, Access] = {}
        self._grant: ClaimGrant | None = None
        self._status = from_document(document.get("status") or {}, RoleClaimStatus)

    @property
    def deleting(self) -> bool:
        """Whether the RoleClaim is meant to go."""
        return bool(self.document["metadata"].get("deletionTimestamp"))

    @property
    def held(self) -> bool:
        """Whether it has our finalizer: the server may hold something of it."""
        return FINALIZER in self.document["metadata"].get("finalizers", ())

    @property
    def names(self) -> tuple[str, ...]:
        """The roles that the server is asked about."""
        return (self.role, *self.accounts) if self.role else ()

    @property
    def served(self) -> LoginKeeper | None:
        """Its login, while it is to work and nothing failed."""
        return None if self.failure or self.deleting or self.waits else self.keeper

    @property
    def waits(self) -> str:
        """The reason why nothing of it may change now, although somebody wishes it; empty where nothing holds it."""
        if self.meta.paused:
            return "Paused"
        return "Protected" if self.deleting and self.meta.protected else ""

    @contextmanager
    def guard(self) -> Iterator[None]:
        """What goes wrong with one RoleClaim stays with it.

        A `StoreError` and a dead server pass: they say nothing of the claim, and each further one would wait as long.
        """
        try:
            yield
        except (StoreError, Unreachable):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes a condition
            self.failure = self._tools.failure(error, broken=self._broken)
            if self.failure.reason in _REVOKED:
                # What it had opened is closed, so that its login does not work.
                self.failure = attrs.evolve(self.failure, broken=True)

    def find_names(self, database: str, info: EngineInfo) -> None:
        """Find its roles' names."""
        metadata = self.document["metadata"]
        self._uid = self._tools.lookup.namespace(metadata["namespace"]).uid
        self.role, self.accounts = naming.role_names(database, self._uid, metadata["name"], info)

    def closed(self, observed: Database, installation: str) -> Login | None:
        """What is wished of it when its claim is released: nobody logs in, all else stays.

        Told from what is there, since the RoleClaim may have been edited; None where nothing of it is.
        """
        mark = self._mark(installation, RELEASED)
        role = observed.roles.get(self.role)
        if role is not None and role.mark is not None and role.mark.same_owner(mark):
            return Login(self.role, self._shut, mark=mark)
        return Login(observed.owner, self._shut) if self._acts_as_owner(observed) else None

    def admit(self, binding: Binding, means: Means) -> None:
        """Check that it may be served and read its Secret; raises `SPIError` or `SpecError` where it may not."""
        model = self._model = self._parsed()
        info = binding.engine.info
        if Feature.ROLES not in info.features:
            raise Unsupported(f"engine {info.name!r} does not support RoleClaims")
        if problems := check_annotations(model.metadata):
            raise InvalidSpec(str(problems[0]), reason="InvalidAnnotation")
        self._owner, grants = access_of(model, binding.claim)
        self._grants = dict(grants)
        grants_there = self._tools.lookup.grants_in(binding.claim.metadata.namespace)
        self._grant = check_grant(model, binding.claim, grants_there, self._uid)
        check_interval(model, binding.class_)
        rules = rules_of(binding.class_, model.spec.rotation)
        acts_as = binding.owner if self._owner else self.role
        self.keeper = LoginKeeper(means, Owner(ROLE, model.metadata), model, acts_as, self.accounts, rules)
        self.keeper.look()

    def take_owner(self, owner: str) -> None:
        """The database turned out to keep an owner of its own."""
        if self._owner and self.keeper is not None:
            self.keeper.role = owner

    def login(self, binding: Binding, observed: Database | None) -> Login | None:
        """What is wished of it in the server; None where nothing is to be touched.

        A consent that was taken back closes what it had opened; any other failure leaves a working login alone.
        """
        if self.served:
            return self._login(binding, self.served.wanted(), owner=self._owner)
        revoked = self.failure is not None and self.failure.reason in _REVOKED
        if self.waits or not (self.deleting or revoked) or observed is None or self._is_absent(observed):
            return None
        # Told from what is there: its spec may have been edited, or be refused.
        return self._login(binding, self._shut, owner=self._acts_as_owner(observed))

    def _login(self, binding: Binding, accounts: tuple[Account, Account], *, owner: bool) -> Login:
        return Login(
            role=binding.owner if owner else self.role,
            accounts=accounts,
            grants={} if owner else self._grants,
            connection_limit=binding.class_.spec.connection_limit,
            mark=None if owner else self._mark(binding.mark.installation),
            drop=self.deleting,
        )

    @property
    def _shut(self) -> tuple[Account, Account]:
        first, second = self.accounts
        return Account(first, False), Account(second, False)

    def _acts_as_owner(self, observed: Database) -> bool:
        there = [observed.roles[name] for name in self.accounts if name in observed.roles]
        return any(observed.owner in (each.acts_as, *each.member_of) for each in there)

    def _mark(self, installation: str, state: str = HELD) -> Mark:
        meta = self.document["metadata"]
        return Mark(installation, "RoleClaim", self._uid, meta["namespace"], meta["name"], meta["uid"], state)

    def _is_absent(self, observed: Database) -> bool:
        return not self.role or not any(name in observed.roles for name in self.names)

    def ensure_finalizer(self) -> None:
        """Set the finalizer, before the first write to the server."""
        if not self.held and not self.deleting:
            self._set_finalizers([*self.document["metadata"].get("finalizers", ()), FINALIZER])

    def let_go(self) -> None:
        """Take the finalizer away: nothing of it is left, or what is left goes with its database."""
        self._tools.quiet.forget(self.document["metadata"]["uid"])
        if self.held:
            self._set_finalizers([f for f in self.document["metadata"]["finalizers"] if f != FINALIZER])

    @property
    def settled_hash(self) -> str | None:
        """The digest of the wish that was last carried out."""
        return self._status.settled_hash

    def report(self, binding: Binding, wish: str) -> None:
        """Write the status: that it works, with the digest of its wish; or what stands in `failure`."""
        keeper = self.keeper
        if self.failure is not None or keeper is None or self.deleting or self.waits:
            self.report_failure()
            return
        generation = self._generation
        after = RoleClaimStatus(
            observed_generation=generation,
            pending=(*keeper.pending(), *self.waiting.steps),
            pending_hash=self.waiting.hash,
            settled_hash=wish,
            endpoint=binding.client_endpoint,
            database_name=binding.database,
            version=binding.server.status.version,
            secret_name=keeper.secret_name,
            login=keeper.status(),
        )
        said = conditions.ready(generation, keeper.sentence())
        self._write(after, conditions.warned(said, generation, (*keeper.warnings(), *drift.warnings(self.waiting))))
        if self._grant is not None:
            hold(self._tools, self._grant, self.document["metadata"]["namespace"], self._uid)

    def report_failure(self, instead: Failure | None = None) -> None:
        """Write what failed; `instead` is the claim's own trouble, where this RoleClaim has none."""
        failure, before, generation = self.failure or instead, self._status.conditions, self._generation
        if self.waits and not (failure and failure.broken):
            said = conditions.deleting(before, generation, _WAITS[self.waits], self.waits)
        elif failure is None:
            return
        elif self.deleting:
            said = conditions.deleting(before, generation, failure.message, failure.reason)
        else:
            said = failure.conditions(before, generation, self._tools.clock.now())
        after = attrs.evolve(
            self._status, observed_generation=generation, pending=self.waiting.steps, pending_hash=self.waiting.hash
        )
        self._write(after, said)

    @property
    def _broken(self) -> bool:
        return bool(self.keeper and self.keeper.broken and conditions.is_live(self._status.conditions))

    @property
    def meta(self) -> ObjectMeta:
        """Its metadata, as far as a pass needs them even of a RoleClaim that cannot be read."""
        metadata = self.document["metadata"]
        return ObjectMeta(name=metadata["name"], uid=metadata["uid"], annotations=metadata.get("annotations") or {})

    @property
    def _generation(self) -> int:
        return int(self.document["metadata"].get("generation", 0))

    def _parsed(self) -> RoleClaim:
        metadata = self.document["metadata"]
        model = self._tools.lookup.role(f"{metadata['namespace']}/{metadata['name']}")
        if model is None:
            raise InvalidSpec("vanished while it was looked at")
        return model

    def _set_finalizers(self, finalizers: list[str]) -> None:
        metadata = self.document["metadata"]
        self.document = self._tools.client.patch(
            ROLE,
            metadata["namespace"],
            metadata["name"],
            {"metadata": {"finalizers": finalizers}},
            resource_version=metadata["resourceVersion"],
        )

    def _write(self, after: RoleClaimStatus, said: conditions.Conditions) -> None:
        self.document = self._tools.reporter.write(ROLE, self.document, self._status, after, said)


def open_roles(tools: Tools, claim: str) -> list[RolePass]:
    """The RoleClaims that name this claim."""
    documents = (tools.lookup.document(ROLE, key) for key in tools.lookup.roles_of(claim))
    return [RolePass(tools, document) for document in documents if document is not None]
