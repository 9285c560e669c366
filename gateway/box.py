"""`./start --config`: the box's processes without systemd, under one small parent that keeps them alive."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import click

from gateway import config as configuration
from gateway.cli import main as command_main
from gateway.cli import say
from gateway.processes import Child, check_port, end

JOBS_EVERY_S = 900.0
LONG_RUNNING = ("gateway", "web", "courier")
_LOOK_EVERY_S = 1.0


class Box:
    """The long-running processes, started again when one dies, and the jobs each quarter of an hour."""

    def __init__(self, config: Path, environment: dict[str, str], logs: Path | None) -> None:
        self._config = config
        self._environment = environment
        self._logs = logs
        self._children: list[Child] = []
        self._jobs: Child | None = None
        self._jobs_at = 0.0

    def start(self) -> None:
        """Start the long-running processes."""
        self._children = [self._child(name) for name in LONG_RUNNING]

    def revive(self) -> None:
        """Start again what has died; what dies again at once waits longer each time."""
        for child in self._children:
            child.revive()

    def watch(self, stop: threading.Event) -> None:
        """Keep the processes alive and run the jobs until `stop` is set."""
        while not stop.wait(_LOOK_EVERY_S):
            self.revive()
            idle = self._jobs is None or self._jobs.process.poll() is not None
            if idle and time.monotonic() >= self._jobs_at:
                self._jobs_at = time.monotonic() + JOBS_EVERY_S
                self._jobs = self._child("jobs")

    def close(self) -> None:
        """Stop everything within 5 s."""
        jobs = [self._jobs] if self._jobs is not None else []
        end([child.process for child in [*self._children, *jobs]])

    def _child(self, name: str) -> Child:
        command = [sys.executable, "-m", "gateway.cli", "run", name, "--config", str(self._config)]
        return Child(command, self._environment, self._logs / f"{name}.log" if self._logs else None)


@click.command(help=say("Lance toute la boîte sans systemd.", "Run the whole box without systemd."))
@click.option("--config", "file", required=True, type=click.Path(path_type=Path, dir_okay=False))
def box(file: Path) -> int:
    """Check the configuration, then run the box until it is stopped."""
    config = configuration.load(file)
    check_port(config.web.port)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    running = Box(config.file, dict(os.environ), None)
    try:
        running.start()
        click.echo(
            say(
                f"La boîte tourne. La page : http://127.0.0.1:{config.web.port}/\n"
                f"Code de la première connexion : .venv/bin/foyer pair --config {config.file}",
                f"The box is running. The page: http://127.0.0.1:{config.web.port}/\n"
                f"Code of the first sign-in: .venv/bin/foyer pair --config {config.file}",
            )
        )
        running.watch(stop)
    finally:
        running.close()
    return 0


if __name__ == "__main__":
    command_main(command=box)
