"""The floors: list and watch, eight threads, kept-alive sessions, no retry and no drift check.

`minimal` makes what a claim cannot do without: three statements, a Secret, a status. `replay` sends again what our
engine and our core sent for one claim (`recording`): the same statements over the same sessions, the same writes.
Run as `python -m tests.bench.bare PLAN`, a JSON file with the fields of `Plan`.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import psycopg
from attrs import asdict, frozen
from psycopg.conninfo import make_conninfo

from dbclaims.core.kinds import CLAIM, SECRET
from dbclaims.core.kube.store import KubernetesStore
from dbclaims.core.objectstore import Object
from dbclaims.core.recorder import EVENT

from .recording import Recording, Session
from .yard import store_of

THREADS = 8
_PASSWORD = "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$" + "A" * 43 + "=:" + "A" * 43 + "="


@frozen
class Plan:
    """What a bare loop is told.

    Attributes:
        dsn: of the admin on the maintenance database.
        recording: what to replay; None makes the minimum.
    """

    kubeconfig: str
    namespace: str
    dsn: str
    recording: Recording | None = None

    def write(self, path: Path) -> Path:
        """Put it where the process reads it; it holds passwords of a server that lives for minutes."""
        path.touch(mode=0o600)
        path.write_bytes(orjson.dumps(asdict(self)))
        return path

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Undo `write`."""
        fields: dict[str, Any] = orjson.loads(path.read_bytes())
        recording = fields.pop("recording")
        return cls(**fields, recording=Recording.read(recording) if recording else None)


def minimal(store: KubernetesStore, plan: Plan) -> Callable[[Object, int], None]:
    """Three statements and two writes."""
    admin = psycopg.connect(plan.dsn, autocommit=True)

    def serve(claim: Object, _: int) -> None:
        name = claim["metadata"]["name"]
        admin.execute(f'CREATE ROLE "{name}_owner"')
        admin.execute(f'CREATE ROLE "{name}_a" LOGIN PASSWORD \'{_PASSWORD}\' IN ROLE "{name}_owner"')
        admin.execute(f'CREATE DATABASE "{name}"')
        store.create(SECRET, _secret(claim))
        ready = {"type": "Ready", "status": "True", "reason": "Made", "message": "", "observedGeneration": 1}
        changed = {"conditions": [ready | {"lastTransitionTime": claim["metadata"]["creationTimestamp"]}]}
        store.patch(CLAIM, plan.namespace, name, {"status": changed}, subresource="status")

    return serve


def _secret(claim: Object) -> Object:
    metadata = {"name": f"{claim['metadata']['name']}-db", "namespace": claim["metadata"]["namespace"]}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": {"password": "eA=="}}


def replay(store: KubernetesStore, plan: Plan) -> Callable[[Object, int], None]:
    """Everything that was recorded, for another claim."""
    admin = psycopg.connect(plan.dsn, autocommit=True)
    assert plan.recording is not None
    recording = plan.recording

    def serve(claim: Object, number: int) -> None:
        metadata = claim["metadata"]
        sent = recording.of(metadata["name"], metadata["uid"], number)
        store.patch(CLAIM, plan.namespace, metadata["name"], sent.finalizer)
        _replay_statements(admin, plan.dsn, sent)
        store.create(SECRET, sent.secret)
        store.patch(CLAIM, plan.namespace, metadata["name"], sent.status, subresource="status")
        store.create(EVENT, sent.event)

    return serve


def _replay_statements(admin: psycopg.Connection[Any], dsn: str, sent: Recording) -> None:
    """Each session's statements in order; a session in the claim's own database is opened and closed, as ours is."""
    for session in sent.sessions:
        if session.is_admins_own:
            _send(admin, session)
        else:
            login = {} if session.user == sent.admin else {"user": session.user, "password": sent.password}
            with psycopg.connect(make_conninfo(dsn, dbname=session.database, **login), autocommit=True) as connection:
                _send(connection, session)


def _send(connection: psycopg.Connection[Any], session: Session) -> None:
    for transaction in session.transactions:
        if len(transaction) == 1:
            connection.execute(transaction[0].sql.encode(), transaction[0].parameters or None)
        else:
            with connection.pipeline():
                for statement in transaction:
                    connection.execute(statement.sql.encode(), statement.parameters or None)


def main(path: Path) -> None:
    """Serve every claim of the namespace, each once, until the process is ended."""
    plan = Plan.read(path)
    store, claims, made = store_of(plan.kubeconfig), queue.SimpleQueue[tuple[Object, int]](), set[str]()
    for _ in range(THREADS):
        serve = (replay if plan.recording else minimal)(store, plan)
        threading.Thread(target=_work, args=(serve, claims), daemon=True).start()
    page = store.list(CLAIM, namespace=plan.namespace)
    with store.watch(
        CLAIM, namespace=plan.namespace, resource_version=page.resource_version, timeout_seconds=600
    ) as events:
        for item in page.items:
            _take(item, made, claims)
        for event in events:
            if event.type == "ADDED":
                _take(event.object, made, claims)


def _take(item: bytes, made: set[str], claims: queue.SimpleQueue[tuple[Object, int]]) -> None:
    claim = orjson.loads(item)
    if claim["metadata"]["name"] not in made:
        made.add(claim["metadata"]["name"])
        claims.put((claim, len(made)))


def _work(serve: Callable[[Object, int], None], claims: queue.SimpleQueue[tuple[Object, int]]) -> None:
    while True:
        serve(*claims.get())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
