"""The objects that a page shows, made to fit a server of ours and put into a directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import yaml

from tests.servers.postgres import Account, PostgresServer

from .blocks import REPOSITORY, blocks_of

Document = dict[str, Any]


def objects(page: str) -> Iterator[Document]:
    """The first object of each kind and name on a page; later ones show further fields."""
    seen = set()
    for block in blocks_of(REPOSITORY / "docs" / page):
        for document in yaml.safe_load_all(block.text) if block.language == "yaml" else ():
            name = (document["kind"], document["metadata"]["name"])
            if name not in seen:
                seen.add(name)
                yield document


def offered(server: PostgresServer, admin: Account) -> Iterator[Document]:
    """The DatabaseServer of the concepts page with this server's address, and the Secrets that it names."""
    (document,) = (each for each in objects("concepts.md") if each["kind"] == "DatabaseServer")
    document["spec"]["config"] |= {"host": server.host, "port": server.port}
    yield document
    yield _secret("shared-admin", username=admin.username, password=admin.password)
    yield _secret("shared-ca", **{"ca.crt": server.ca_file.read_text()})


def acts_as(folder: Path, server: PostgresServer) -> tuple[str, str]:
    """Who logs in with a published Secret, and who that is in the database."""
    with psycopg.connect((folder / "dsn").read_text(), sslrootcert=str(server.ca_file)) as connection:
        row = connection.execute("SELECT session_user::text, current_user::text").fetchone()
    assert row is not None
    return row


def _secret(name: str, **data: str) -> Document:
    metadata = {"name": name, "namespace": "platform"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}
