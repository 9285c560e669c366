"""The way to InfluxDB: rows a second through the forwarder, beside the same lines posted to /write with nothing around.

use: python benchmarks/influx_forward.py [--rows 60000]
Starts Debian's influxd on a free port with its data in a temporary folder. A home's rows (24 signals) are stored first;
then, each into a database of its own: the forwarder drains them with its breath between batches left out, and a plain
loop posts the same lines in batches of the same size over one kept connection. Prints one JSON line. `ratio` is the
forwarder's rate over the plain loop's; `catch_up_s_a_day` is how long a day at one row a second takes with the breath.
Memory is that of a fresh process which has drained the same rows: before the library, after it, and at its highest.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402 - found through the line above

from gateway.bus import Batch  # noqa: E402
from gateway.clock import SystemClock  # noqa: E402
from gateway.config import Config, Influxdb, Paths, Store  # noqa: E402
from gateway.outputs.influx import forwarder as forwarding  # noqa: E402
from gateway.outputs.influx.lines import encode  # noqa: E402
from gateway.reading import Reading  # noqa: E402
from gateway.store.arrivals import Arrivals  # noqa: E402
from gateway.store.recorder import Recorder  # noqa: E402
from tests.gateway.influx.servers import Influxd  # noqa: E402

MIB = 1 << 20
DAY_S = 86_400
SIGNALS = [
    *(f"pv.dc.power.{n}" for n in range(1, 11)),
    *(f"grid.import.energy.f{n:02d}" for n in range(1, 11)),
    "grid.import.apparent_power",
    "grid.voltage.l1",
    "grid.current.l1",
    "pv.power",
]


NAMED = list(enumerate(SIGNALS))


class Past:
    """A clock in the past, so that the rows to come are no leap into the future."""

    def __init__(self, seconds: int) -> None:
        self.wall = SystemClock().now() - seconds * 1000
        self.mono = 0.0

    def now(self):
        return self.wall

    def monotonic(self):
        return self.mono


def fill(folder: Path, rows: int) -> None:
    clock = Past(rows + 60)
    recorder = Recorder(folder / "measure.db", clock, Store(commit_s=300))
    recorder.open()
    for n in range(rows):
        readings = tuple(
            Reading(name, n + place if "energy" in name else n % 500, clock.now()) for place, name in NAMED
        )
        recorder.take(clock.mono, Batch("linky", readings, frame_end=True))
        clock.wall, clock.mono = clock.wall + 1000, clock.mono + 1
        if n % 300 == 0:
            recorder.tick()
    recorder.close()


def config_of(folder: Path, url: str, database: str) -> Config:
    settings = Influxdb(url=url, database=database)
    store = Store(kind="influxdb", influxdb=settings)
    return Config(store=store, paths=Paths(state=".", run="."), file=folder / "foyer.toml")


def drain(folder: Path, url: str, database: str) -> dict[str, float]:
    config = config_of(folder, url, database)
    sink = forwarding.Forwarder(config, config.store.influxdb, SystemClock(), lambda *_: None)
    process = psutil.Process()
    before = process.memory_info().rss
    sink.connection.open()
    after = process.memory_info().rss
    began, cpu = time.perf_counter(), time.process_time()
    while sink.step() != forwarding.POLL_S or sink.status.more:
        assert sink.status.fault is None, sink.status.fault
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    highest = int(next(one for one in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in one).split()[1])
    sent = sink.status.sent
    sink.close()
    return {
        "rows_a_s": sent / took,
        "cpu_us_a_row": cpu / sent * 1e6,
        "rows": sent,
        "before_mib": before / MIB,
        "library_mib": (after - before) / MIB,
        "highest_mib": highest / 1024,
    }


def plain(folder: Path, influxd: Influxd, database: str) -> float:
    influxd.ask(f"CREATE DATABASE {database}")
    with Arrivals(folder / "measure.db", SystemClock()) as arrivals:
        lines = [encode(row, "bench") for row in arrivals.after(0, 10_000_000)]
    bodies = ["\n".join(lines[n : n + forwarding.BATCH]).encode() for n in range(0, len(lines), forwarding.BATCH)]
    connection = http.client.HTTPConnection("127.0.0.1", influxd.port)
    began = time.perf_counter()
    for body in bodies:
        connection.request("POST", f"/write?db={database}&precision=ms", body)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 204
    took = time.perf_counter() - began
    connection.close()
    return len(lines) / took


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--drain", nargs=3, metavar=("FOLDER", "URL", "DATABASE"))
    asked = parser.parse_args()
    if asked.drain:
        folder, url, database = asked.drain
        print(json.dumps(drain(Path(folder), url, database)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, asked.rows)
        influxd = Influxd(folder / "influxd").start()
        try:
            forwards, plains = [], []
            for turn in range(3):  # in turn, so that a busy moment of the machine falls on both
                command = [sys.executable, __file__, "--drain", name, influxd.url, f"f{turn}"]
                forwards.append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
                plains.append(plain(folder, influxd, f"p{turn}"))
            kept = influxd.value('SELECT count("pv.power") FROM linky', "f0")
            server = influxd.ask("SHOW DIAGNOSTICS")
        finally:
            influxd.kill()
    best = max(forwards, key=lambda one: one["rows_a_s"])
    assert kept == best["rows"] == asked.rows, (kept, best["rows"])
    batch_s = forwarding.BATCH / best["rows_a_s"] + forwarding.BREATH_S
    version = next(one["values"][0] for one in server if one["name"] == "build")
    result = {name: round(value, 1) for name, value in best.items()} | {
        "plain_rows_a_s": round(max(plains)),
        "ratio": round(best["rows_a_s"] / max(plains), 2),
        "catch_up_s_a_day": round(DAY_S / forwarding.BATCH * batch_s),
        "server": next(one for one in version if str(one).startswith("1.")),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
