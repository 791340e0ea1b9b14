"""`init`: documents to begin with, printed and not applied: they belong into your repository."""

from __future__ import annotations

from argparse import ArgumentParser

import yaml

from ..api import API_VERSION, validate
from ..objectstore import Object
from .desk import Desk
from .verb import DONE, Usage, Verb

_KINDS = ("claim", "role", "grant", "platform")


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("what", metavar="|".join(_KINDS), choices=_KINDS, help="platform: a server with its class")
    parser.add_argument("name", metavar="NAME", help="the object's name")
    parser.add_argument(
        "--class", dest="class_name", default="shared-postgres", help="a claim's class (shared-postgres)"
    )
    parser.add_argument("--claim", default="", help="NAME or NAMESPACE/NAME of the claim of a role or grant")
    parser.add_argument("--to", default="", help="the namespace that a grant lets in")
    parser.add_argument("--host", default="pg.example.internal", help="the host of a platform's server")


def _run(desk: Desk) -> int:
    namespace = desk.namespace
    documents = _MAKERS[desk.arguments.what](desk, namespace)
    for document in documents:
        if document["kind"] != "Secret" and (problems := validate(document)):
            raise Usage(f"error: {problems[0]}")
    desk.screen.say(yaml.safe_dump_all(documents, sort_keys=False, explicit_start=True).rstrip("\n"))
    desk.screen.note("Nothing was written: pipe this to `kubectl apply -f -`, or better into your repository.")
    return DONE


def _claim(desk: Desk, namespace: str) -> list[Object]:
    name = desk.arguments.name
    return [
        _document(
            "DatabaseClaim", name, namespace, {"className": desk.arguments.class_name, "secretName": f"{name}-db"}
        )
    ]


def _role(desk: Desk, namespace: str) -> list[Object]:
    place, _, claim = _needed(desk.arguments.claim, "--claim").rpartition("/")
    reference = {"name": claim, **({"namespace": place} if place else {})}
    return [_document("RoleClaim", desk.arguments.name, namespace, {"claimRef": reference, "access": "reader"})]


def _grant(desk: Desk, namespace: str) -> list[Object]:
    claim = desk.arguments.claim.rpartition("/")[2]
    spec = {**({"to": {"claim": claim}} if claim else {}), "from": [{"namespace": _needed(desk.arguments.to, "--to")}]}
    return [_document("ClaimGrant", desk.arguments.name, namespace, {**spec, "access": "reader"})]


def _platform(desk: Desk, namespace: str) -> list[Object]:
    name, secret = desk.arguments.name, f"{desk.arguments.name}-admin"
    config = {"host": desk.arguments.host, "port": 5432, "adminSecretRef": {"name": secret}}
    admin = {"username": "dbclaims_admin", "password": "change-me"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": secret, "namespace": namespace},
            "stringData": admin,
        },
        _document("DatabaseServer", name, namespace, {"provider": "existing", "engine": "postgres", "config": config}),
        _document("DatabaseClass", f"{name}-postgres", "", {"serverRef": {"name": name, "namespace": namespace}}),
    ]


def _document(kind: str, name: str, namespace: str, spec: Object) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _needed(value: str, flag: str) -> str:
    if not value:
        raise Usage(f"error: {flag} is needed")
    return value


_MAKERS = {"claim": _claim, "role": _role, "grant": _grant, "platform": _platform}

INIT = Verb(
    "init",
    "print documents to begin with",
    (
        "init claim orders -n shop",
        "init grant bi-may-read -n shop --claim orders --to bi",
        "init platform shared -n platform",
    ),
    _declare,
    _run,
)
