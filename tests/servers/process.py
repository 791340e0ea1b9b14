"""One server process with its children: started as an unprivileged user, paused, and ended by pid."""

import atexit
import os
import pwd
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

# Below the kernel's ephemeral range (32768 and up): a port that was free at start is still free at a restart.
_PORTS = range(15_000, 32_000)
_UNPRIVILEGED = "nobody"


class ServerFailed(Exception):
    """A server process ended, or was not ready in time; the message carries the end of its log."""


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nobody listens on at the address, chosen at random to keep parallel runs apart."""
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((host, port))
            return port


def server_user() -> str | None:
    """Return the user that servers which refuse root run as: None means the present one."""
    return _UNPRIVILEGED if os.geteuid() == 0 else None


class ServerProcess:
    """A command that runs until it is stopped.

    Args:
        command: program and arguments.
        log: file that receives both output streams, appended.
        user: name of the user to run as; None keeps the present one.
        environment: the whole environment of the process.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            # Its own session: a ctrl-C at the terminal must not end servers before the tests' own clean-up.
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=dict(environment or {"PATH": os.defpath}),
                start_new_session=True,
                user=user,
                group=_group_of(user),
                extra_groups=[] if user else None,
            )
        atexit.register(self.kill)

    @property
    def pid(self) -> int:
        """The process id of the first process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the first process has not ended."""
        return self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """The exit code once the first process has ended."""
        return self._process.poll()

    def wait_until(self, ready: Callable[[], bool], timeout: float = 30.0) -> None:
        """Return as soon as `ready` says so.

        Raises:
            ServerFailed: the process ended first, or `timeout` seconds passed.
        """
        deadline = time.monotonic() + timeout
        while not ready():
            if not self.running or time.monotonic() > deadline:
                raise ServerFailed(f"{self._process.args!r} is not ready; its log ends:\n{self._log_end()}")
            time.sleep(0.01)

    def stop(self, how: signal.Signals = signal.SIGTERM, timeout: float = 30.0) -> None:
        """Send the signal and wait for the end; after `timeout` seconds kill the process and its children."""
        self.resume()
        if self.running:
            self._process.send_signal(how)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        atexit.unregister(self.kill)

    def kill(self) -> None:
        """End the process and all its children at once, as a power cut would."""
        self._signal_all(signal.SIGKILL)
        self._process.wait()
        atexit.unregister(self.kill)

    def pause(self) -> None:
        """Freeze the process and its children: sockets stay open, and nothing answers."""
        self._signal_all(signal.SIGSTOP)
        # The signal is only sent: on the other core a thread may go on for a moment, and answer.
        while self.running and not all(_is_frozen(pid) for pid in _family(self.pid)):
            time.sleep(0.001)

    def resume(self) -> None:
        """Let a paused process and its children go on."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        if not self.running:
            return
        # Parents first, so that a frozen parent starts no further child while its children are looked up.
        for pid in _family(self.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _log_end(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(FileNotFoundError, ProcessLookupError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _family(int(child))


def _is_frozen(pid: int) -> bool:
    """Whether every thread is stopped, or dead."""
    states = (path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{pid}/task").glob("*/stat"))
    with suppress(FileNotFoundError, ProcessLookupError):
        return all(state in "TtZX" for state in states)
    return False


def _group_of(user: str | None) -> int | None:
    return pwd.getpwnam(user).pw_gid if user else None
