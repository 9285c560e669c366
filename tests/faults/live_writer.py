"""A gateway's writer in a process of its own, for those who cut its power: says on stdout what it has put
and which commit was the last to end.

use: python tests/faults/live_writer.py FILE COMMIT_S FIRST ORIGIN SPEED
Each round is a row of a meter and of an inverter, both counters at the number of the round. The calendar runs SPEED
times faster since ORIGIN (ms of the real calendar), so that hours are folded and closed while one looks; the WAL is
kept short, so that it is copied to the file again and again.
"""

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from gateway.bus import Batch  # noqa: E402
from gateway.clock import FastClock, UtcMs  # noqa: E402
from gateway.config import Store  # noqa: E402
from gateway.reading import Reading  # noqa: E402
from gateway.store import schema  # noqa: E402
from gateway.store.write import Writer  # noqa: E402

ROUND_S = 0.05


def main(file: str, commit_s: str, first: str, origin: str, speed: str) -> None:
    schema._WAL_PAGES = 128
    clock = FastClock(UtcMs(int(origin)), float(speed))
    writer = Writer(Path(file), clock, Store(commit_s=int(commit_s)))
    writer.start()
    n = int(first)
    while True:
        at = clock.now()
        meter = (Reading("grid.import.energy", n, at), Reading("grid.import.apparent_power", n % 3000, at))
        period = Reading("grid.tariff.period", "hp" if n // 500 % 2 else "hc", at)
        writer.put(Batch("linky", (*meter, period), frame_end=True))
        writer.put(Batch("inverter:roof", (Reading("pv.energy", n, at),), frame_end=True))
        sys.stdout.write(f"{n} {time.monotonic()} {writer.status().last_commit or 0}\n")
        sys.stdout.flush()
        n += 1
        time.sleep(ROUND_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
