"""Broken providers, on the ground of the sound one in `tests/plugins/acme`."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from typing import Any

import attrs

from dbclaims.core import spi
from tests.plugins.acme import acme_provider as acme
from tests.plugins.acme.acme_provider import Session

from .mutant import Mutant, register

MUTANTS: list[Mutant] = []
mutant = register(MUTANTS)

Seen = Generator[None, spi.Server | None, spi.Server | None]


class Sound:
    """The sound provider; a mutant replaces what it breaks."""

    provider_info = staticmethod(acme.provider_info)
    provider_open = staticmethod(acme.provider_open)
    provider_observe = staticmethod(acme.provider_observe)
    provider_plan = staticmethod(acme.provider_plan)
    provider_apply = staticmethod(acme.provider_apply)


# --- None becomes a value, or a value None -----------------------------------------------------------------------


@mutant("test_a_failed_look_is_no_absent_server", "None means certainly absent", wrapper=True)
class Swallower:
    """An error is taken for absence."""

    @spi.hookimpl(wrapper=True)
    def provider_observe(self) -> Seen:
        try:
            return (yield)
        except spi.Transient:
            return None


@mutant("test_a_missing_secret_is_no_absent_server", "None means certainly absent", wrapper=True)
class Blind:
    """A Secret that is missing is taken for absence."""

    @spi.hookimpl(wrapper=True)
    def provider_observe(self) -> Seen:
        try:
            return (yield)
        except (spi.NotReady, spi.Refused):
            return None


@mutant("test_a_server_that_nobody_made_is_none", "must be observed as None", wrapper=True)
class Conjurer:
    """A server is there before anybody made it: None became a value."""

    @spi.hookimpl(wrapper=True)
    def provider_observe(self, ref: spi.ServerRef) -> Seen:
        return (yield) or spi.Server(ref, "postgres", ready=False)


@mutant("test_a_server_that_is_being_made_is_not_absent", "is there: ready=False", wrapper=True)
class Impatient:
    """A server that is not ready is taken for absent: a value became None."""

    @spi.hookimpl(wrapper=True)
    def provider_observe(self) -> Seen:
        observed = yield
        return observed if observed and observed.ready else None


@mutant("test_a_wish_comes_true_before_the_deadline", "it does not rest", wrapper=True)
class Restless:
    """A server never comes to rest: it asks for a look for ever."""

    @spi.hookimpl(wrapper=True)
    def provider_observe(self) -> Seen:
        observed = yield
        return attrs.evolve(observed, poll_after=1.0) if observed else None


# --- ownership ---------------------------------------------------------------------------------------------------


@mutant("test_the_server_of_another_object_is_left_alone", "DID NOT RAISE")
class Adopter(Sound):
    """It serves whatever has the right name."""

    @spi.hookimpl
    def provider_observe(self, session: Session, ref: spi.ServerRef) -> spi.Server | None:
        body = acme.call(session, "GET", ref)
        return acme.provider_observe(session, attrs.evolve(ref, owner=body["owner"] if body else ref.owner))


@mutant("test_names_that_look_alike_are_two_servers", "belongs to somebody else")
class Joiner(Sound):
    """Two names are joined by what may stand in them."""

    @spi.hookimpl
    def provider_observe(self, session: Session, ref: spi.ServerRef) -> spi.Server | None:
        return acme.provider_observe(session, _joined(ref))

    @spi.hookimpl
    def provider_apply(self, session: Session, ref: spi.ServerRef, action: spi.Action) -> None:
        acme.provider_apply(session, _joined(ref), action)


def _joined(ref: spi.ServerRef) -> spi.ServerRef:
    return attrs.evolve(ref, namespace="all", name=f"{ref.namespace}-{ref.name}")


# --- doing it twice ----------------------------------------------------------------------------------------------


@mutant("test_every_action_of_a_creation_may_be_applied_again", "exists; choose another name")
class OnlyOnce(Sound):
    """Creating what is there is an error."""

    @spi.hookimpl
    def provider_apply(self, session: Session, ref: spi.ServerRef, action: spi.Action) -> None:
        if action.verb == "create" and acme.provider_observe(session, ref) is not None:
            raise spi.Terminal(f"{ref.name} exists; choose another name")
        acme.provider_apply(session, ref, action)


@mutant("test_nothing_is_done_to_end_what_never_was", "absent and not wished")
class Undertaker(Sound):
    """What is absent is deleted all the same."""

    @spi.hookimpl
    def provider_plan(self, desired: spi.ServerSpec | None, observed: spi.Server | None) -> spi.Plan:
        return acme.provider_plan(desired, observed) or ((spi.Action("delete", "gone"),) if desired is None else ())


# --- planning ----------------------------------------------------------------------------------------------------


@mutant("test_a_change_comes_true", "it still plans resize")
class Liar(Sound):
    """It declares a feature and does nothing."""

    @spi.hookimpl
    def provider_apply(self, session: Session, ref: spi.ServerRef, action: spi.Action) -> None:
        if action.verb != "resize":
            acme.provider_apply(session, ref, action)


@mutant("test_no_wish_is_no_difference", "a field that is None is no wish")
class Pedant(Sound):
    """No wish is a difference."""

    @spi.hookimpl
    def provider_plan(self, desired: spi.ServerSpec | None, observed: spi.Server | None) -> spi.Plan:
        if desired and observed and desired.size != observed.size:
            return (spi.Action("resize", "differs", {"size": desired.size}),)
        return acme.provider_plan(desired, observed)


@mutant("test_planning_is_pure", "the same each time")
class Moody(Sound):
    """Planning remembers what it planned."""

    def __init__(self) -> None:
        self.asked = 0

    @spi.hookimpl
    def provider_plan(self, desired: spi.ServerSpec | None, observed: spi.Server | None) -> spi.Plan:
        self.asked += 1
        plan = acme.provider_plan(desired, observed)
        return tuple(attrs.evolve(action, why=f"{action.why}, asked {self.asked} times") for action in plan)


@mutant("test_a_change_is_no_new_server", "must not remove the server")
class Replacer(Sound):
    """A change makes a new server."""

    @spi.hookimpl
    def provider_apply(self, session: Session, ref: spi.ServerRef, action: spi.Action) -> None:
        acme.provider_apply(session, ref, spi.Action("delete", "") if action.verb == "resize" else action)


# --- what shows, waits or changes --------------------------------------------------------------------------------


@mutant("test_no_secret_shows_in_an_error_a_log_or_a_result", "a secret shows: in an error")
class Chatterbox(Sound):
    """An error shows the token."""

    @spi.hookimpl
    def provider_observe(self, session: Session, ref: spi.ServerRef) -> spi.Server | None:
        config, secrets, _ = session
        try:
            return acme.provider_observe(session, ref)
        except spi.Transient as error:
            token = secrets(config.token_secret_name)["token"]
            raise spi.Transient(f"{error}; token {token}") from error


@mutant("test_no_secret_shows_in_an_error_a_log_or_a_result", "a secret shows: in the log of acme")
class Diarist(Sound):
    """The log shows the admin's password."""

    @spi.hookimpl
    def provider_apply(self, session: Session, ref: spi.ServerRef, action: spi.Action) -> None:
        logging.getLogger("acme").debug("apply %s", dict(action.args))
        acme.provider_apply(session, ref, action)


@mutant("test_apply_never_waits", "it sleeps 5 s")
class Waiter(Sound):
    """Apply waits for its end."""

    @spi.hookimpl
    def provider_apply(self, session: Session, ref: spi.ServerRef, action: spi.Action) -> None:
        acme.provider_apply(session, ref, action)
        time.sleep(5)


@mutant("test_a_hook_that_reads_changes_nothing", "is not what it was before")
class Meddler(Sound):
    """Looking repairs."""

    @spi.hookimpl
    def provider_observe(self, session: Session, ref: spi.ServerRef) -> spi.Server | None:
        observed = acme.provider_observe(session, ref)
        if observed and observed.ready:
            acme.call(session, "PATCH", ref, {"seen": True})
        return observed


@mutant("test_only_errors_of_the_spi_are_raised", "not of the SPI")
class Stranger(Sound):
    """An error of its own comes out."""

    @spi.hookimpl
    def provider_observe(self, session: Session, ref: spi.ServerRef) -> Any:
        try:
            return acme.provider_observe(session, ref)
        except spi.Transient as error:
            raise RuntimeError("503") from error


@mutant("test_a_session_opens_while_the_backend_is_away", "503")
class Eager(Sound):
    """Opening a session goes to the network."""

    @spi.hookimpl
    def provider_open(self, config: acme.Config, secrets: spi.SecretReader) -> Session:
        session = acme.provider_open(config, secrets)
        acme.call(session, "GET", spi.ServerRef("any", "any", "any"))
        return session
