"""Provider `existing`: it holds nothing and goes to no network, so its backend is a configuration and two Secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from dbclaims.conformance.harness import ProviderHarness


class Backend:
    """One host that nobody asks."""

    config: Mapping[str, Any] = {
        "host": "db.example.internal",
        "port": 5432,
        "adminSecretRef": {"name": "admin"},
        "tls": {"mode": "require"},
        "clientEndpoint": {"host": "pooler.example.internal", "port": 6432},
    }
    secrets: Mapping[str, Mapping[str, str]] = {"admin": {"username": "dbclaims", "password": "conformance-hunter2"}}

    def state(self) -> object:
        """Nothing can change."""
        return dict(self.secrets)

    def tick(self) -> None:
        """Nothing goes on."""

    def outage(self) -> nullcontext[None]:
        """The host is somebody else's, and the engine finds that it is away."""
        return nullcontext()


@contextmanager
def backend() -> Iterator[Backend]:
    """A new one."""
    yield Backend()


HARNESS = ProviderHarness(backend, engine="postgres")
