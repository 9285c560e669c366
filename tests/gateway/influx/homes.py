"""A home whose rows go to a server: a store that a test writes, and a forwarder it steps through, on one clock."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.config import Config, Home, Influxdb, Paths, Store
from gateway.outputs.influx.forwarder import Forwarder
from gateway.outputs.influx.readback import ReadBack
from gateway.store.arrivals import Arrivals
from tests.gateway.store.simulated import Box

HOME = "maison-d-essai"


class HomeWithInflux:
    """`say` a round, `commit`, `forward` until nothing waits; `expected` is what a server should hold by then."""

    def __init__(self, folder: Path, url: str, **settings) -> None:
        store = {name: settings.pop(name) for name in ("raw_days", "minute_days") if name in settings}
        self.box = Box(folder, **({"settings": Store(**store)} if store else {}))
        self.clock = self.box.clock
        self.settings = Influxdb(url=url, **settings)
        self.config = Config(
            home=Home(name="Maison d’essai"),
            store=Store(kind="influxdb", influxdb=self.settings, **store),
            paths=Paths(state=".", run="."),
            file=folder / "foyer.toml",
        )
        self.refused = folder / "influxdb-refused.jsonl"
        self.forwarder = self._forwarder()

    def _forwarder(self) -> Forwarder:
        return Forwarder(self.config, self.settings, self.clock, self._remember)

    def _remember(self, name: str, value: str) -> None:
        self.box.recorder.remember(name, value)  # whichever recorder is there by then

    def restart_forwarder(self) -> None:
        self.forwarder.close()
        self.forwarder = self._forwarder()

    def minute(self, rows: int = 30, first: int = 0) -> None:
        """Live a while: a round of the meter and of the inverter each two seconds."""
        for n in range(first, first + rows):
            self.box.say(
                "meter",
                {
                    "grid.import.energy": 10_000 + n,
                    "grid.import.apparent_power": 300 + n,
                    "grid.tariff.period": "HC" if n % 40 < 20 else "HP",
                },
            )
            self.box.say("inverter:roof", {"pv.power": 5 * n, "pv.energy": 700 + n, "battery.soc": 50.5 + n % 10})
            self.box.wait(2)

    def forward(self, at_most: int = 200) -> float:
        """Step until nothing waits or something is wrong; return how long the forwarder wants to rest."""
        for _ in range(at_most):
            rest = self.forwarder.step()
            status = self.forwarder.status
            if status.fault is not None or not (status.more or status.waiting):
                return rest
        raise AssertionError("it never came to an end")

    def expected(self, *, texts: bool = True) -> dict[tuple[str, str], dict[int, object]]:
        """Return what the store has, by (measurement, field) and time."""
        found: dict = {}
        with Arrivals(self.box.path, self.clock) as arrivals:
            for row in arrivals.after(0, 1_000_000):
                for signal, value in row.values.items():
                    if texts or not isinstance(value, str):
                        found.setdefault((row.source.partition(":")[0], signal), {})[row.at] = value
        return found

    def readback(self) -> ReadBack:
        return ReadBack(self.config, self.settings, self.clock)

    def quarantined(self) -> list[dict]:
        return [json.loads(line) for line in self.refused.read_text().splitlines()] if self.refused.exists() else []

    def close(self) -> None:
        self.forwarder.close()
        self.box.close()
