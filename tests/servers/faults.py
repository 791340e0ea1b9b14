"""Hosts that are up and wrong: one that never answers, one that hangs up with a reset."""

import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

# SO_LINGER with a time of zero makes close() send RST instead of FIN.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class _Host:
    """A listening socket with a thread that accepts; subclasses decide what happens to a connection.

    Attributes:
        host: the address, anywhere in 127.0.0.0/8.
        port: the port.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._listener = socket.create_server((host, port), backlog=512)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self._accepted: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, name=f"{type(self).__name__}:{self.port}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def accepted(self) -> int:
        """How many connections were accepted so far."""
        return len(self._accepted)

    def close(self) -> None:
        """Stop listening and end every connection."""
        # shutdown() wakes the thread out of accept(); close() alone would leave it there for good.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for connection in self._accepted:
            connection.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._accepted.append(connection)
                self._treat(connection)

    def _treat(self, connection: socket.socket) -> None:
        raise NotImplementedError


class SilentHost(_Host):
    """Accepts every connection, reads nothing and never answers."""

    def _treat(self, connection: socket.socket) -> None:
        """Leave it open."""


class RstHost(_Host):
    """Accepts every connection and resets it at once."""

    def _treat(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        connection.close()
