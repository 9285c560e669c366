"""Child processes of a demo or of a box without systemd: how they are started, and how they are ended."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import socket
import subprocess
import time
from pathlib import Path

from gateway.errors import Misconfigured, Text

_LONGEST_PAUSE_S = 60.0
_STOP_S = 3.5  # of the 5 s in which everything has stopped; the rest is for killing


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the demo dies, however it dies: no process may be left behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


class Child:
    """One process of the box, which can be started again. Without a log its output is the parent's."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path | None) -> None:
        self._command = command
        self._environment = environment
        self._log = log
        self._failures = 0
        self._started = 0.0
        self.process = self._start()

    def revive(self) -> None:
        """Start it again if it has died; one that dies young waits 1, 2, 4… 60 s before the next try."""
        if self.process.poll() is None:
            return
        lived = time.monotonic() - self._started
        pause = min(2.0**self._failures, _LONGEST_PAUSE_S)
        if lived < pause:
            return
        self._failures = 0 if lived > _LONGEST_PAUSE_S else self._failures + 1
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        self._started = time.monotonic()
        with self._log.open("ab") if self._log else contextlib.nullcontext() as log:
            # its own session: Ctrl-C reaches the parent alone, which then stops the children in order
            return subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - the parent has no thread
            )


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ask the processes to stop, and kill what has not after a while."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    until = time.monotonic() + _STOP_S
    for process in processes:
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def check_port(port: int) -> None:
    """Refuse a port that is taken, before anything is started."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - the address the page will listen on
        except OSError:
            raise Misconfigured(
                Text(
                    f"Le port {port} est déjà pris par un autre programme.", f"Port {port} is taken by another program."
                ),
                Text(
                    f"Arrêtez ce programme, ou choisissez-en un autre ({port + 1} ?).",
                    f"Stop that program, or choose another one ({port + 1}?).",
                ),
            ) from None
