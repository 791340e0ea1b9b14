"""Everything that a controller does outside itself, counted, so that a proof can end it at any of these points.

A call to the store or to the engine has two sides: before it nothing was done, after it something was done that the
controller never learnt of. `Killed` is no `Exception`, so nothing in the controller catches it, as with SIGKILL.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from dbclaims.core.kinds import SECRET
from dbclaims.core.objectstore import Kind, Object, ObjectStore, Page, WatchEvent, join_key
from dbclaims.core.spi import Action, Credentials, hookimpl
from tests.canary import CANARY

Iteration = Generator[None, Any, Any]
T = TypeVar("T")


class Killed(BaseException):
    """The controller ended here."""


class Calls:
    """The calls of one controller, and what happens at one of them.

    Attributes:
        sides: both sides of every call since `watch`, such as `before create Secret shop/orders`.
    """

    def __init__(self) -> None:
        self.sides: list[str] = []
        self._at: int | None = None
        self._event: Callable[[], None] = self._die
        self._dead = False

    def arm(self, at: int, event: Callable[[], None] | None = None) -> None:
        """Count anew, and let `event` happen at the side of this number; without one the controller ends there."""
        self.sides, self._at, self._event = [], at, event or self._die

    def disarm(self) -> str:
        """Let nothing happen any more; return the side at which it happened, or nothing."""
        at, self._at = self._at, None
        return self.sides[at] if at is not None and len(self.sides) > at else ""

    def cross(self, side: str) -> None:
        """Come to one side of a call."""
        if self._dead:
            raise Killed(side)
        self.sides.append(side)
        if self._at is not None and len(self.sides) == self._at + 1:
            self._event()

    def _die(self) -> None:
        self._dead = True
        raise Killed(self.sides[-1])


class CountedStore(ObjectStore):
    """A store whose reads by name and writes are counted. Lists and watches only fill caches."""

    def __init__(self, store: ObjectStore, calls: Calls) -> None:
        self._store, self._calls = store, calls

    def list(self, kind: Kind, **options: Any) -> Page:
        """See `ObjectStore.list`."""
        return self._store.list(kind, **options)

    def watch(self, kind: Kind, **options: Any) -> AbstractContextManager[Any]:
        """See `ObjectStore.watch`."""
        watch: AbstractContextManager[WatchEvent] = self._store.watch(kind, **options)  # type: ignore[assignment]
        return watch

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """See `ObjectStore.get`."""
        return self._counted("get", kind, namespace, name, lambda: self._store.get(kind, namespace, name))

    def create(self, kind: Kind, obj: Object) -> Object:
        """See `ObjectStore.create`."""
        metadata = obj["metadata"]
        name = metadata.get("name", metadata.get("generateName", ""))
        _examine(kind, obj)
        return self._counted("create", kind, metadata.get("namespace"), name, lambda: self._store.create(kind, obj))

    def replace(self, kind: Kind, obj: Object) -> Object:
        """See `ObjectStore.replace`."""
        namespace, name = obj["metadata"].get("namespace"), obj["metadata"]["name"]
        return self._counted("replace", kind, namespace, name, lambda: self._store.replace(kind, obj))

    def patch(self, kind: Kind, namespace: str | None, name: str, patch: Mapping[str, Any], **options: Any) -> Object:
        """See `ObjectStore.patch`."""
        _examine(kind, patch)
        verb = f"patch {options.get('subresource', '')}".strip()
        return self._counted(
            verb, kind, namespace, name, lambda: self._store.patch(kind, namespace, name, patch, **options)
        )

    def delete(self, kind: Kind, namespace: str | None, name: str, **options: Any) -> Object | None:
        """See `ObjectStore.delete`."""
        return self._counted(
            "delete", kind, namespace, name, lambda: self._store.delete(kind, namespace, name, **options)
        )

    def close(self) -> None:
        """See `ObjectStore.close`."""
        self._store.close()

    def _counted(self, verb: str, kind: Kind, namespace: str | None, name: str, call: Callable[[], T]) -> T:
        what = f"{verb} {kind.kind} {join_key(namespace, name)}"
        self._calls.cross(f"before {what}")
        answer = call()
        self._calls.cross(f"after {what}")
        return answer


def _examine(kind: Kind, written: Mapping[str, Any]) -> None:
    if kind != SECRET:
        CANARY.examine(f"a {kind.kind}", str(written))


class CountedEngine:
    """A plugin around every hook of the engine that reaches the server."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @hookimpl(wrapper=True)
    def engine_survey(self) -> Iteration:
        return (yield from self._counted("survey"))

    @hookimpl(wrapper=True)
    def engine_hold(self) -> Iteration:
        return (yield from self._counted("hold"))

    @hookimpl(wrapper=True)
    def engine_lock(self) -> Iteration:
        return (yield from self._counted("lock"))

    @hookimpl(wrapper=True)
    def engine_observe(self) -> Iteration:
        return (yield from self._counted("observe"))

    @hookimpl(wrapper=True)
    def engine_apply(self, action: Action) -> Iteration:
        return (yield from self._counted(f"apply {action.verb}"))

    @hookimpl(wrapper=True)
    def engine_probe(self, login: Credentials) -> Iteration:
        return (yield from self._counted(f"probe {login.username}"))

    def _counted(self, what: str) -> Iteration:
        self._calls.cross(f"before {what}")
        result = yield
        self._calls.cross(f"after {what}")
        return result
