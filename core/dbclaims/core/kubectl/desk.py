"""What a verb works with: its arguments, the screen, the clock, and the home of the objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from ..kube.trace import Trace, unobserved

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from datetime import datetime

    from ..clock import Clock
    from ..kube.trace import Observer
    from ..objectstore import ObjectStore
    from .screen import Screen
    from .tables import Row, Table
    from .words import Word

_REQUESTS = 6
"""The verbosity from which on kubectl tells of each request."""

Selection = Mapping[str, str]
"""What the store selects: `labelSelector`, `fieldSelector`; empty values select all."""


class Home(Protocol):
    """Where the objects live: a cluster, or a directory."""

    @property
    def namespace(self) -> str:
        """The one that counts where none is named; empty for all of them."""
        ...

    @property
    def store(self) -> ObjectStore:
        """The objects."""
        ...

    def table(
        self, word: Word, namespace: str | None, selection: Selection, *, wide: bool, metadata: bool = False
    ) -> Table:
        """The objects of a kind as their definition's columns show them. Raises `VerbError` and `StoreError`.

        Their metadata comes along where it is asked for, namespaces and labels with it.
        """
        ...

    def changes(
        self, word: Word, namespace: str | None, selection: Selection, *, since: str, wide: bool
    ) -> Iterator[Row]:
        """A row for each change since a table's version, until the end of the connection."""
        ...

    def objects(self, word: Word, namespace: str | None, selection: Selection) -> list[dict[str, Any]]:
        """The objects of a kind as they are."""
        ...

    def secret_names(self, namespace: str | None) -> list[dict[str, Any]] | None:
        """Our Secrets' metadata, without a value; None where they are not for our eyes."""
        ...

    def secrets(self) -> list[str]:
        """The secrets that we hold to get here, so that a report can be searched for them."""
        ...

    def login_at(self, namespace: str, owner: str, secret: str) -> str:
        """Where people find a published login."""
        ...

    def approval(self, name: str, namespace: str, hash_: str) -> str:
        """How people let a step run that waits for them."""
        ...

    def close(self) -> None:
        """End every connection."""
        ...


Find = Callable[["Namespace", "Observer"], Home]
"""Finds the home that the arguments name; the observer is told of each request."""


class Desk:
    """One verb's run.

    Args:
        clock: makes the clock when it is first needed.
        home: finds the home when it is first needed, so that a wrong argument costs no connection.
    """

    def __init__(self, arguments: Namespace, screen: Screen, clock: Callable[[], Clock], home: Find) -> None:
        self.arguments, self.screen = arguments, screen
        self._find, self._make_clock = home, clock

    @cached_property
    def clock(self) -> Clock:
        """Where the time comes from."""
        return self._make_clock()

    @cached_property
    def home(self) -> Home:
        """Where the objects live."""
        return self._find(self.arguments, self._observer)

    @property
    def store(self) -> ObjectStore:
        """The objects."""
        return self.home.store

    @property
    def namespace(self) -> str:
        """The namespace that is meant: the one that was named, or the home's."""
        return self.arguments.namespace or self.home.namespace

    @property
    def scope(self) -> str | None:
        """The namespace to list, None for all of them."""
        return None if getattr(self.arguments, "all_namespaces", False) else self.namespace or None

    def now(self) -> datetime:
        """The time."""
        return self.clock.now()

    def close(self) -> None:
        """End what was opened."""
        if "home" in self.__dict__:
            self.home.close()

    @property
    def _observer(self) -> Observer:
        """`-v`."""
        told = getattr(self.arguments, "verbosity", 0) >= _REQUESTS
        return Trace(self.screen.note, self.clock) if told else unobserved
