"""The port to real database servers that stand behind a double's endpoints."""

from __future__ import annotations

from typing import Protocol

import attrs


@attrs.frozen
class Machine:
    """What a cloud makes a server from.

    Attributes:
        source: name of the snapshot to start from; empty for an empty server.
    """

    name: str
    engine: str
    version: str
    port: int
    username: str
    password: str = attrs.field(repr=False)
    source: str = ""


class Farm(Protocol):
    """Makes, stops and ends real servers by name. Calls wait until they are done; the double counts no time for it."""

    def make(self, machine: Machine) -> str:
        """Start a server and return the address that it listens on, at the machine's port."""
        ...

    def set_password(self, name: str, username: str, password: str) -> None:
        """Change the admin's password."""
        ...

    def restart(self, name: str) -> None:
        """Stop the server and start it again."""
        ...

    def snapshot(self, name: str, snapshot: str) -> None:
        """Keep a copy of the server's data."""
        ...

    def end(self, name: str) -> None:
        """Stop the server and remove its data; a name that is not there is no error."""
        ...


class EmptyFarm:
    """Addresses with nothing behind them, for tests of a provider alone."""

    def make(self, machine: Machine) -> str:
        """See `Farm.make`."""
        del machine
        return "127.0.77.1"

    def set_password(self, name: str, username: str, password: str) -> None:
        """See `Farm.set_password`."""

    def restart(self, name: str) -> None:
        """See `Farm.restart`."""

    def snapshot(self, name: str, snapshot: str) -> None:
        """See `Farm.snapshot`."""

    def end(self, name: str) -> None:
        """See `Farm.end`."""
