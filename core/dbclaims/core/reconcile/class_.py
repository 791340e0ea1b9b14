"""Reconciling a DatabaseClass: say whether claims can be served by what it names. Nothing but its status is written."""

from __future__ import annotations

import attrs

from .. import conditions
from ..api import ConditionStatus, DatabaseClass, DatabaseClassStatus, SpecError, check_annotations, from_document
from ..conditions import find
from ..controller import Result
from ..kinds import CLASS
from ..objectstore import Object
from ..spi import InvalidSpec, NotReady, SPIError, Terminal
from .lookup import RETRY
from .tools import Tools


class ClassReconciler:
    """Reconciles DatabaseClasses."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def reconcile(self, key: str) -> Result:
        """One pass. Raises `StoreError`, which the queue takes for an ordinary failure."""
        document = self._tools.lookup.document(CLASS, key)
        if document is None or document["spec"].get("controllerClass", "") != self._tools.controller_class:
            return Result()
        try:
            class_ = self._tools.lookup.class_(key)
            if class_ is None:
                return Result()
            message = self._judge(class_)
        except (SpecError, SPIError) as error:
            return self._fail(document, error)
        generation = class_.metadata.generation
        self._write(document, class_.status, generation, conditions.ready(generation, message))
        return Result()

    def _judge(self, class_: DatabaseClass) -> str:
        """One sentence about a class that can be used; raises what is wrong with it or with its server."""
        if problems := check_annotations(class_.metadata):
            raise InvalidSpec(str(problems[0]), reason="InvalidAnnotation")
        reference = class_.spec.server_ref
        if reference is None:
            return "Every claim gets a server of its own."
        key = f"{reference.namespace}/{reference.name}"
        server = self._tools.lookup.server(key)
        if server is None:
            raise Terminal(
                f"DatabaseServer {key} does not exist; create it, or correct spec.serverRef",
                reason="ServerNotFound",
                retry_after=RETRY,
            )
        ready = find(server.status.conditions, "Ready")
        if ready is None or ready.status is not ConditionStatus.TRUE:
            why = ready.message if ready else "it was not looked at yet"
            raise NotReady(f"DatabaseServer {key} is not ready: {why}", reason="ServerNotReady", retry_after=RETRY)
        return f"Claims are served by DatabaseServer {key}."

    def _fail(self, document: Object, error: SpecError | SPIError) -> Result:
        failure = self._tools.failure(error)
        before = from_document(document.get("status") or {}, DatabaseClassStatus)
        generation = int(document["metadata"]["generation"])
        said = failure.conditions(before.conditions, generation, self._tools.clock.now())
        self._write(document, before, generation, said)
        return failure.result

    def _write(
        self, document: Object, before: DatabaseClassStatus, generation: int, said: conditions.Conditions
    ) -> None:
        after = attrs.evolve(before, observed_generation=generation)
        self._tools.reporter.write(CLASS, document, before, after, said)
