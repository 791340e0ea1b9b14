"""`dbclaims check`: would the controller work here? Ends with 0 if so, with 1 if something is in the way.

It changes nothing. Run it with the controller's own account: `helm test` does, and the image's build does `--offline`.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from prometheus_client import CollectorRegistry

from ..diagnosis import Finding, Scope, diagnose
from ..installation import SYSTEM_NAMESPACE
from ..kube.config import access_loader, own_namespace
from ..kube.transport import Transport
from ..metrics import Metrics
from ..plugins import Plugins
from .command import DONE, FAILED, Command, declare_cluster, declare_plugins, load_plugins, names


def _declare(parser: ArgumentParser) -> None:
    declare_cluster(parser)
    parser.add_argument(
        "--secret-namespaces",
        metavar="NAME,…",
        type=names,
        default=(),
        help="the only ones in which Secrets may be had; default: all that are served",
    )
    declare_plugins(parser)
    parser.add_argument("--claim-in", metavar="NAMESPACE", help="send a claim there too, as a dry run")
    parser.add_argument("--offline", action="store_true", help="ask no cluster: look at the plugins alone")


def _run(arguments: Namespace) -> int:
    findings = list(_findings(arguments))
    for each in findings:
        print(f"{'FAILED' if each.problem else 'ok':6}  {each.what}{each.problem and f': {each.problem}'}")
    return FAILED if any(each.problem for each in findings) else DONE


def _findings(arguments: Namespace) -> Iterator[Finding]:
    yield from _plugins(load_plugins(arguments))
    if arguments.offline:
        return
    own = arguments.namespace or own_namespace() or SYSTEM_NAMESPACE
    transport = Transport(access_loader(arguments.kubeconfig, arguments.context), metrics=Metrics(CollectorRegistry()))
    scope = Scope(own, arguments.namespaces, arguments.secret_namespaces)
    yield from diagnose(transport, scope, claim_in=arguments.claim_in)


def _plugins(loaded: Plugins) -> Iterator[Finding]:
    """A plugin whose own packages are missing stops nobody who does not name it, so it is told and no problem."""
    for each in loaded.listings:
        missing = f" (not available: {each.unavailable})" if each.unavailable else ""
        yield Finding(f"{each.kind} {each.name} {each.version}{missing}")


COMMAND = Command("check", "say whether the controller would work here, changing nothing", _declare, _run)
