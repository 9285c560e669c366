"""A home that records and forwards until it is killed: `python influx_home.py FOLDER URL [drain]`.

With `drain` it records nothing, forwards all that waits, and ends.
"""

import itertools
import sys
import threading
from pathlib import Path

from gateway.bus import Batch
from gateway.clock import FastClock, SystemClock
from gateway.config import Config, Influxdb, Paths, Store
from gateway.outputs.influx import forwarder
from gateway.reading import Reading
from gateway.store.arrivals import Arrivals
from gateway.store.write import Writer

SPEED = 60  # rows are kept one a second: a minute of rows each real second


def main(folder: Path, url: str, how: str) -> None:
    forwarder.POLL_S, forwarder.BREATH_S, forwarder.LONGEST_S, forwarder.BATCH = 0.1, 0.01, 0.5, 50
    real = SystemClock().now()
    origin = folder / "origin"
    if not origin.exists():
        origin.write_text(str(real))
    clock = FastClock(int(origin.read_text()), SPEED)
    settings = Influxdb(url=url)
    store = Store(kind="influxdb", influxdb=settings, commit_s=1)
    config = Config(store=store, paths=Paths(state="."), file=folder / "foyer.toml")
    writer = Writer(config.measure_db, clock, store)
    writer.start()
    sink = forwarder.Forwarder(config, settings, clock, writer.remember)
    sink.start()
    print("started", flush=True)
    pause = threading.Event()
    if how == "drain":
        with Arrivals(config.measure_db, clock) as arrivals:
            while (f'"seq": {arrivals.newest()},') not in str(arrivals.remembered(sink._name)):
                pause.wait(0.2)
        sink.stop()
        writer.stop()
        return
    for n in itertools.count():
        now = clock.now()
        at = now - 600_000 if n % 50 == 49 else now  # some rows come late
        index = now // 1000 % 1_000_000_000
        reading = [Reading("grid.import.energy", index, at), Reading("grid.import.apparent_power", index % 5000, at)]
        writer.put(Batch("meter", tuple(reading), frame_end=True))
        pause.wait(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "live")
