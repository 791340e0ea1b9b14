"""What the reference page says of the process: commands, rights in the cluster, metrics."""

from __future__ import annotations

from argparse import Action, ArgumentParser
from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from dbclaims.core.cli import ROOMS, command
from dbclaims.core.commands.command import DONE, FAILED, USAGE
from dbclaims.core.installation import SYSTEM_NAMESPACE
from dbclaims.core.kubectl.claims import GROUPS, verb
from dbclaims.core.kubectl.flags import declare_cluster
from dbclaims.core.kubectl.verb import INTERRUPTED, LATE, NO
from dbclaims.core.metrics import Metrics
from dbclaims.core.rights import PolicyRule, own_rules, rules

from .markdown import Lines, table, words

_RBAC = "rbac.authorization.k8s.io"
_ACCOUNT = {"kind": "ServiceAccount", "name": "dbclaims", "namespace": SYSTEM_NAMESPACE}


def commands() -> Lines:
    """Every command with its options, and the exit codes."""
    yield "## Commands\n"
    for each in map(command, ROOMS):
        parser = ArgumentParser(add_help=False)
        each.declare(parser)
        yield f"### `dbclaims {each.name}`\n\n{each.summary[:1].upper()}{each.summary[1:]}.\n"
        if parser._actions:
            yield _arguments(parser)
    codes = {DONE: "all is well", FAILED: "something is not, and stderr says what", USAGE: "wrong usage"}
    yield from _exit_codes("dbclaims", codes)


def verbs() -> Lines:
    """Every verb of `kubectl claims` with its own arguments and examples, the flags that all share, the exit codes."""
    yield "## kubectl claims\n\nWhat it is for, and what it prints: [kubectl claims](kubectl.md).\n"
    for group, names in GROUPS.items():
        yield f"### {group}\n"
        for each in map(verb, names):
            parser = ArgumentParser(add_help=False)
            each.declare(parser)
            yield f"#### `kubectl claims {each.name}`\n\n{each.summary[:1].upper()}{each.summary[1:]}.\n"
            if parser._actions:
                yield _arguments(parser)
            examples = "\n".join(f"kubectl claims {example}" for example in each.examples)
            yield f"```sh\n{examples}\n```\n"
    yield "### Flags of every verb\n"
    shared = ArgumentParser(add_help=False)
    declare_cluster(shared)
    yield _arguments(shared)
    codes = {DONE: "done", FAILED: "an error or wrong usage", NO: "it ran, and the answer is no"}
    codes |= {LATE: "`--timeout` has passed", INTERRUPTED: "interrupted"}
    yield from _exit_codes("kubectl claims", codes)


def _exit_codes(program: str, codes: Mapping[int, str]) -> Lines:
    yield f"### Exit codes of `{program}`\n"
    yield table(("code", "meaning"), [(str(code), f"{text[:1].upper()}{text[1:]}.") for code, text in codes.items()])


def _arguments(parser: ArgumentParser) -> str:
    # argparse has no public way to the options that were declared.
    return table(("argument", "meaning"), [(_shown(action), _help(action)) for action in parser._actions])


def _shown(action: Action) -> str:
    name = action.option_strings[-1] if action.option_strings else str(action.metavar or action.dest)
    value = "|".join(action.choices) if action.choices else str(action.metavar or action.dest.upper())
    return f"`{name} {value}`" if action.option_strings and action.nargs != 0 else f"`{name}`"


def _help(action: Action) -> str:
    text = (action.help or "").rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def rights() -> Lines:
    """The service account with exactly the rights that the controller needs, ready to be applied."""
    yield (
        "## Rights\n\nAll that the controller needs in a cluster. Secrets are read by name, never listed or watched. "
        "To keep it to some namespaces, take the rule of Secrets out and grant it there by RoleBindings.\n"
    )
    text = yaml.safe_dump_all(_manifests(), sort_keys=False, explicit_start=True, width=120)
    yield f"```yaml\n{text}```\n"


def _manifests() -> list[dict[str, Any]]:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(namespaced=True)}
    return [account, *_bound("ClusterRole", rules()), *_bound("Role", own_rules())]


def _bound(kind: str, granted: Iterable[PolicyRule]) -> list[dict[str, Any]]:
    """A role and its binding to the service account."""
    metadata = _metadata(namespaced=kind == "Role")
    head = {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": metadata}
    role = {**head, "rules": [rule.document() for rule in granted]}
    reference = {"apiGroup": _RBAC, "kind": kind, "name": metadata["name"]}
    return [role, {**head, "kind": f"{kind}Binding", "roleRef": reference, "subjects": [dict(_ACCOUNT)]}]


def _metadata(*, namespaced: bool) -> dict[str, str]:
    return {"name": _ACCOUNT["name"], **({"namespace": SYSTEM_NAMESPACE} if namespaced else {})}


def metrics() -> Lines:
    """Every metric that the process exports."""
    yield "## Metrics\n\n`/metrics` on the port of the probes.\n"
    found = [each for each in vars(Metrics(CollectorRegistry())).values() if isinstance(each, MetricWrapperBase)]
    yield table(("metric", "type", "labels", "meaning"), sorted(_metric(each) for each in found))


def _metric(metric: MetricWrapperBase) -> tuple[str, str, str, str]:
    (family,) = metric.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    # The library has no public way to a metric's label names.
    return f"`{name}`", family.type, words(metric._labelnames), family.documentation
