"""The core profile: what every provider must do, whether it makes servers or only reaches them."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import attrs

from dbclaims.conformance.server import FIELDS, ServerDriver
from dbclaims.core.spi import ServerSpec, SPIError

_SECRET_FIELD = re.compile(r"(password|passwd|passphrase|token|secret_access_key|private_key)$")


def test_a_session_opens_while_the_backend_is_away(server: ServerDriver) -> None:
    with server.outage():
        server.reopen()
    assert server.session is not None, "provider_open must return a session: any object that the other hooks need"


def test_no_secret_is_read_before_it_is_needed(server: ServerDriver) -> None:
    server.secrets = {}
    server.reopen()


def test_the_description_is_the_same_each_time(server: ServerDriver) -> None:
    assert server.provider.call("provider_info") == server.provider.info


def test_the_configuration_has_no_field_for_a_secret(server: ServerDriver) -> None:
    config = server.provider.info.config
    if config is not None:
        assert attrs.has(config), "ProviderInfo.config must be an attrs class"
        secret = [field.name for field in attrs.fields(config) if _SECRET_FIELD.search(field.name)]
        assert not secret, f"name a Secret instead of the fields {', '.join(secret)}"


def test_a_wish_comes_true_before_the_deadline(server: ServerDriver) -> None:
    observed = server.settled()
    assert observed.ready
    assert observed.endpoint is not None
    assert 0 < observed.endpoint.port < 65536
    assert observed.endpoint.host


def test_what_is_observed_is_what_was_asked_for(server: ServerDriver) -> None:
    observed = server.settled()
    assert observed.ref == server.ref
    # A provider that reaches any server does not know which engine answers there.
    assert observed.engine in ("", server.harness.engine)


def test_a_settled_server_stays_as_it_is(server: ServerDriver) -> None:
    observed, state = server.settled(), server.backend.state()
    for _ in range(3):
        server.backend.tick()
        assert server.plan(server.wish()) == (), "a settled server must have an empty plan"
        assert server.observe() == observed
    assert server.backend.state() == state


def test_no_wish_is_no_difference(server: ServerDriver) -> None:
    observed = server.settled()
    nothing = ServerSpec(server.ref, server.harness.engine)
    assert server.provider.plan(nothing, observed) == (), "a field that is None is no wish: what is there stays"


def test_planning_is_pure(server: ServerDriver) -> None:
    observed, state = server.settled(), server.backend.state()
    for desired, seen in [(server.wish(), None), (server.wish(), observed), (None, observed), (None, None)]:
        again = server.provider.plan(desired, seen)
        assert server.provider.plan(desired, seen) == again, "provider_plan must answer the same each time"
    assert server.backend.state() == state, "provider_plan must change nothing"


def test_every_action_says_what_it_does_and_why(server: ServerDriver) -> None:
    for desired, seen in [(server.wish(), None), (None, server.settled())]:
        for action in server.provider.plan(desired, seen):
            assert action.verb
            assert action.why


def test_a_failed_look_is_no_absent_server(server: ServerDriver) -> None:
    server.settled()
    with server.outage():
        _require_honest(server)


def test_a_missing_secret_is_no_absent_server(server: ServerDriver) -> None:
    server.settled()
    kept = server.secrets
    server.secrets = {}
    _require_honest(server)
    # The Secret is there, and whoever fills it has not come yet.
    server.secrets = {name: {} for name in kept}
    _require_honest(server)


def _require_honest(server: ServerDriver) -> None:
    """Look where nothing can be known: an error of the SPI is an honest answer, None is not."""
    with suppress(SPIError):
        assert server.observe() is not None, "None means certainly absent; when that is not certain, raise"


def test_nothing_is_done_to_end_what_never_was(server: ServerDriver) -> None:
    assert server.provider.plan(None, None) == (), "there is nothing to do about what is absent and not wished"


def test_the_end_comes_and_may_be_asked_for_again(server: ServerDriver) -> None:
    server.settled()
    for action in server.steps(None):
        server.apply(action)
    state = server.backend.state()
    server.settle(None)
    assert server.backend.state() == state
    if server.makes:
        assert server.observe() is None, "a server that was deleted must be observed as None"


def test_a_provider_that_makes_no_servers_changes_none(server: ServerDriver) -> None:
    state = server.backend.state()
    if not server.makes:
        observed = server.settled()
        assert server.provider.plan(server.wish(), None) == ()
        assert server.provider.plan(None, observed) == ()
        assert not server.provider.info.features & FIELDS.keys()
    assert server.backend.state() == state


def test_the_admin_login_is_there_when_the_server_is(server: ServerDriver) -> None:
    server.settled()
    if server.provider.has("provider_credentials"):
        login = server.provider.credentials(server.session, server.ref)
        assert login.username
        assert login.password
        assert server.provider.credentials(server.session, server.ref) == login
    else:
        assert server.makes, "a provider that makes no servers must know their admin login: provider_credentials"


def test_several_threads_share_a_session(server: ServerDriver) -> None:
    observed = server.settled()
    with server.recorder.unread(), ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(lambda _: server.observe(), range(8)))
    assert seen == [observed] * 8


def test_another_session_sees_the_same(server: ServerDriver) -> None:
    observed = server.settled()
    server.reopen()
    assert server.observe() == observed
