"""A household for looking and testing: the real web process on a home whose gateway and store are played.

    .venv/bin/python -m tests.browser.household --state export --port 8123     serves until Ctrl-C

The store is written by its own loader from the simulated home; the live feed is `tests/web/feed_server.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import config as configuration
from gateway.clock import UtcMs, system_clock
from web.auth.accounts import Accounts
from web.home_db import HomeDb

USER, PASSWORD = "maison", "une courte phrase"
ROOT = Path(__file__).resolve().parents[2]
_TOML = """
[home]
name = "{name}"
latitude = 47.2
longitude = -1.55
demo = true
[[inverter]]
id = "roof"
url = "tcp://127.0.0.1:502"
[contract]
option = "hphc"
subscribed_kva = 6
off_peak = ["22:00-06:00"]
[web]
address = "127.0.0.1"
port = {port}
[paths]
state = "state"
run = "run"
"""


def _load(path: Path, name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


feed_server = _load(ROOT / "tests/web/feed_server.py", "household_feed_server")
STATES = _load(ROOT / "tests/web/pages/storyboard.py", "household_storyboard").STATES


@dataclass
class Household:
    """A served home: its address, its played gateway, its files."""

    url: str
    gateway: Any
    folder: Path

    def show(self, state: str) -> None:
        """Put the home in one of the storyboard's states."""
        chosen = STATES[state]
        known = chosen.signals
        gone = {name: sig | {"value": None} for name, sig in self.gateway.signals.items() if name not in known}
        self.gateway.set_signals(gone | known)
        self.gateway.set_health(chosen.health)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fill_store(path: Path, days: int, seed: int = 7) -> None:
    """Write a store of some simulated days that end now."""
    from drivers.sim.history import minutes
    from drivers.sim.home import SimulatedHome
    from gateway.config import Store
    from gateway.store.load import load_minutes

    clock = system_clock()
    home = SimulatedHome(
        seed=seed, latitude=47.2, longitude=-1.55, kwp=3.0, tilt_deg=30.0, azimuth_deg=180.0, timezone="Europe/Paris"
    )
    end = UtcMs(clock.now() // 60_000 * 60_000)
    start = UtcMs(end - days * 86_400_000)
    past = minutes(home, home.registers(start), start, end)
    load_minutes(path, past, demo=True, clock=clock, settings=Store())


@contextlib.contextmanager
def household(
    state: str = "export",
    *,
    port: int = 0,
    days: int = 3,
    name: str = "Maison des Tilleuls",
    folder: Path | None = None,
) -> Iterator[Household]:
    """Serve a home until the block ends."""
    port = port or _free_port()
    with contextlib.ExitStack() as stack:
        folder = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="foyer-pages-")))
        file = folder / "foyer.toml"
        file.write_text(_TOML.format(name=name.replace('"', "'"), port=port), encoding="utf-8")
        config = configuration.load(file)
        config.state.mkdir(exist_ok=True)
        db = HomeDb(config.home_db)
        if not Accounts(db, system_clock()).exist():
            Accounts(db, system_clock()).create(USER, PASSWORD)
        db.close()
        if days and not config.measure_db.exists():
            fill_store(config.measure_db, days)
        chosen = STATES[state]
        gateway = feed_server.FeedServer(
            config.live_socket, {}, home={"name": name, "demo": True, "language": "fr", "timezone": "Europe/Paris"}
        )
        gateway.signals, gateway.health = chosen.signals, chosen.health
        stack.enter_context(gateway)
        stack.enter_context(_web(file))
        _await_page(f"http://127.0.0.1:{port}/healthz")
        gateway.connected.wait(10)
        yield Household(f"http://127.0.0.1:{port}/", gateway, folder)


@contextlib.contextmanager
def _web(file: Path) -> Iterator[None]:
    command = [str(Path(sys.executable).with_name("foyer")), "run", "web", "--config", str(file)]
    with (file.parent / "web.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "LANG": "C.UTF-8"})
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(15)


def _await_page(url: str) -> None:
    for _ in range(150):
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)


def main() -> None:
    """Serve one state until interrupted."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--state", choices=sorted(STATES), default="export")
    asked.add_argument("--port", type=int, default=8123)
    asked.add_argument("--days", type=int, default=40)
    given = asked.parse_args()
    with household(given.state, port=given.port, days=given.days) as home:
        print(f"{home.url}  {USER} / {PASSWORD}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
