"""`tree`: a claim with all that hangs together with it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..objectstore import Kind, ObjectStore
from .desk import Desk
from .facts import Facts
from .flags import declare_name, declare_output
from .output import show_document
from .reading import KINDS, all_visible, named, visible
from .relations import Relations
from .verb import DONE, Verb
from .words import CLAIM, CLASS, SERVER, Word

SHAPE = "ClaimTree/v1"
POD = Kind("", "v1", "Pod", "pods")


class Node(NamedTuple):
    """One line, and those below it."""

    what: str
    name: str
    ready: str = ""
    says: str = ""
    below: tuple[Node, ...] = ()

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {**self._asdict(), "below": [each.document() for each in self.below]}


def _declare(parser: ArgumentParser) -> None:
    declare_name(parser, "NAME of a claim")
    declare_output(parser, "json", "yaml")


def _run(desk: Desk) -> int:
    node = _claim(desk.store, Facts(*named(desk, CLAIM)))
    if desk.arguments.output:
        show_document(desk.screen, desk.arguments.output, {"kind": SHAPE, "tree": node.document()})
        return DONE
    branches = ("├── ", "└── ", "│   ") if desk.screen.is_unicode else ("|-- ", "`-- ", "|   ")
    for lead, each in _walked(node, branches):
        ready = f"  {desk.screen.verdict(each.ready)}" if each.ready else ""
        desk.screen.say(f"{lead}{each.what} {each.name}{ready}{f'  {each.says}' if each.says else ''}")
    return DONE


def _walked(node: Node, branches: Sequence[str], lead: str = "", behind: str = "") -> Iterator[tuple[str, Node]]:
    yield lead, node
    middle, last, beside = branches
    for number, each in enumerate(node.below, 1):
        is_last = number == len(node.below)
        yield from _walked(
            each, branches, behind + (last if is_last else middle), behind + ("    " if is_last else beside)
        )


def _claim(store: ObjectStore, facts: Facts) -> Node:
    below = [_other(store, "class", CLASS, None, facts.spec["className"])]
    if reference := facts.status.get("serverRef"):
        below.append(_other(store, "server", SERVER, reference["namespace"], reference["name"]))
    if database := facts.status.get("databaseName"):
        below.append(Node("database", database, "", facts.endpoint))
    below += _login(store, facts)
    relations = Relations(store, facts.namespace)
    for role in relations.roles(facts):
        below.append(Node("roleclaim", role.key, role.ready, role.reason, tuple(_login(store, role))))
    for grant, namespace in relations.openings(facts):
        below.append(Node("grant", grant.name, "", f"{grant.spec.get('access', 'reader')} for {namespace}"))
    return Node("databaseclaim", facts.key, facts.ready, facts.reason, tuple(below))


def _other(store: ObjectStore, what: str, word: Word, namespace: str | None, name: str) -> Node:
    document = visible(store, KINDS[word], namespace, name)
    shown = f"{namespace}/{name}" if namespace else name
    if document is None:
        return Node(what, shown, "", "not there, or not for your eyes")
    facts = Facts(word, document)
    return Node(what, shown, facts.ready, facts.reason)


def _login(store: ObjectStore, facts: Facts) -> Iterator[Node]:
    """The login, its Secret below it, and below that the pods that read the Secret."""
    if facts.username:
        pods = tuple(Node("pod", name) for name in _readers(store, facts.namespace, facts.secret_name))
        yield Node(
            "login", facts.username, "", "", (Node("secret", f"{facts.namespace}/{facts.secret_name}", below=pods),)
        )


def _readers(store: ObjectStore, namespace: str, secret: str) -> list[str]:
    pods = all_visible(store, POD, namespace) or []
    return sorted(pod["metadata"]["name"] for pod in pods if secret in set(_secrets(pod["spec"])))


def _secrets(value: Any) -> Iterator[str]:
    """Every Secret that a pod's spec names: as a volume, an environment, or one of its variables."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("secret", "secretRef", "secretKeyRef") and isinstance(inner, dict):
                yield str(inner.get("secretName") or inner.get("name") or "")
            yield from _secrets(inner)
    elif isinstance(value, list):
        for each in value:
            yield from _secrets(each)


TREE = Verb(
    "tree",
    "a claim with its class, server, logins, Secrets, grants, and the pods that read them",
    ("tree orders -n shop", "tree orders -o json", "tree orders --context staging"),
    _declare,
    _run,
)
