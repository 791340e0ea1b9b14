"""`report`: a file for whoever is to help, in which no password stands.

What goes in is an allow-list (`allowed`). Of Secrets only the metadata is fetched, so that no value leaves the API
server. Before the file is written it is searched: for every secret in our hands (the kubeconfig's login, this
environment), with --verify also for those of every Secret of ours that may be read, and for whatever looks like one.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .. import kinds
from ..api import format_time
from ..objectstore import Object, StoreError
from ..recorder import EVENT
from ..secrets import decoded
from .allowed import reported
from .desk import Desk
from .leaks import Known, of_environment, resemblances
from .login import admin_secret
from .reading import all_visible
from .verb import DONE, Verb, VerbError

KINDS = (kinds.CLAIM, kinds.ROLE, kinds.GRANT, kinds.SERVER, kinds.CLASS)
_NO_SECRETS = ("type", "provider", "host", "port", "database", "username", "sslmode", "ca.crt")
"""Keys of a published Secret that stand in a status as well."""


class _Bundle:
    """The files so far, and what was left out."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.skipped: list[str] = []

    def add(self, folder: str, documents: list[Object] | None) -> None:
        if documents is None:
            self.skipped.append(folder)
            return
        for each in documents:
            metadata = each["metadata"]
            name = f"{folder}/{metadata.get('namespace', '_')}/{metadata['name']}.json"
            self.files[name] = json.dumps(reported(each), indent=2, ensure_ascii=False)

    def zipped(self) -> bytes:
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in sorted(self.files.items()):
                archive.writestr(name, text)
        return memory.getvalue()


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="of every namespace")
    parser.add_argument(
        "-f", "--file", type=Path, default=Path("dbclaims-report.zip"), help="default: dbclaims-report.zip"
    )
    parser.add_argument("--verify", action="store_true", help="read our Secrets and the admins', to search for them")
    parser.add_argument("--force", action="store_true", help="write over a file that is there")


def _run(desk: Desk) -> int:
    path: Path = desk.arguments.file
    if path.exists() and not desk.arguments.force:
        raise VerbError(f"error: {path} is there already; name another with -f, or say --force")
    bundle = _collected(desk)
    known = Known(
        [*desk.home.secrets(), *of_environment(os.environ), *(_values(desk) if desk.arguments.verify else ())]
    )
    _search(bundle, known)
    with suppress(FileNotFoundError):
        path.unlink()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content := bundle.zipped())
    skipped = f" Skipped (not for your eyes): {', '.join(bundle.skipped)}." if bundle.skipped else ""
    desk.screen.say(f"{path}: {len(bundle.files)} files, {len(content) // 1024 + 1} KiB. Secrets: names only.{skipped}")
    desk.screen.say(f"Searched: 0 of {len(known)} known secrets found, and nothing that looks like one.")
    return DONE


def _collected(desk: Desk) -> _Bundle:
    bundle = _Bundle()
    for kind in KINDS:
        # A claim leans on servers of other namespaces.
        scope = None if kind in (kinds.CLASS, kinds.SERVER) else desk.scope
        documents = all_visible(desk.store, kind, scope)
        bundle.add(kind.plural, documents)
    events = all_visible(desk.store, EVENT, desk.scope)
    bundle.add("events", None if events is None else [each for each in events if _is_ours(each)])
    bundle.add("secrets", desk.home.secret_names(desk.scope))
    about = {"client": version("dbclaims"), "time": format_time(desk.now()), "namespace": desk.scope or "all"}
    bundle.files["report.json"] = json.dumps({**about, "skipped": bundle.skipped}, indent=2)
    return bundle


def _is_ours(event: Object) -> bool:
    regarding: dict[str, Any] = event.get("regarding") or {}
    return str(regarding.get("apiVersion", "")).startswith(kinds.CLAIM.group)


def _values(desk: Desk) -> Iterator[str]:
    """The values of our Secrets and the admins', as far as we may read them; they are compared, and go nowhere."""
    ours = [each["metadata"] for each in desk.home.secret_names(desk.scope) or ()]
    places = [(each.get("namespace"), each["name"]) for each in ours]
    servers = all_visible(desk.store, kinds.SERVER) or ()
    places += [(each["metadata"]["namespace"], admin_secret(each)) for each in servers]
    for namespace, name in places:
        with suppress(StoreError):
            found = decoded(desk.store.get(kinds.SECRET, namespace, name) or {})
            yield from (value for key, value in found.items() if key not in _NO_SECRETS)


def _search(bundle: _Bundle, known: Known) -> None:
    """Raise `VerbError` where a file holds what it must not; the sentence names the file and the sort."""
    refusal = "error: no report is written:"
    for name, text in bundle.files.items():
        if known.stands_in(text):
            raise VerbError(f"{refusal} {name} holds a known secret; correct the object it came from")
        if found := resemblances(text):
            raise VerbError(f"{refusal} {name} holds what looks like {found[0]}; look at that object")


REPORT = Verb(
    "report",
    "a file for whoever is to help, in which no password stands",
    ("report -n shop", "report -A -f /tmp/shop.zip", "report -n shop --verify"),
    _declare,
    _run,
)
