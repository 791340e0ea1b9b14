"""One controller process on a real API server, made and stepped by a test."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection
from datetime import timedelta

from prometheus_client import CollectorRegistry

from dbclaims.core import plugins
from dbclaims.core.clock import Clock
from dbclaims.core.informer import Handler
from dbclaims.core.kube.config import access_loader
from dbclaims.core.kube.store import KubernetesStore
from dbclaims.core.kube.transport import Transport
from dbclaims.core.machine import Machine
from dbclaims.core.metrics import Metrics
from dbclaims.core.objectstore import Kind, Object, join_key, key_of
from dbclaims.core.spi import Installation
from tests.core.test_manager import until

from .account import Account

PASSES = 2000
"""More than any test needs until nothing is left to do; a process that goes on and on fails its test."""

_PAUSE = 0.02
"""Seconds."""

Teller = Callable[[Kind], Handler]


class Process:
    """Caches that follow the API server in threads of their own, and queues whose keys the test works off.

    Attributes:
        passes: how many passes were made.
    """

    def __init__(
        self,
        account: Account,
        installation: Installation,
        clock: Clock,
        *,
        tell: Teller,
        controller_class: str = "",
        allow: Collection[str] = (),
        resync: timedelta = timedelta(minutes=10),
    ) -> None:
        metrics = Metrics(CollectorRegistry())
        load = access_loader(str(account.kubeconfig))
        self._store = KubernetesStore(Transport(load, metrics=metrics))
        self.machine = Machine(
            self._store,
            plugins.load(allow),
            installation,
            clock=clock,
            metrics=metrics,
            rng=random.Random(7),
            resync=resync,
            controller_class=controller_class,
            namespaces=account.scope.served,
        )
        self.passes = 0
        self._stopping = threading.Event()
        self._told: dict[tuple[Kind, str], Object | None] = {}
        for informer in self.machine.informers:
            informer.add_handler(tell(informer.kind))
            informer.add_handler(self._keep(informer.kind))
        watches = [part.reflector for informer in self.machine.informers for part in informer.parts]
        self._threads = [threading.Thread(target=self._follow, args=(each.step,)) for each in watches]
        for thread in self._threads:
            thread.start()
        until(self.machine.informers.have_synced)

    def told(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """The object as the handlers were told of it last; by then the caches hold it and the queues its keys."""
        return self._told.get((kind, join_key(namespace, name)))

    def settle(self) -> None:
        """Work off every key that is ready now, and those that become ready by that."""
        for _ in range(PASSES):
            if not self._step():
                return
        raise AssertionError(f"after {PASSES} passes there is still work at the same moment")

    def stop(self) -> None:
        """End the process as SIGKILL would: nothing is said to anybody."""
        self._stopping.set()
        self._store.close()
        for thread in self._threads:
            thread.join()
        self.machine.close()

    def _keep(self, kind: Kind) -> Handler:
        def keep(old: Object | None, new: Object | None) -> None:
            self._told[kind, key_of(new or old or {})] = new

        return keep

    def _step(self) -> bool:
        worked = [controller.process_next(0) for controller in self.machine.controllers]
        self.passes += sum(worked)
        return any(worked)

    def _follow(self, step: Callable[[], float]) -> None:
        # The reflector's own pauses stand on the test's clock, which nobody moves while a watch is cut or refused.
        while not self._stopping.is_set():
            if step():
                self._stopping.wait(_PAUSE)
