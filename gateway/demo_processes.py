"""The processes of a demo: how they are started, and how they are ended."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import time
from pathlib import Path

_STOP_S = 3.5  # of the 5 s in which everything has stopped; the rest is for killing


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the demo dies, however it dies: no process may be left behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


class Child:
    """One process of the demo, started again when it dies."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._log = log
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Start it (again); its output goes to its log."""
        with self._log.open("ab") as log:
            # its own session: Ctrl-C reaches the demo alone, which then stops the children in order
            self.process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - the demo has no thread when it starts its children
            )
        return self.process


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
