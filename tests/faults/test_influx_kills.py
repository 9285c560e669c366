"""Both ends die, again and again, and nothing is missing at the end."""

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.store.arrivals import Arrivals
from tests.faults.influx_home import SPEED
from tests.gateway.influx.servers import Influxd

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.servers


def _home(folder, url, how="live"):
    command = [sys.executable, str(ROOT / "tests/faults/influx_home.py"), str(folder), url, how]
    process = subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "started\n"
    return process


def _kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


class _LateClock(SystemClock):
    """Late enough for every row that the sped-up home wrote."""

    def now(self):
        return super().now() + SPEED * 3_600_000


def _in_the_store(folder):
    with Arrivals(folder / "measure.db", _LateClock()) as arrivals:
        rows = {row.at: row.values for row in arrivals.after(0, 10_000_000)}
    return len(rows), sum(row["grid.import.energy"] for row in rows.values())


@pytest.mark.timeout(180)
def test_influxd_and_the_forwarder_are_killed_in_a_loop_and_nothing_is_missing(tmp_path):
    influxd = Influxd(tmp_path / "influxd").start()
    chance = random.Random(7)
    pause = threading.Event()
    home = _home(tmp_path, influxd.url)
    try:
        for n in range(8):
            pause.wait(chance.uniform(1.0, 2.5))
            if n % 2:
                influxd.kill()
                pause.wait(chance.uniform(0.2, 1.5))
                influxd.start()
            else:
                _kill(home)
                home = _home(tmp_path, influxd.url)
        _kill(home)
        home = _home(tmp_path, influxd.url, "drain")
        assert home.wait(timeout=60) == 0
        home.stdout.close()

        count, total = _in_the_store(tmp_path)
        assert count > 300
        assert influxd.value('SELECT count("grid.import.energy") FROM meter') == count
        assert influxd.value('SELECT sum("grid.import.energy") FROM meter') == total
    finally:
        if home.poll() is None:
            _kill(home)
        influxd.kill()
