"""One login through one pass: look at it, decide, have its password, prove it, publish it (PROTOCOL.md §4).

The same for a claim's own login and for a RoleClaim's.
"""

from __future__ import annotations

from datetime import timedelta

import attrs

from ..api import ROTATE, DatabaseClaim, LoginStatus, PendingAction, RoleClaim, format_duration
from ..client import CachedClient
from ..clock import Clock
from ..plugins import Engine
from ..rotation import Decision, Overlap, Past, Published, Rules, Step, decide, next_rotation, other, overlap, why_due
from ..secrets import Owner, check_format, new_password
from ..spi import Account, Contents, Credentials, Database, DatabaseRef, Endpoint, Probe, Transient, Verdict
from .quiet import Quiet
from .secret import SecretKeeper

_PUBLISHED = {Verdict.FULL: "ConnectionLimitReached", Verdict.UNKNOWN: "LoginUnproven"}
_MADE = {Verdict.FULL: "ServerFull"}
"""What a login that is not let in is told, by whether it was published or just made or mended; else `LoginRefused`."""


@attrs.frozen
class Means:
    """What every login's pass works with."""

    client: CachedClient
    engine: Engine
    clock: Clock
    quiet: Quiet


class LoginKeeper:
    """One login during one pass.

    Attributes:
        role: the role that its accounts act as.
        accounts: the two of them.
    """

    def __init__(
        self,
        means: Means,
        owner: Owner,
        model: DatabaseClaim | RoleClaim,
        role: str,
        accounts: tuple[str, str],
        rules: Rules,
    ) -> None:
        self.role, self.accounts = role, accounts
        self._probe: Probe | None = None
        self._overlap: Overlap | None = None
        self._asked = False
        self._begun = ""
        self._means, self._owner, self._model, self._rules = means, owner, model, rules
        self._secret = SecretKeeper(means.client, owner, model, rules.grace)
        self._published: Published | None = None
        self._decision: Decision | None = None
        self._credentials: Credentials | None = None
        self._verifier: str | None = None

    # --- looking and deciding: nothing is changed --------------------------------------------------------------

    def look(self) -> None:
        """Read the published Secret."""
        check_format(self._model.spec.secret_format)
        self._published = self._secret.look()

    @property
    def was_published(self) -> bool:
        """Whether somebody may depend on this login."""
        return self._published is not None or self._past is not None

    def decide(self, observed: Database | None, session: object, ref: DatabaseRef) -> None:
        """Try the published login and choose the step."""
        self._probe = self._try(observed, session, ref)
        self._overlap = self._overlapping(observed)
        due = "" if self._overlap else self._begun or self._wish()
        self._decision = decide(self.accounts, self._published, self._past, self._probe, due=due)
        self._asked = self._decision.step is Step.KEEP

    @property
    def decision(self) -> Decision:
        """What is done about the login."""
        assert self._decision is not None, "decide() comes first"
        return self._decision

    @property
    def contents(self) -> Contents | None:
        """What the last login saw inside the database."""
        return self._probe.contents if self._probe else None

    @property
    def broken(self) -> bool:
        """Whether the login that was published is proved not to work."""
        lost = self._published is None or not self._published.intact
        return self.decision.step is Step.REPAIR or (self.decision.step is Step.ROTATE and lost)

    @property
    def refused(self) -> bool:
        """Whether the published login is proved not to do what it is to: not let in, or acting as somebody else."""
        astray = self._probe is not None and self._probe.verdict is Verdict.ACCEPTED and not self._works
        return self.decision.step is Step.REPAIR or astray

    # --- acting ------------------------------------------------------------------------------------------------

    def confirm(self) -> None:
        """Raise `Transient` (`Conflict`) where the login was published anew since it was looked at."""
        self._secret.confirm()
        # Something will change now, and it may be what the login wanted.
        self._asked = self._asked and self._works

    def prepare(self) -> None:
        """Have the password that the step sets."""
        if self.decision.step is Step.FIRST:
            self._credentials = Credentials(self.decision.account, new_password())
        elif self.decision.step is Step.ROTATE:
            self._credentials = self._secret.pending(self.decision.account)
        else:
            assert self._published is not None
            self._credentials = Credentials(self._published.username, self._published.password)
        # Once in a pass: it costs 4,096 hashes, and has another salt each time.
        self._verifier = None if self.decision.step is Step.KEEP else self._means.engine.verifier(self._current)

    def wanted(self) -> tuple[Account, Account]:
        """The two accounts as they are to be."""
        keep = self.decision.step is Step.KEEP
        close = keep and self._overlap is not None and self._overlap.close
        idle = Account(other(self.accounts, self.decision.account), False if close else None)
        current = Account(self.decision.account, True, self._verifier)
        first, second = (current if name == current.name else idle for name in self.accounts)
        return first, second

    def doubt(self) -> None:
        """What the login saw is about to change: it is to be proved again."""
        self._asked = False

    def prove(self, session: object, ref: DatabaseRef) -> Contents | None:
        """Log in as the application would; return what that session saw.

        Nobody is asked again while nothing changed: a server may lock out who tries too often. Raises `Transient`,
        most often `LoginRefused`: the login is not published.
        """
        if not self._asked:
            self._probe = self._means.engine.probe(session, ref, self._current)
        assert self._probe is not None
        self._asked = True
        if self._works:
            return self._probe.contents
        name, verdict = self._current.username, self._probe.verdict
        if verdict is Verdict.ACCEPTED:
            words = f"login {name} works but acts as {self._probe.acts_as}, not {self.role}"
            raise Transient(words, reason="LoginRefused")
        reason = (_PUBLISHED if self.decision.step is Step.KEEP else _MADE).get(verdict, "LoginRefused")
        raise Transient(f"login {name} cannot log in: {self._probe.message}", reason=reason)

    def publish(self, endpoint: Endpoint, database: str, provider: str) -> None:
        """Write the Secret if it differs, and tidy up behind a rotation."""
        keys = self._keys(endpoint, database, provider)
        self._secret.publish(self._secret_type, keys, self._means.clock.now())
        self._secret.tidy(self._current.username)

    # --- what is said of it ------------------------------------------------------------------------------------

    @property
    def secret_name(self) -> str:
        """The published Secret's name."""
        return self._secret.name

    def status(self) -> LoginStatus:
        """The login's status after this pass."""
        past, name = self._past, self._current.username
        kept = past is not None and past.username == name and self.decision.step in (Step.KEEP, Step.REPAIR)
        since = past.since if kept and past and past.since else self._means.clock.now().replace(microsecond=0)
        return LoginStatus(
            username=name,
            since=since,
            next_rotation=next_rotation(since, self._rules, self._owner.meta.uid),
            rotate_token=past.token if kept and past else self._token,
        )

    def sentence(self) -> str:
        """One sentence for the Ready condition."""
        return f"Login {self._current.username} works; Secret {self.secret_name} holds it."

    def pending(self) -> tuple[PendingAction, ...]:
        """What waits: the old account's end, and a rotation that must not begin before it."""
        old, quiet = self._closing, format_duration(self._rules.grace)
        actions = []
        if old:
            waits = f"{quiet} without a session"
            actions.append(PendingAction(action="close", why=f"login {old} was replaced", waits_for=waits))
        if old and self._overlap and (wish := self._wish()):
            actions.append(PendingAction(action="rotate", why=wish, waits_for=f"the end of login {old}"))
        return tuple(actions)

    def steps(self, endpoint: Endpoint, database: str, provider: str) -> tuple[PendingAction, ...]:
        """What this pass would do about the login besides the engine's steps, and what waits. Reads only."""
        step, why = self.decision.step, self.decision.why
        name = self.secret_name
        if step is Step.FIRST:
            return (PendingAction(action="publish", why=f"Secret {name} is to hold the first login"),)
        if step is not Step.KEEP:
            return (PendingAction(action=step.value, why=why), *self.pending())
        self.prepare()
        if not self._secret.is_current(self._secret_type, self._keys(endpoint, database, provider)):
            return (PendingAction(action="publish", why=f"Secret {name} differs from what is wished"), *self.pending())
        return self.pending()

    def warnings(self) -> list[tuple[str, str]]:
        """What people should know although the login works (reason, sentence)."""
        if not self._closing or not self._overlap or not self._overlap.overdue:
            return []
        return [
            (
                "OldLoginInUse",
                f"login {self._closing} was replaced and is still in use; restart what holds it, or set "
                "rotation.force in the class; the next rotation waits for it",
            )
        ]

    def next_look(self) -> timedelta | None:
        """How soon this login wants another pass: for its rotation, or for the end of an old account or Secret."""
        soonest = timedelta(seconds=1)
        if self._closing or self._secret.superseding:
            return max(self._rules.grace / 10, soonest)
        if self._overlap and self._wish():
            # The old account was closed in this pass, and a rotation was waiting for that.
            return soonest
        due = self.status().next_rotation
        return max(due - self._means.clock.now(), soonest) if due else None

    # ---

    def _keys(self, endpoint: Endpoint, database: str, provider: str) -> dict[str, str]:
        """What the published Secret is to hold."""
        keys = self._means.engine.connection(endpoint, database, self._current, self._model.spec.ca_path)
        return {**keys, "provider": provider}

    @property
    def _secret_type(self) -> str:
        return self._means.engine.info.secret_type

    @property
    def _current(self) -> Credentials:
        assert self._credentials is not None, "prepare() comes first"
        return self._credentials

    @property
    def _past(self) -> Past | None:
        login = self._model.status.login
        return Past(login.username, login.since, login.rotate_token) if login else None

    @property
    def _token(self) -> str:
        return self._model.metadata.annotations.get(ROTATE, "")

    def _wish(self) -> str:
        return why_due(self._past, self._rules, self._owner.meta.uid, self._token, self._means.clock.now())

    @property
    def _works(self) -> bool:
        probe = self._probe
        return probe is not None and probe.verdict is Verdict.ACCEPTED and probe.acts_as in (None, self.role)

    @property
    def _closing(self) -> str:
        """The old account that may still log in after this pass, or empty."""
        if self.decision.step is Step.ROTATE and self._published is not None:
            return other(self.accounts, self.decision.account)
        return self._overlap.account if self._overlap and not self._overlap.close else ""

    def _try(self, observed: Database | None, session: object, ref: DatabaseRef) -> Probe | None:
        published = self._published
        if published is None or not published.intact or published.username not in self.accounts:
            return None
        role = observed.roles.get(published.username) if observed and observed.present else None
        if role is None or not role.login:
            return Probe(Verdict.CLOSED, "the account is absent or closed")
        return self._means.engine.probe(session, ref, Credentials(published.username, published.password))

    def _overlapping(self, observed: Database | None) -> Overlap | None:
        current = self._published.username if self._published else self._past.username if self._past else ""
        if observed is None or current not in self.accounts:
            return None
        uid, old = self._owner.meta.uid, observed.roles.get(other(self.accounts, current))
        if old is None or not old.login:
            self._means.quiet.forget(uid)
            return None
        if self._secret.is_begun(old.name):
            self._begun = "it was begun and cut short"
            return None
        quiet = self._means.quiet.seen(uid, self._published.checksum if self._published else "", old.sessions)
        since = self._past.since if self._past else None
        age = self._means.clock.now() - since if since else timedelta(0)
        return overlap(current, self.accounts, observed, self._rules, quiet, age)
