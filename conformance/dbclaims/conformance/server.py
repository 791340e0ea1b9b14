"""A server on a provider's disposable backend, and the core's loop over it: observe, plan, apply."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

from dbclaims.core.config import structure_config
from dbclaims.core.plugins import Provider
from dbclaims.core.spi import (
    Action,
    Credentials,
    Feature,
    NotReady,
    Server,
    ServerRef,
    ServerSpec,
    Transient,
)

from .harness import PUBLIC, ProviderBackend, ProviderHarness
from .recorder import Recorder

FIELDS: Mapping[Feature, str] = {
    Feature.RESIZE: "size",
    Feature.VERSION: "version",
    Feature.STORAGE: "storage_gib",
    Feature.HIGH_AVAILABILITY: "high_availability",
    Feature.PARAMETERS: "parameters",
    Feature.MAINTENANCE_WINDOW: "maintenance_window",
    Feature.BACKUP: "backup",
    Feature.TAGS: "tags",
}
"""Which field of `ServerSpec` each feature is about."""

_ADMIN = "conformance-admin-password"
_numbers = itertools.count(1)


@attrs.define
class ServerDriver:
    """One server: what is wished of it, and how far it is.

    Attributes:
        secrets: what can be read in the server's namespace; the backend's, until a test takes some away.
        session: the provider's, made anew by `reopen`.
        ref: which server; a name of its own in every test.
    """

    provider: Provider
    harness: ProviderHarness
    backend: ProviderBackend
    recorder: Recorder
    ref: ServerRef = attrs.field(factory=lambda: _ref(next(_numbers)))
    secrets: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict, repr=False)
    session: object = None

    def __attrs_post_init__(self) -> None:
        """Open the first session; what must not show is known before."""
        self.secrets = self.backend.secrets
        pairs = [pair for secret in self.secrets.values() for pair in secret.items()]
        self.recorder.guard(_ADMIN, *(value for key, value in pairs if key not in PUBLIC))
        self.reopen()

    def reopen(self) -> None:
        """Make a new session, as a process that was started again does."""
        self.close()
        assert self.provider.info.config is not None or not self.backend.config, "a config needs ProviderInfo.config"
        config = self.provider.info.config and structure_config(self.provider.info.config, self.backend.config)
        self.session = self.provider.open(config, self._secret)

    def close(self) -> None:
        """Give the session back, where the provider has a hook for it."""
        if self.session is not None and self.provider.has("provider_close"):
            self.provider.close(self.session)
        self.session = None

    def like(self, **changes: Any) -> ServerDriver:
        """Another object on the same backend, whose ref differs."""
        ref = attrs.evolve(self.ref, **changes)
        return ServerDriver(self.provider, self.harness, self.backend, self.recorder, ref)

    @property
    def makes(self) -> bool:
        """Whether the provider makes servers."""
        return Feature.CREATE in self.provider.info.features

    def wish(self, **changes: Any) -> ServerSpec:
        """A server as the harness's first values describe it, with changes."""
        lacking = {FIELDS[feature] for feature in self.harness.lacks}
        wished = {field: values[0] for field, values in self.harness.values.items() if field not in lacking}
        values = wished if self.makes else {}
        own = self.provider.has("provider_credentials") or not self.makes
        admin = None if own else Credentials("conformance_admin", _ADMIN)
        return ServerSpec(self.ref, self.harness.engine, **{"admin": admin, **values, **changes})

    def observe(self) -> Server | None:
        """Look."""
        return self.provider.observe(self.session, self.ref)

    def plan(self, desired: ServerSpec | None) -> tuple[Action, ...]:
        """Look and decide."""
        return self.provider.plan(desired, self.observe())

    def apply(self, action: Action) -> None:
        """Do one step."""
        self.provider.apply(self.session, self.ref, action)

    def steps(self, desired: ServerSpec | None) -> Iterator[Action]:
        """Bring the server to what is wished, one action at a time as the core does; each is yielded when applied.

        Raises `AssertionError` when the deadline of the harness is over.
        """
        state = "nothing was seen"
        for _ in range(self.harness.deadline):
            try:
                observed = self.observe()
                plan = self.provider.plan(desired, observed)
                if plan:
                    state = f"it still plans {plan[0].verb}: {plan[0].why}"
                    self.apply(plan[0])
                    yield plan[0]
                elif _rests(desired, observed):
                    return
                else:
                    state = f"no plan, and it does not rest: {observed}"
            except (NotReady, Transient) as error:
                state = str(error)
            self.backend.tick()
        wished = "gone" if desired is None else "as wished"
        raise AssertionError(f"after {self.harness.deadline} ticks the server is not {wished}: {state}")

    def settle(self, desired: ServerSpec | None) -> Server | None:
        """Bring the server to what is wished and return it as it is then."""
        for _ in self.steps(desired):
            pass
        return self.observe()

    def settled(self, **changes: Any) -> Server:
        """Bring the server to `wish(**changes)`; it is there afterwards."""
        server = self.settle(self.wish(**changes))
        assert server is not None, "observe answers None for a server that was settled"
        return server

    @contextmanager
    def outage(self) -> Iterator[None]:
        """The backend is away."""
        with self.recorder.unread(), self.backend.outage():
            yield

    def _secret(self, name: str) -> Mapping[str, str]:
        if name not in self.secrets:
            raise NotReady(f"Secret {self.ref.namespace}/{name} does not exist; create it")
        return self.secrets[name]


def _rests(desired: ServerSpec | None, observed: Server | None) -> bool:
    """Whether a server for which nothing is planned needs no further look, as the core judges it."""
    if desired is None or observed is None:
        return desired is None and (observed is None or observed.ready)
    return observed.ready and observed.endpoint is not None and observed.poll_after is None


def _ref(number: int) -> ServerRef:
    return ServerRef("conformance", f"server-{number}", f"uid-{number}", "c0ffee")
