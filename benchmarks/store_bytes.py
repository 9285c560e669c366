"""Bytes the store writes to the disk in a day of 24 signals a second: the budget is 60 MiB.

use: python benchmarks/store_bytes.py [--days 1] [--after 0] [--signals 24] [--commit-s 30] [--folder DIR] [--loop]
The seconds are simulated, the file and its syncs are real. Counts what the kernel sends to the disk for this process
(/proc/self/io) and, with --loop (root), what reaches a fresh ext4 of its own, its journal included. DIR must be on a
disk. `--after 11 --days 7` measures a box that has been full for a while: raw rows are kept for two days there
and minutes for eight, so that both are dropped before and while it is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gateway.bus import Batch  # noqa: E402
from gateway.clock import UtcMs  # noqa: E402
from gateway.config import Store  # noqa: E402
from gateway.reading import Quality, Reading  # noqa: E402
from gateway.store.recorder import Recorder  # noqa: E402

BUDGET_MIB = 60
SECTOR = 512
START = 1_782_000_000_000
GAUGES = (
    "grid.import.apparent_power",
    "grid.export.apparent_power",
    *(f"grid.{what}.l{n}" for what in ("voltage", "current") for n in (1, 2, 3)),
)
COUNTERS = ("grid.import.energy", "grid.export.energy", *(f"grid.import.energy.f{n:02d}" for n in range(1, 5)))
DERIVED = ("grid.import.power", "grid.export.power", "home.power", "home.energy")
SOLAR = ("pv.power", "pv.energy", "pv.dc.power.1", "pv.dc.power.2", "battery.soc", "battery.charge.power")


class Simulated:
    """A clock whose seconds pass when told."""

    def __init__(self) -> None:
        self.gone = 0.0

    def now(self) -> UtcMs:
        return UtcMs(START + round(self.gone * 1000))

    def monotonic(self) -> float:
        return self.gone


class Home:
    """Values with the noise of a real home: loads come and go, voltages wander, the sun flickers."""

    def __init__(self) -> None:
        self._chance = random.Random(7)
        self._load, self._sun, self._imported, self._made = 400.0, 1800.0, 21_000_000.0, 4_000_000.0
        self._voltage = [230.0, 231.0, 229.0]

    def second(self) -> dict[str, int | float]:
        chance = self._chance
        if chance.random() < 1 / 120:
            self._load = chance.choice((120, 400, 900, 1300, 2600, 3300))
        used = max(self._load + chance.gauss(0, 4 + self._load / 100), 0)
        self._sun = min(max(self._sun + chance.gauss(0, 9), 0), 3000)
        self._voltage = [min(max(v + chance.gauss(0, 0.4), 215), 250) for v in self._voltage]
        net = used - self._sun
        self._imported += max(net, 0) / 3600
        self._made += self._sun / 3600
        values: dict[str, int | float] = {
            "grid.import.apparent_power": round(max(net, 0) * 1.03),
            "grid.export.apparent_power": round(max(-net, 0) * 1.03),
            "grid.import.power": round(max(net, 0)),
            "grid.export.power": round(max(-net, 0)),
            "home.power": round(used),
            "pv.power": round(self._sun),
            "pv.energy": int(self._made),
            "pv.dc.power.1": round(self._sun * 0.55 + chance.gauss(0, 2)),
            "pv.dc.power.2": round(self._sun * 0.48 + chance.gauss(0, 2)),
            "battery.soc": 50 + round(self._made % 1000 / 20, 1),
            "battery.charge.power": round(self._sun / 4),
        }
        for phase, volts in enumerate(self._voltage, 1):
            values[f"grid.voltage.l{phase}"] = round(volts)
            values[f"grid.current.l{phase}"] = round(abs(net) / 230 / phase)
        for part, name in enumerate((*COUNTERS, "home.energy"), 1):
            values[name] = int(self._imported / part)
        return values


def batches(second: int, count: int, values: dict[str, int | float]):
    at = UtcMs(START + second * 1000)
    for source, names, quality in (
        ("linky", GAUGES + COUNTERS, Quality.MEASURED),
        ("derive", DERIVED, Quality.DERIVED),
        ("inverter:roof", SOLAR, Quality.MEASURED),
    ):
        some = names[: max(1, len(names) * count // 24)]
        # a power made in the seconds after a switch is an estimate, as it is in a real home
        kind = Quality.ESTIMATED if source == "derive" and second % 120 < 20 else quality
        yield Batch(source, tuple(Reading(name, values[name], at, kind) for name in some), frame_end=True)


class Box:
    """A recorder and the home it records."""

    def __init__(self, folder: Path, settings: Store, count: int) -> None:
        self._file = folder / "measure.db"
        self._clock, self._home, self._count, self._second = Simulated(), Home(), count, 0
        self._recorder = Recorder(self._file, self._clock, settings)
        self._recorder.open()

    def live(self, days: float) -> None:
        for _ in range(round(days * 86_400)):
            for batch in batches(self._second, self._count, self._home.second()):
                self._recorder.take(self._clock.monotonic(), batch)
            self._clock.gone += 1
            self._second += 1
            self._recorder.tick()

    def close(self) -> int:
        """Stop, and return the size of the file."""
        self._recorder.close()
        return self._file.stat().st_size


def written_by_process() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


@contextlib.contextmanager
def loop_disk(size: str = "1G"):
    """Yield (folder, bytes written so far) of a fresh ext4 on a loop device."""
    with tempfile.TemporaryDirectory() as scratch:
        image, folder = Path(scratch) / "disk.img", Path(scratch) / "disk"
        folder.mkdir()
        subprocess.run(["truncate", "-s", size, image], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image], check=True)
        device = subprocess.run(["losetup", "-f", "--show", image], check=True, capture_output=True, text=True)
        name = device.stdout.strip()
        try:
            subprocess.run(["mount", "-o", "noatime", name, folder], check=True)
            try:
                yield folder, lambda: int(Path(f"/sys/block/{Path(name).name}/stat").read_text().split()[6]) * SECTOR
            finally:
                subprocess.run(["umount", "-l", folder], check=True)
        finally:
            subprocess.run(["losetup", "-d", name], check=True)


def measure(folder: Path, counters: dict[str, Callable[[], int]], chosen: argparse.Namespace) -> dict[str, float]:
    os.sync()
    before = {name: counter() for name, counter in counters.items()}
    short = {"raw_days": 2, "minute_days": 8} if chosen.after else {}
    settings = Store(commit_s=chosen.commit_s, **short)
    box = Box(folder, settings, chosen.signals)
    if chosen.after:
        box.live(chosen.after)
        os.sync()
        before = {name: counter() for name, counter in counters.items()}
    cpu = time.process_time()
    box.live(chosen.days)
    cpu = time.process_time() - cpu
    size = box.close()
    os.sync()
    found = {name: round((counter() - before[name]) / 2**20 / chosen.days, 1) for name, counter in counters.items()}
    return {**found, "file_mib": round(size / 2**20, 1), "cpu_s_per_day": round(cpu / chosen.days, 1)}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--days", type=float, default=1)
    options.add_argument("--after", type=float, default=0)
    options.add_argument("--signals", type=int, default=24)
    options.add_argument("--commit-s", type=int, default=30)
    options.add_argument("--folder", type=Path)
    options.add_argument("--loop", action="store_true")
    chosen = options.parse_args()
    counters: dict[str, Callable[[], int]] = {"process_mib_per_day": written_by_process}
    with contextlib.ExitStack() as stack:
        if chosen.loop:
            folder, counters["ext4_mib_per_day"] = stack.enter_context(loop_disk())
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=chosen.folder)))
        found = measure(folder, counters, chosen)
    within = all(found[name] <= BUDGET_MIB for name in counters)
    print(json.dumps({"signals": chosen.signals, "budget_mib_per_day": BUDGET_MIB, "within": within, **found}))
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
