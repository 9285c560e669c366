"""A real web process for tests: a home on disk, an account, a key, and gunicorn on a free port.

config = write_home(folder, port)            # foyer.toml, account and key
with Running(config, port) as server: ...    # server.url, server.pid, server.stop()
"""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

from gateway.clock import system_clock
from gateway.config import load
from web.auth.seed import seed

USER, PASSWORD, KEY = "essai", "une phrase assez longue", "foyer_test-key"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def write_home(folder: Path, port: int, *, account: bool = True, more: str = "") -> Path:
    """Write `foyer.toml` in a folder, with an account and an app key; return the file."""
    file = folder / "foyer.toml"
    file.write_text(
        '[home]\nname = "Maison d’essai"\ndemo = true\n'
        f'[web]\naddress = "127.0.0.1"\nport = {port}\n{more}'
        '[paths]\nstate = "state"\nrun = "run"\n',
        encoding="utf-8",
    )
    (folder / "run").mkdir(exist_ok=True)
    if account:
        seed(load(file).home_db, system_clock(), USER, PASSWORD, KEY)
    return file


class Running:
    """The web process; leaving the block stops it as systemd does and checks nothing."""

    def __init__(self, config: Path, port: int, *, before: str = "", **how: object) -> None:
        """`before`: Python to run first in the process; `how`: more for Popen."""
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        program = "import sys; from pathlib import Path; from gateway.config import load; from web.serve import main\n"
        program += before + "\nsys.exit(main(load(Path(sys.argv[1]))))"
        self._process = subprocess.Popen(
            [sys.executable, "-c", program, str(config)], stderr=subprocess.PIPE, text=True, **how
        )
        self.pid = self._process.pid
        self.said: list[str] = []
        self._ear = threading.Thread(target=lambda: self.said.extend(self._process.stderr), daemon=True)
        self._ear.start()

    def __enter__(self) -> Self:
        pause = threading.Event()
        while self._process.poll() is None:
            try:
                link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
                link.request("GET", "/healthz")
                if link.getresponse().status == 200:
                    link.close()
                    return self
            except OSError:
                pause.wait(0.05)
            finally:
                link.close()
        self.stop()
        raise AssertionError("".join(self.said))

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait(self) -> int:
        """Wait for the process to end by itself and return its exit status."""
        status = self._process.wait()
        self._ear.join()
        return status

    def stop(self, timeout: float = 20, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to stop, wait for it and return its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            return self._process.wait(timeout)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._ear.join()
            self._process.stderr.close()
