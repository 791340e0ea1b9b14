"""Broken hosts break in the way that they promise."""

import socket

import psycopg
import pytest

from .faults import RstHost, SilentHost


def test_a_silent_host_accepts_and_never_answers() -> None:
    with SilentHost() as host:
        with socket.create_connection((host.host, host.port), timeout=0.2) as connection:
            connection.sendall(b"anybody there?")
            with pytest.raises(TimeoutError):
                connection.recv(1)
        assert host.accepted == 1


def test_a_driver_waits_for_a_silent_host_until_its_own_timeout() -> None:
    with SilentHost() as host, pytest.raises(psycopg.OperationalError, match="timeout"):
        psycopg.connect(host=host.host, port=host.port, connect_timeout=2)


def test_a_reset_host_hangs_up_at_once() -> None:
    # The reset may arrive while the kernel still connects, so connecting belongs to what may fail.
    with (
        RstHost() as host,
        pytest.raises(ConnectionResetError),
        socket.create_connection((host.host, host.port), timeout=5) as connection,
    ):
        connection.recv(1)
