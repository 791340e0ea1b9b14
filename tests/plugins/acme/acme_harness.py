"""Acme for the conformance suite: every test gets a little cloud of its own, on loopback."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from dbclaims.conformance.harness import ProviderHarness
from tests.plugins.acme_cloud import TOKEN, AcmeCloud, acme_cloud


class Backend:
    """One cloud."""

    secrets: Mapping[str, Mapping[str, str]] = {"acme-token": {"token": TOKEN}}

    def __init__(self, cloud: AcmeCloud) -> None:
        self.cloud, self.tick = cloud, cloud.settle
        self.config = {"url": cloud.url, "tokenSecretName": "acme-token"}

    def state(self) -> object:
        return copy.deepcopy(self.cloud.servers)

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.cloud.refuse_with = 503
        yield
        self.cloud.refuse_with = None


@contextmanager
def backend() -> Iterator[Backend]:
    with acme_cloud() as cloud:
        yield Backend(cloud)


HARNESS = ProviderHarness(backend, "postgres", {"version": ("17",), "size": ("small", "large")})
