"""Opened servers: one provider session, one engine session and one circuit breaker for each DatabaseServer.

A server that was found dead is not asked again until its breaker closes, so that of many claims on it only one pays for
the time-out (peer-cost.md §4: one silent host stops three of four operators for good).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import attrs

from .api import DatabaseServer, ServerDeletionPolicy
from .breaker import LONGEST, Breaker
from .clock import Clock
from .config import structure_config
from .kinds import SECRET
from .objectstore import ObjectStore
from .plugins import Engine, Plugins, Provider
from .secrets import decoded
from .spi import (
    Credentials,
    Installation,
    InvalidSpec,
    NotReady,
    Refused,
    SecretReader,
    Server,
    ServerRef,
    SPIError,
    Terminal,
    Transient,
    Unreachable,
    Unsupported,
)

SLOTS = 8
"""Passes that may work on one server at once, and connections of its pool."""


class Backend:
    """One opened server.

    Attributes:
        provider: the plugin that makes or reaches it, and `provider_session` its session.
        engine: the plugin that speaks to it.
        ref: which server.
        server: as the provider last observed it; None until `observe`.
    """

    def __init__(
        self,
        provider: Provider,
        provider_session: object,
        engine: Engine,
        ref: ServerRef,
        secrets: SecretReader,
        installation: Installation,
        clock: Clock,
    ) -> None:
        self.provider, self.provider_session, self.engine, self.ref = provider, provider_session, engine, ref
        self.server: Server | None = None
        self._secrets, self._installation = secrets, installation
        self._breaker = Breaker(clock)
        self._lock = threading.Lock()
        self._session: object = None
        self._admin: Credentials | None = None

    def observe(self) -> Server | None:
        """Ask the provider; a moved endpoint closes the engine's session."""
        observed = self.provider.observe(self.provider_session, self.ref)
        with self._lock:
            if (
                self.server
                and observed
                and (self.server.endpoint, self.server.traits)
                != (
                    observed.endpoint,
                    observed.traits,
                )
            ):
                self._drop()
            self.server = observed
        return observed

    @contextmanager
    def session(self) -> Iterator[object]:
        """The engine's session to work with.

        Refused while the breaker is open; a failure to reach the server, or to log in as its admin, opens it. Raises
        `SPIError`: nothing here says that anything is absent.
        """
        self._breaker.check()
        try:
            yield self._connected()
        except Unreachable as error:
            self._breaker.trip(error)
            raise
        except Refused as error:
            if error.reason == "AdminLoginRefused":
                self._refused(error)
                # Its Secret is not watched, and a mended one is to be found without a nudge.
                error.retry_after = LONGEST
            raise
        self._breaker.reset()

    def close(self) -> None:
        """Give back what both sessions hold."""
        with self._lock:
            self._drop()
        if self.provider.has("provider_close"):
            self.provider.close(self.provider_session)

    def _connected(self) -> object:
        server = self.server or self.observe()
        if server is None or not server.ready or server.endpoint is None:
            words = server.message if server and server.message else "has no endpoint yet"
            raise NotReady(f"DatabaseServer {self._key}: {words}", reason="ServerNotReady")
        with self._lock:
            if self._session is None:
                self._admin = self._read_admin()
                self._session = self.engine.open(server.endpoint, self._admin, server.traits, self._installation, SLOTS)
            return self._session

    def _refused(self, error: Refused) -> None:
        """The admin's password may have been rotated by others: read it once more before waiting."""
        with self._lock:
            used = self._admin
            self._drop()
        try:
            changed = self._read_admin() != used
        except SPIError as missing:
            self._breaker.trip(missing)
            raise
        if changed:
            raise Transient(f"{error.message}; its Secret has changed since", retry_after=0.0) from error
        self._breaker.trip(error)

    def _drop(self) -> None:
        if self._session is not None and self.engine.has("engine_close"):
            self.engine.close(self._session)
        self._session = None

    def _read_admin(self) -> Credentials:
        if self.provider.has("provider_credentials"):
            return self.provider.credentials(self.provider_session, self.ref)
        secret = self._secrets(admin_secret_name(self.ref.name))
        try:
            return Credentials(secret["username"], secret["password"])
        except KeyError as error:
            message = f"the admin Secret of DatabaseServer {self._key} has no key {error}; add it"
            raise Terminal(message, reason="SecretKeyMissing", retry_after=LONGEST) from error

    @property
    def _key(self) -> str:
        return f"{self.ref.namespace}/{self.ref.name}"


@attrs.frozen
class _Opened:
    uid: str
    generation: int
    config: Mapping[str, object]
    backend: Backend


class Backends:
    """Every opened server, by the key of its DatabaseServer; `uid_of` gives a namespace's uid, or raises `SPIError`."""

    def __init__(
        self,
        plugins: Plugins,
        store: ObjectStore,
        installation: Installation,
        clock: Clock,
        uid_of: Callable[[str], str],
    ) -> None:
        self.installation = installation
        self._plugins, self._store, self._clock, self._uid_of = plugins, store, clock, uid_of
        self._opened: dict[str, _Opened] = {}
        self._lock = threading.Lock()

    def get(self, server: DatabaseServer) -> Backend:
        """The server's sessions, opened anew after an edit of its spec or of its class's sizes. No network.

        Raises `Unsupported` (`PluginMissing`), `InvalidSpec` for a bad `config`, and what `provider_open` raises.
        """
        meta = server.metadata
        with self._lock:
            known = self._opened.get(meta.key)
            config = server.spec.config
            if known and (known.uid, known.generation, known.config) == (meta.uid, meta.generation, config):
                return known.backend
            backend = self._open(server)
            self._opened[meta.key] = _Opened(meta.uid, meta.generation, config, backend)
        if known:
            known.backend.close()
        return backend

    def forget(self, key: str) -> None:
        """Close a server that is gone or no longer served."""
        with self._lock:
            known = self._opened.pop(key, None)
        if known:
            known.backend.close()

    def close(self) -> None:
        """Close all."""
        for key in list(self._opened):
            self.forget(key)

    def engine(self, name: str) -> Engine:
        """An engine by name; raises `Unsupported` (`PluginMissing`)."""
        if name not in self._plugins.engines:
            raise Unsupported(self._plugins.unavailable(name), reason="PluginMissing")
        return self._plugins.engines[name]

    def provider(self, name: str) -> Provider:
        """A provider by name; raises `Unsupported` (`PluginMissing`)."""
        if name not in self._plugins.providers:
            raise Unsupported(self._plugins.unavailable(name), reason="PluginMissing")
        return self._plugins.providers[name]

    def _open(self, server: DatabaseServer) -> Backend:
        provider, engine = self.provider(server.spec.provider), self.engine(server.spec.engine)
        if provider.info.engines and engine.info.name not in provider.info.engines:
            raise Unsupported(f"spec.engine: provider {provider.info.name!r} has no {engine.info.name} servers")
        meta = server.metadata
        owner, keeps = self._uid_of(meta.namespace), server.spec.deletion_policy == ServerDeletionPolicy.SNAPSHOT
        ref = ServerRef(meta.namespace, meta.name, owner, self.installation.id, final_snapshot=keeps)
        secrets = self._reader(meta.namespace)
        # Last, since whatever fails after it would leave the session open.
        session = provider.open(_config(provider, server.spec.config), secrets)
        return Backend(provider, session, engine, ref, secrets, self.installation, self._clock)

    def _reader(self, namespace: str) -> SecretReader:
        def read(name: str) -> Mapping[str, str]:
            secret = self._store.get(SECRET, namespace, name)
            if secret is None:
                message = f"Secret {name!r} does not exist in namespace {namespace!r}; create it"
                raise NotReady(message, reason="SecretMissing", retry_after=LONGEST)
            return decoded(secret)

        return read


def admin_secret_name(server: str) -> str:
    """The Secret of the admin login that the core makes, where the provider has none of its own."""
    return f"{server}-admin"


def _config(provider: Provider, block: Mapping[str, object]) -> object:
    if provider.info.config is not None:
        return structure_config(provider.info.config, block)
    if block:
        raise InvalidSpec(f"spec.config: provider {provider.info.name!r} takes none; remove it")
    return None
