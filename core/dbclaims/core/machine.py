"""Everything wired together for one store: caches, reconcilers, queues and controllers, the same in both homes."""

from __future__ import annotations

import logging
import random
import socket
from collections.abc import Sequence
from datetime import timedelta

from .api import parse_time
from .backends import SLOTS, Backends
from .bulkhead import Bulkhead
from .client import CachedClient
from .clock import Clock
from .controller import Controller, Reconcile, Result
from .informer import Handler, Informer, Informers
from .kinds import CLAIM, CLASS, GRANT, ROLE, SERVER, WATCHED
from .metrics import Metrics
from .objectstore import Kind, Object, ObjectStore, key_of, split_key
from .plugins import Plugins
from .reconcile.claim import ClaimReconciler
from .reconcile.class_ import ClassReconciler
from .reconcile.grant import GrantReconciler
from .reconcile.login import Quiet
from .reconcile.lookup import INDEXES, Lookup
from .reconcile.report import Reporter
from .reconcile.server import ServerReconciler
from .reconcile.tools import Tools
from .recorder import Recorder
from .routing import Routes, is_settled
from .spi import Installation
from .workqueue import Lane, WorkQueue

log = logging.getLogger(__name__)

WORKERS = 16
"""Threads that make passes over claims."""

_SERVER_WORKERS = 4


class Machine:
    """The reconcilers of one process.

    Args:
        eager: look at every object at once, settled or not, instead of spreading a restart over one resync.
        namespaces: the only ones to be served; none named serves all. Classes are cluster-scoped and seen anyway.

    Attributes:
        informers: the caches, to be run by a manager or stepped by a test.
        controllers: of claims, servers, classes and grants.
    """

    def __init__(
        self,
        store: ObjectStore,
        plugins: Plugins,
        installation: Installation,
        *,
        clock: Clock,
        metrics: Metrics,
        rng: random.Random,
        resync: timedelta = timedelta(minutes=10),
        controller_class: str = "",
        workers: int = WORKERS,
        eager: bool = False,
        namespaces: Sequence[str] = (),
    ) -> None:
        self._eager = eager
        self._rng, self._resync, self._metrics, self._clock, self._plugins = rng, resync, metrics, clock, plugins
        self.informers = Informers(
            Informer(
                kind,
                store,
                clock=clock,
                rng=rng,
                metrics=metrics,
                indexers=INDEXES.get(kind),
                namespaces=() if kind == CLASS else namespaces,
            )
            for kind in WATCHED
        )
        self.client = CachedClient(store, self.informers)
        self._lookup = Lookup(self.client)
        self.backends = Backends(plugins, store, installation, clock, lambda name: self._lookup.namespace(name).uid)
        recorder = Recorder(
            store, controller="dbclaims.io/controller", instance=socket.gethostname(), clock=clock, rng=rng
        )
        tools = Tools(
            lookup=self._lookup,
            client=self.client,
            backends=self.backends,
            reporter=Reporter(self.client, recorder, clock),
            clock=clock,
            quiet=Quiet(clock),
            resync=resync,
            controller_class=controller_class,
        )
        self._queues = {
            CLAIM: self._queue("databaseclaim", Bulkhead(self._server_of, slots=SLOTS, observe=self._observe_slots)),
            SERVER: self._queue("databaseserver", None),
            CLASS: self._queue("databaseclass", None),
            GRANT: self._queue("claimgrant", None),
        }
        self.controllers: Sequence[Controller] = (
            self._controller("databaseclaim", CLAIM, ClaimReconciler(tools).reconcile, workers),
            self._controller("databaseserver", SERVER, ServerReconciler(tools).reconcile, _SERVER_WORKERS),
            self._controller("databaseclass", CLASS, ClassReconciler(tools).reconcile, 1),
            self._controller("claimgrant", GRANT, GrantReconciler(tools).reconcile, 1),
        )
        self._routes = Routes(self._lookup)
        for informer in self.informers:
            informer.add_handler(self._handler(informer.kind))

    def is_idle(self) -> bool:
        """Whether every cache is filled and no key is ready or in work; what is delayed does not count."""
        return self.informers.have_synced() and all(queue.is_idle() for queue in self._queues.values())

    def close(self) -> None:
        """Close every server's sessions."""
        self.backends.close()

    def _queue(self, name: str, bulkhead: Bulkhead | None) -> WorkQueue:
        return WorkQueue(clock=self._clock, rng=self._rng, metrics=self._metrics.queue(name), bulkhead=bulkhead)

    def _controller(self, name: str, kind: Kind, reconcile: Reconcile, workers: int) -> Controller:
        return Controller(
            name,
            self._queues[kind],
            self._announced(kind, reconcile),
            workers=workers,
            clock=self._clock,
            metrics=self._metrics.controller(name),
        )

    def _announced(self, kind: Kind, reconcile: Reconcile) -> Reconcile:
        """The same pass, told to observer plugins where there are any (`claim_reconciled`)."""
        hook = self._plugins.manager.hook.claim_reconciled
        if not hook.get_hookimpls():
            return reconcile

        def announced(key: str) -> Result:
            began = self._clock.monotonic()
            result = reconcile(key)
            document = self._lookup.document(kind, key)
            if document is not None:
                ready = _ready(document)
                namespace, name = split_key(key)
                seconds = self._clock.monotonic() - began
                said = {"ready": ready[0], "reason": ready[1], "seconds": seconds}
                try:
                    hook(kind=kind.kind, namespace=namespace, name=name, **said)
                except Exception:
                    # The pass is over and stands, whatever an observer thinks of it.
                    log.exception("an observer plugin failed")
            return result

        return announced

    def _handler(self, kind: Kind) -> Handler:
        def handle(old: Object | None, new: Object | None) -> None:
            if self.informers.have_synced():
                for target, key in self._routes.keys(kind, old, new):
                    self._queues[target].add(key)
            elif new is not None:
                self._resume(kind, new)

        return handle

    def _resume(self, kind: Kind, listed: Object) -> None:
        """A restart's backlog: what is settled is looked at within one resync, spread evenly, all else at once."""
        if kind in (SERVER, CLASS, GRANT):
            self._queues[kind].add(key_of(listed), Lane.RESYNC)
        elif kind in (CLAIM, ROLE):
            key = key_of(listed) if kind == CLAIM else INDEXES[ROLE]["claim"](listed)[0]
            if is_settled(listed) and not self._eager:
                self._queues[CLAIM].add_after(key, self._spread(listed), Lane.RESYNC, exact=True)
            else:
                self._queues[CLAIM].add(key, Lane.RESYNC)

    def _spread(self, listed: Object) -> float:
        due = ((listed.get("status") or {}).get("login") or {}).get("nextRotation")
        delay = self._rng.uniform(0, self._resync.total_seconds())
        return min(delay, max((parse_time(due) - self._clock.now()).total_seconds(), 0.0)) if due else delay

    def _server_of(self, key: str) -> str | None:
        """The bulkhead of a claim: its server's."""
        claim = self._lookup.document(CLAIM, key)
        if claim is None:
            return None
        bound = INDEXES[CLAIM]["server"](claim)
        class_ = None if bound else self._lookup.document(CLASS, claim["spec"].get("className", ""))
        bound = bound or (INDEXES[CLASS]["server"](class_) if class_ else [])
        return bound[0] if bound else None

    def _observe_slots(self, target: str, in_use: int) -> None:
        self._metrics.slots.labels("databaseclaim", target).set(in_use)


def _ready(document: Object) -> tuple[str, str]:
    conditions = (document.get("status") or {}).get("conditions") or ()
    found: dict[str, str] = next((c for c in conditions if c["type"] == "Ready"), {})
    return found.get("status", "Unknown"), found.get("reason", "")
