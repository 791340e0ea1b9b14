"""Broken engines, on the ground of the built-in `postgres`."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import attrs

from dbclaims.core import spi
from dbclaims.engines import postgres
from dbclaims.engines.postgres.observe import PostgresDatabase
from dbclaims.engines.postgres.session import Session

from .mutant import Mutant, register

MUTANTS: list[Mutant] = []
mutant = register(MUTANTS)

Seen = Generator[None, spi.Database | None, spi.Database | None]


class Sound:
    """The sound engine under another name; a mutant replaces what it breaks."""

    engine_open = staticmethod(postgres.engine_open)
    engine_survey = staticmethod(postgres.engine_survey)
    engine_hold = staticmethod(postgres.engine_hold)
    engine_lock = staticmethod(postgres.engine_lock)
    engine_observe = staticmethod(postgres.engine_observe)
    engine_plan = staticmethod(postgres.engine_plan)
    engine_apply = staticmethod(postgres.engine_apply)
    engine_verifier = staticmethod(postgres.engine_verifier)
    engine_probe = staticmethod(postgres.engine_probe)
    engine_sessions = staticmethod(postgres.engine_sessions)
    engine_connection = staticmethod(postgres.engine_connection)
    engine_close = staticmethod(postgres.engine_close)

    @spi.hookimpl
    def engine_info(self) -> spi.EngineInfo:
        return attrs.evolve(postgres.engine_info(), name="sound")


SOUND = Sound()


# --- None becomes a value, or a value None -----------------------------------------------------------------------


@mutant("test_a_creation_goes_on_in_a_process_that_knows_nothing", "half made is not absent", wrapper=True)
class Forgetful:
    """A database that is half made is taken for absent: a value became None."""

    @spi.hookimpl(wrapper=True)
    def engine_observe(self) -> Seen:
        observed = yield
        return observed if observed and observed.present else None


@mutant("test_a_database_that_nobody_made_is_none", "must answer None", wrapper=True)
class Ghost:
    """A database is there before anybody made it: None became a value."""

    @spi.hookimpl(wrapper=True)
    def engine_observe(self, ref: spi.DatabaseRef) -> Seen:
        return (yield) or spi.Database(ref, ref.owner, held=False, mark=None, present=False)


@mutant("test_a_server_that_is_away_is_unreachable", "observe answers None", wrapper=True)
class Swallower:
    """An error is taken for absence."""

    @spi.hookimpl(wrapper=True)
    def engine_observe(self) -> Seen:
        try:
            return (yield)
        except spi.Unreachable:
            return None


# --- ownership ---------------------------------------------------------------------------------------------------


@mutant("test_a_database_of_another_claim_is_left_alone", "DID NOT RAISE")
class Thief(Sound):
    """It takes over whatever has the right name."""

    @spi.hookimpl
    def engine_plan(self, desired: spi.DatabaseSpec | None, observed: Any) -> spi.Plan:
        return postgres.engine_plan(desired and attrs.evolve(desired, adopt=True), observed)


@mutant("test_another_server_is_never_taken_for_this_one", "DID NOT RAISE")
class Trusting(Sound):
    """It does not ask which server this is."""

    @spi.hookimpl
    def engine_observe(self, session: Session, ref: spi.DatabaseRef) -> PostgresDatabase | None:
        return postgres.engine_observe(session, attrs.evolve(ref, identity=None))


@mutant("test_two_controllers_do_not_work_on_one_database", "two controllers hold one lock")
class Lockless(Sound):
    """It takes no lock."""

    @spi.hookimpl
    def engine_lock(self, session: Session, ref: spi.DatabaseRef) -> AbstractContextManager[Session]:
        return nullcontext(session)


@mutant("test_nothing_goes_on_under_a_lost_lock", "DID NOT RAISE")
class Heedless(Sound):
    """It works on other connections than the one that holds the lock."""

    @spi.hookimpl
    def engine_lock(self, session: Session, ref: spi.DatabaseRef) -> AbstractContextManager[Session]:
        @contextmanager
        def beside() -> Iterator[Session]:
            with postgres.engine_lock(session, ref):
                yield session

        return beside()


# --- logins ------------------------------------------------------------------------------------------------------


@mutant("test_a_verifier_does_not_hold_the_password", "the password itself must not travel")
class Plain(Sound):
    """The password itself is sent to the server."""

    @spi.hookimpl
    def engine_verifier(self, login: spi.Credentials) -> str:
        return login.password


@mutant("test_a_connection_limit_holds_and_is_no_wrong_password", "proves nothing about the password", wrapper=True)
class Hasty:
    """Every login that is not let in is taken for a wrong password."""

    @spi.hookimpl(wrapper=True)
    def engine_probe(self) -> Generator[None, spi.Probe, spi.Probe]:
        probe = yield
        return probe if probe.verdict is spi.Verdict.ACCEPTED else attrs.evolve(probe, verdict=spi.Verdict.REFUSED)


@mutant("test_both_accounts_log_in_during_a_rotation", "the old login must go on working")
class Single(Sound):
    """A rotation closes the old account at once."""

    @spi.hookimpl
    def engine_plan(self, desired: spi.DatabaseSpec | None, observed: Any) -> spi.Plan:
        if desired:
            own, *others = desired.logins
            first, second = (attrs.evolve(each, login=bool(each.login)) for each in own.accounts)
            desired = attrs.evolve(desired, logins=(attrs.evolve(own, accounts=(first, second)), *others))
        return postgres.engine_plan(desired, observed)


@mutant("test_the_open_connections_of_each_account_are_counted", "(0, 0) == (1, 0)", wrapper=True)
class Blind:
    """It never sees a connection, and so a login that is in use is closed."""

    @spi.hookimpl(wrapper=True)
    def engine_sessions(self, ref: spi.DatabaseRef) -> Generator[None, Mapping[str, int], Mapping[str, int]]:
        yield
        return dict.fromkeys(ref.roles, 0)


@mutant("test_a_password_may_hold_every_printable_character", "")
class Unquoted(Sound):
    """The Secret's connection string is put together without quoting."""

    @spi.hookimpl
    def engine_connection(
        self, endpoint: spi.Endpoint, database: str, login: spi.Credentials, ca_path: str | None
    ) -> Mapping[str, str]:
        sound = postgres.engine_connection(endpoint, database, login, ca_path)
        parts = {"host": endpoint.host, "port": endpoint.port, "dbname": database, "sslmode": endpoint.tls.mode}
        dsn = " ".join(f"{key}={value}" for key, value in parts.items())
        return {**sound, "dsn": f"{dsn} user={login.username} password={login.password}"}


# --- rights ------------------------------------------------------------------------------------------------------


@mutant("test_a_reader_reads_and_does_not_write", "a reader can INSERT")
class Generous(Sound):
    """A reader gets a writer's rights."""

    @spi.hookimpl
    def engine_plan(self, desired: spi.DatabaseSpec | None, observed: Any) -> spi.Plan:
        if desired:
            logins = tuple(
                attrs.evolve(each, grants=dict.fromkeys(each.grants, spi.Access.WRITER)) for each in desired.logins
            )
            desired = attrs.evolve(desired, logins=logins)
        return postgres.engine_plan(desired, observed)


@mutant("test_a_released_database_keeps_its_data_and_lets_nobody_in", "DID NOT RAISE")
class Lenient(Sound):
    """A released database's open sessions go on."""

    @spi.hookimpl
    def engine_apply(self, session: Session, ref: spi.DatabaseRef, action: spi.Action) -> None:
        if action.verb != "closeAccounts":
            postgres.engine_apply(session, ref, action)

    @spi.hookimpl
    def engine_plan(self, desired: spi.DatabaseSpec | None, observed: Any) -> spi.Plan:
        return tuple(action for action in postgres.engine_plan(desired, observed) if action.verb != "closeAccounts")


# --- what shows, waits or changes --------------------------------------------------------------------------------


@mutant("test_no_secret_shows_in_an_error_a_log_or_a_result", "a secret shows: in an error")
class Chatterbox(Sound):
    """An error shows the admin's password."""

    @spi.hookimpl
    def engine_observe(self, session: Session, ref: spi.DatabaseRef) -> PostgresDatabase | None:
        try:
            return postgres.engine_observe(session, ref)
        except spi.SPIError as error:
            raise spi.Transient(f"{error} (tried {session.admin.password})") from None


@mutant("test_apply_never_waits", "it sleeps 3 s")
class Waiter(Sound):
    """Apply waits."""

    @spi.hookimpl
    def engine_apply(self, session: Session, ref: spi.DatabaseRef, action: spi.Action) -> None:
        postgres.engine_apply(session, ref, action)
        time.sleep(3)


@mutant("test_a_hook_that_reads_changes_nothing", "is not what it was before")
class Meddler(Sound):
    """Looking repairs."""

    @spi.hookimpl
    def engine_survey(self, session: Session) -> spi.Survey:
        with session.maintenance() as connection:
            connection.execute(f"ALTER ROLE {session.holder} CONNECTION LIMIT 7")
        return postgres.engine_survey(session)
