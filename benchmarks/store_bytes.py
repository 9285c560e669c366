"""Bytes the store writes to the disk in a day of 24 signals a second: the budget is 60 MiB.

use: python benchmarks/store_bytes.py [--hours 24] [--signals 24] [--folder DIR] [--loop]
The seconds are simulated, the file and its syncs are real. Counts what the kernel sends to the disk for this process
(/proc/self/io); with --loop (root), what reaches a fresh ext4 of its own, its journal included. DIR must be on a disk.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
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


def value(name: str, second: int) -> int:
    if "energy" in name:
        return 21_000_000 + second // 3
    if "voltage" in name:
        return 228 + second * 7 % 9
    if "current" in name:
        return second // 40 % 20
    return (second * 37 % 400) + (second // 900 % 8) * 350


def batches(second: int, count: int):
    at = UtcMs(START + second * 1000)
    for source, names, quality in (
        ("linky", GAUGES + COUNTERS, Quality.MEASURED),
        ("derive", DERIVED, Quality.DERIVED),
        ("inverter:roof", SOLAR, Quality.MEASURED),
    ):
        some = names[: max(1, len(names) * count // 24)]
        # a power made in the seconds after a switch is an estimate, as it is in a real home
        kind = Quality.ESTIMATED if source == "derive" and second % 120 < 20 else quality
        yield Batch(source, tuple(Reading(name, value(name, second), at, kind) for name in some), frame_end=True)


def record(folder: Path, hours: int, count: int) -> int:
    """Let `hours` pass and return the size of the file."""
    clock = Simulated()
    recorder = Recorder(folder / "measure.db", clock, Store())
    recorder.open()
    for second in range(hours * 3600):
        for batch in batches(second, count):
            recorder.take(clock.monotonic(), batch)
        clock.gone += 1
        recorder.tick()
    recorder.close()
    return (folder / "measure.db").stat().st_size


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
                subprocess.run(["umount", folder], check=True)
        finally:
            subprocess.run(["losetup", "-d", name], check=True)


def measure(folder: Path, counter, hours: int, count: int) -> dict[str, float]:
    os.sync()
    before, cpu = counter(), time.process_time()
    size = record(folder, hours, count)
    cpu = time.process_time() - cpu
    os.sync()
    days = hours / 24
    return {
        "mib_per_day": round((counter() - before) / 2**20 / days, 1),
        "kept_mib_per_day": round(size / 2**20 / days, 1),
        "cpu_s_per_day": round(cpu / days, 1),
    }


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--hours", type=int, default=24)
    options.add_argument("--signals", type=int, default=24)
    options.add_argument("--folder", type=Path)
    options.add_argument("--loop", action="store_true")
    chosen = options.parse_args()
    with contextlib.ExitStack() as stack:
        if chosen.loop:
            folder, counter = stack.enter_context(loop_disk())
        else:
            folder, counter = (
                Path(stack.enter_context(tempfile.TemporaryDirectory(dir=chosen.folder))),
                written_by_process,
            )
        found = measure(folder, counter, chosen.hours, chosen.signals)
    within = found["mib_per_day"] <= BUDGET_MIB
    print(json.dumps({"signals": chosen.signals, "budget_mib_per_day": BUDGET_MIB, "within": within, **found}))
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
