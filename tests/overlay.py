"""The examples of the design, made to fit a server of ours: host, port, version and the Secrets' data, no more."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from .servers.postgres import Account, PostgresServer

EXAMPLES = Path(__file__).with_name("examples")
Document = dict[str, Any]


def overlaid(server: PostgresServer, admin: Account) -> Iterator[tuple[str, list[Document]]]:
    """Yield each example's file name with its documents."""
    for path in sorted(EXAMPLES.glob("*.yaml")):
        documents: list[Document] = [each for each in yaml.safe_load_all(path.read_text()) if each]
        for document in documents:
            _fit(document, server, admin)
        yield path.name, documents


def write_examples(directory: Path, server: PostgresServer, admin: Account) -> None:
    """Write the examples into a directory."""
    for name, documents in overlaid(server, admin):
        write(directory / name, *documents)


def write(path: Path, *documents: Document) -> None:
    """Write documents as one file, in one step as an editor does."""
    fresh = path.with_suffix(".new")
    fresh.write_text(yaml.safe_dump_all(documents, sort_keys=False))
    fresh.replace(path)


def edit(path: Path, change: Callable[[Document], object]) -> None:
    """Change the one document of a file."""
    document: Document = yaml.safe_load(path.read_text())
    change(document)
    write(path, document)


def _fit(document: Document, server: PostgresServer, admin: Account) -> None:
    name = document["metadata"]["name"]
    if document["kind"] == "DatabaseServer":
        document["spec"]["version"] = str(server.installation.major)
        document["spec"]["config"] |= {"host": server.host, "port": server.port}
    elif name == "shared-admin":
        document["stringData"] = {"username": admin.username, "password": admin.password}
    elif name == "shared-ca":
        document["stringData"] = {"ca.crt": server.ca_file.read_text()}
