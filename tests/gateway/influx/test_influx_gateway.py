"""The whole gateway with InfluxDB switched on: simulated devices in, a real influxd out, the page's own way back."""

import json
import signal
import subprocess
import sys
import threading

import pytest

from gateway.clock import SystemClock
from gateway.config import load
from gateway.doctor import running_health
from gateway.outputs.past import ask
from tests.gateway.influx.servers import Influxd

PATIENCE_S = 60

pytestmark = pytest.mark.servers

_HOME = """
[home]
name = "Maison d’essai"
latitude = 47.2
longitude = -1.55
demo = true
[store]
kind = "influxdb"
commit_s = 10
[store.influxdb]
url = "{url}"
[meter]
port = "{tic}"
[[inverter]]
id = "roof"
url = "tcp://127.0.0.1:{modbus}?unit=1"
period_s = 1
[paths]
state = "state"
run = "run"
"""


def _until(condition, what):
    pause = threading.Event()
    for _ in range(PATIENCE_S * 4):
        if found := condition():
            return found
        pause.wait(0.25)
    raise AssertionError(what)


def test_the_readings_of_a_home_reach_influxdb_and_come_back(tmp_path):
    influxd = Influxd(tmp_path / "influxd").start()
    devices = subprocess.Popen(
        [sys.executable, "-m", "drivers.sim.run", "--home", str(tmp_path), "--seed", "3"],
        stdout=subprocess.PIPE,
        text=True,
    )
    gateway = None
    try:
        ready = json.loads(devices.stdout.readline())
        file = tmp_path / "foyer.toml"
        file.write_text(_HOME.format(url=influxd.url, tic=ready["tic"], modbus=ready["modbus_port"]), encoding="utf-8")
        config = load(file)
        started = SystemClock().now()
        gateway = subprocess.Popen([sys.executable, "-m", "gateway.cli", "run", "gateway", "--config", str(file)])

        _until(
            lambda: (
                ["foyer"] in influxd.ask("SHOW DATABASES")[0].get("values", [])
                and influxd.value('SELECT count("grid.import.energy") FROM linky')
            ),
            "no reading ever came",
        )
        health = running_health(config.live_socket)
        (check,) = [one for one in health["checks"] if one["id"] == "influxdb"]
        points = ask(
            config.command_socket, "grid.import.energy", started, SystemClock().now(), "raw", SystemClock(), 10
        )
    finally:
        for process in (gateway, devices):
            if process is not None:
                process.send_signal(signal.SIGTERM)
                process.wait(20)
        devices.stdout.close()
        influxd.kill()
    assert check["state"] in ("ok", "info"), check
    assert check["details"]["server"].startswith("InfluxDB 1.")
    assert points
    assert all(isinstance(value, int) for _, value, _ in points)
