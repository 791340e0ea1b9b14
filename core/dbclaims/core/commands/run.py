"""`dbclaims run`: reconcile a cluster. Ends with 0 after a signal, with 1 if it cannot start or loses its Lease.

Logs go to stderr, one JSON object a line. Rights: `dbclaims.core.rights`.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import uuid
from argparse import ArgumentParser, Namespace
from contextlib import closing
from datetime import timedelta

from prometheus_client import CollectorRegistry

from .. import log
from ..clock import Clock, StopSignal, SystemClock
from ..definitions import check_definitions
from ..health import Health, HealthServer, informers_ready, progress
from ..installation import SYSTEM_NAMESPACE, identified, installation
from ..kube.config import Loader, access_loader, own_namespace
from ..kube.store import KubernetesStore
from ..kube.transport import Timeouts, Transport
from ..leader import Elector
from ..machine import WORKERS, Machine
from ..manager import Manager, stop_on_signals
from ..metrics import Metrics
from .command import (
    DONE,
    FAILED,
    Command,
    PortTaken,
    above_zero,
    declare_cluster,
    declare_plugins,
    duration,
    load_plugins,
)

LEASE_NAME = "dbclaims"

_STUCK = 5
"""Deadlines after which a pass that still runs is taken for dead, and the process with it."""

_LEASE_TIMEOUTS = Timeouts(connect=2.0, read=3.0)
_log = logging.getLogger(__name__)


def _declare(parser: ArgumentParser) -> None:
    declare_cluster(parser)
    declare_plugins(parser)
    parser.add_argument(
        "--resync",
        type=duration,
        default=timedelta(minutes=10),
        metavar="10m",
        help="how long a settled object rests; default: 10m",
    )
    parser.add_argument("--id", help="the installation id on every server; default: made once and kept")
    parser.add_argument("--controller-class", default="", help="serve the DatabaseClasses with this controllerClass")
    parser.add_argument("--workers", type=above_zero, default=WORKERS, help=f"passes at once; default: {WORKERS}")
    parser.add_argument("--health-port", type=int, default=8080, help="/healthz, /readyz, /metrics; default: 8080")
    parser.add_argument("--log-format", choices=("json", "text"), default="json", help="default: json")
    parser.add_argument("--no-leader-election", action="store_true", help="work at once; for a single process only")


def _run(arguments: Namespace) -> int:
    log.configure(text=arguments.log_format == "text")
    clock = SystemClock()
    stop = StopSignal(clock)
    stop_on_signals(stop)
    metrics = Metrics(CollectorRegistry())
    plugins = load_plugins(arguments)
    access = access_loader(arguments.kubeconfig, arguments.context)
    store = KubernetesStore(Transport(access, metrics=metrics, pool_size=arguments.workers + 8))
    check_definitions(store)
    namespace = arguments.namespace or own_namespace() or SYSTEM_NAMESPACE
    known = identified(store, arguments.controller_class, arguments.namespaces)
    machine = Machine(
        store,
        plugins,
        installation(store, namespace, arguments.id, known),
        clock=clock,
        metrics=metrics,
        rng=random.Random(),  # noqa: S311 -- it only spreads times
        resync=arguments.resync,
        controller_class=arguments.controller_class,
        workers=arguments.workers,
        namespaces=arguments.namespaces,
    )
    elector = None if arguments.no_leader_election else _elector(arguments, access, namespace, clock, metrics)
    with closing(machine):
        manager = Manager(
            store=store,
            informers=machine.informers,
            controllers=machine.controllers,
            clock=clock,
            elector=elector,
            health=_health(machine, metrics, arguments.health_port),
        )
        return DONE if manager.run(stop) else FAILED


def _elector(arguments: Namespace, access: Loader, namespace: str, clock: Clock, metrics: Metrics) -> Elector:
    """With connections of its own, so that nobody else's traffic delays a renewal."""
    class_ = arguments.controller_class
    return Elector(
        KubernetesStore(Transport(access, metrics=metrics, timeouts=_LEASE_TIMEOUTS, pool_size=1)),
        namespace=namespace,
        name=f"{LEASE_NAME}-{class_}" if class_ else LEASE_NAME,
        identity=f"{socket.gethostname()}_{uuid.uuid4()}",
        clock=clock,
        rng=random.Random(),  # noqa: S311 -- it only spreads times
        metrics=metrics,
        on_lost=_end,
    )


def _health(machine: Machine, metrics: Metrics, port: int) -> HealthServer:
    live = [progress(each.name, each.queue.longest_running, _STUCK * each.deadline) for each in machine.controllers]
    health = Health(
        live={name: check for checks in live for name, check in checks.items()},
        ready=informers_ready(machine.informers),
    )
    try:
        return HealthServer(health, metrics.registry, port=port)
    except OSError as error:
        raise PortTaken(f"port {port} cannot be listened on ({error}); name another with --health-port") from error


def _end() -> None:
    """The Lease is lost: another process may be working already, so nothing is tidied up."""
    _log.error("ending, since the lease is lost")
    logging.shutdown()
    os._exit(FAILED)


COMMAND = Command("run", "reconcile a cluster", _declare, _run)
