"""Every hook: its signature and its contract. This file is the whole of what a plugin implements.

Common to all hooks that take a session: bounded by the driver's own timeouts, below 10 s; raises only `SPIError`;
may be called from several threads at once. `observe` only reads. `plan` is pure and gets no session. `apply` starts
one step, does not wait for its end, and may be repeated. A session is opaque to the core.

A hook that is marked optional may be missing; any other missing or misspelt hook stops the process at start-up.
"""

# Hooks are docstrings with honest return types; only the implementations return anything.
# mypy: disable-error-code="empty-body"

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import pluggy

from .model import (
    Action,
    Credentials,
    Database,
    DatabaseRef,
    DatabaseSpec,
    Endpoint,
    EngineInfo,
    Installation,
    Plan,
    Probe,
    ProviderInfo,
    SecretReader,
    Server,
    ServerRef,
    ServerSpec,
    Survey,
)

PROJECT = "dbclaims"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

# --- providers ---------------------------------------------------------------------------------------------------


@hookspec(firstresult=True)
def provider_info() -> ProviderInfo:
    """Describe the provider. Pure; called once, at start-up."""


@hookspec(firstresult=True)
def provider_open(config: Any, secrets: SecretReader) -> object:
    """Make a session for one configuration. No network; works while the backend is down.

    `config` is an instance of `provider_info().config`. `secrets` reads Secrets of the server's namespace, live.
    """


@hookspec(firstresult=True)
def provider_observe(session: Any, ref: ServerRef) -> Server | None:
    """Look at the server. None means certainly absent; when that is not certain, raise."""


@hookspec(firstresult=True)
def provider_plan(desired: ServerSpec | None, observed: Server | None) -> Plan:
    """Decide what to do next. Pure. `()` means in sync; `desired=None` plans the server's end."""


@hookspec(firstresult=True)
def provider_apply(session: Any, ref: ServerRef, action: Action) -> None:
    """Start one action and return. May be repeated."""


@hookspec(firstresult=True)
def provider_credentials(session: Any, ref: ServerRef) -> Credentials:
    """Optional. The admin login of a server whose provider knows it; otherwise the core makes one."""


@hookspec(firstresult=True)
def provider_close(session: Any) -> None:
    """Optional. Give back what the session holds."""


# --- engines -----------------------------------------------------------------------------------------------------


@hookspec(firstresult=True)
def engine_info() -> EngineInfo:
    """Describe the engine. Pure; called once, at start-up."""


@hookspec(firstresult=True)
def engine_open(
    endpoint: Endpoint, admin: Credentials, traits: Mapping[str, str], installation: Installation, slots: int
) -> object:
    """Make a session: one pool of at most `slots` connections, opened on demand. No network."""


@hookspec(firstresult=True)
def engine_survey(session: Any) -> Survey:
    """Look at the server as a whole: version, identity, what people should know of it."""


@hookspec(firstresult=True)
def engine_hold(session: Any, identity: str) -> str:
    """Make our holder role with this identity, unless there is one; return the identity that stands there."""


@hookspec(firstresult=True)
def engine_lock(session: Any, ref: DatabaseRef) -> AbstractContextManager[object]:
    """Keep other controllers away from one database.

    Yields the session to use inside. Raises `Transient` (`LockHeld`) after a bounded wait, and `Terminal`
    (`PoolerEndpoint`) when the server forgets locks between statements.
    """


@hookspec(firstresult=True)
def engine_observe(session: Any, ref: DatabaseRef) -> Database | None:
    """Look at the database and the roles named in `ref`. None means that all of them are certainly absent.

    Raises `Terminal` (`ServerChanged`) when the server's identity is not `ref.identity`, before anything else.
    """


@hookspec(firstresult=True)
def engine_plan(desired: DatabaseSpec | None, observed: Database | None) -> Plan:
    """Decide what to do, in order. Pure. `()` means in sync; `desired=None` plans the database's end.

    Raises `NotOwned` where a name belongs to somebody else.
    """


@hookspec(firstresult=True)
def engine_apply(session: Any, ref: DatabaseRef, action: Action) -> None:
    """Do one action. May be repeated."""


@hookspec(firstresult=True)
def engine_verifier(login: Credentials) -> str:
    """What the server stores for this password, computed here so that the password never travels. No network."""


@hookspec(firstresult=True)
def engine_probe(session: Any, ref: DatabaseRef, login: Credentials) -> Probe:
    """Log in as an application would, say how the server answered, and read what the database holds."""


@hookspec(firstresult=True)
def engine_sessions(session: Any, ref: DatabaseRef) -> Mapping[str, int]:
    """Count the open connections of each role named in `ref`."""


@hookspec(firstresult=True)
def engine_connection(endpoint: Endpoint, database: str, login: Credentials, ca_path: str | None) -> Mapping[str, str]:
    """The published Secret's keys, but for `provider`. Pure."""


@hookspec(firstresult=True)
def engine_close(session: Any) -> None:
    """Optional. Close the session's connections."""


# --- observers ---------------------------------------------------------------------------------------------------


@hookspec
def claim_reconciled(kind: str, namespace: str, name: str, ready: str, reason: str, seconds: float) -> None:
    """Optional, broadcast: a pass over one object has ended. For audit and tracing; changes nothing."""


OPTIONAL = frozenset({"provider_credentials", "provider_close", "engine_close"})
"""Hooks that a complete plugin may leave out."""
