"""The real box without systemd: its own configuration, devices on a pty and a Modbus port, faults of the host."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest

from gateway.doctor import running_health
from tests.whole.demo import free_port

pytestmark = [pytest.mark.servers, pytest.mark.timeout(180)]


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)  # another process: there is no event to await
    pytest.fail("it did not come in time")


@contextlib.contextmanager
def started(*command, **options):
    process = subprocess.Popen([sys.executable, "-m", *command], **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=20)
        if process.stdout:
            process.stdout.close()


@pytest.fixture
def devices(tmp_path):
    """A simulated meter and inverter, and a configuration that names them, as a person would write it."""
    home = tmp_path / "devices"
    with started("drivers.sim.run", "--home", str(home), "--seed", "3", stdout=subprocess.PIPE, text=True) as simulator:
        ready = json.loads(simulator.stdout.readline())
        yield ready


def write_config(folder, ready, port, *, state="state"):
    file = folder / "foyer.toml"
    file.write_text(
        f'[home]\nname = "Essai"\nlatitude = 45.7\nlongitude = 4.8\n[store]\ncommit_s = 10\n'
        f'[meter]\nport = "{ready["tic"]}"\n'
        f'[[inverter]]\nid = "roof"\nurl = "tcp://127.0.0.1:{ready["modbus_port"]}?unit=1"\n'
        f'[web]\nport = {port}\n[paths]\nstate = "{state}"\nrun = "run"\n',
        encoding="utf-8",
    )
    return file


def healthz(port):
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
        return answer.status == 200
    return False


def state_of(file, check_id):
    health = running_health(file.parent / "run" / "live.sock")
    return next((one for one in health["checks"] if one["id"] == check_id), None) if health else None


def test_the_box_runs_from_its_configuration_and_stops_without_a_trace(tmp_path, devices):
    port = free_port()
    file = write_config(tmp_path, devices, port)
    with started("gateway.box", "--config", str(file), stdout=subprocess.DEVNULL) as box:
        until(lambda: healthz(port))
        until(lambda: (state_of(file, "meter") or {}).get("state") == "ok")
        family = psutil.Process(box.pid).children(recursive=True)
        box.send_signal(signal.SIGTERM)
        assert box.wait(timeout=20) == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []


def test_a_configuration_with_a_problem_starts_nothing(tmp_path):
    file = tmp_path / "foyer.toml"
    file.write_text('[meter]\nport = "COM1"\n')
    done = subprocess.run(
        [sys.executable, "-m", "gateway.box", "--config", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "meter.port" in done.stderr


def test_doctor_tries_the_devices_when_no_gateway_runs_and_asks_it_when_one_does(tmp_path, devices):
    file = write_config(tmp_path, devices, free_port())

    def doctor():
        command = [sys.executable, "-m", "gateway.cli", "doctor", "--json", "--config", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return {check["id"]: check for check in json.loads(done.stdout)["checks"]}

    alone = doctor()
    assert alone["gateway"]["code"] == "gateway-not-running"
    assert alone["meter"]["state"] == "ok"
    assert alone["inverter:roof"]["state"] in {"ok", "info"}
    with started("gateway.cli", "run", "gateway", "--config", str(file)):
        until(lambda: (state_of(file, "meter") or {}).get("state") == "ok")
        beside = doctor()
    assert "gateway" not in beside
    assert beside["store"]["code"] == "store.ok"


def test_a_second_gateway_on_one_store_is_refused_in_a_sentence(tmp_path, devices):
    file = write_config(tmp_path, devices, free_port())
    with started("gateway.cli", "run", "gateway", "--config", str(file)):
        until(lambda: running_health(tmp_path / "run" / "live.sock"))
        second = subprocess.run(
            [sys.executable, "-m", "gateway.cli", "run", "gateway", "--config", str(file)],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
    assert second.returncode == 1
    assert "state" in second.stderr


def test_systemd_is_told_when_the_gateway_is_ready_and_alive(tmp_path, devices):
    file = write_config(tmp_path, devices, free_port())
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(30)
        told = {**os.environ, "NOTIFY_SOCKET": str(path)}
        with started("gateway.cli", "run", "gateway", "--config", str(file), env=told):
            assert listener.recv(64) == b"READY=1"
            assert listener.recv(64) == b"WATCHDOG=1"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_full_disk_is_said_while_readings_go_on_and_mends_itself(tmp_path, devices):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)], check=True)
    try:
        file = write_config(tmp_path, devices, free_port(), state=str(disk))
        with started("gateway.cli", "run", "gateway", "--config", str(file)):
            until(lambda: (state_of(file, "store") or {}).get("code") == "store.ok")
            ballast = disk / "ballast"
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as filling:
                while True:
                    filling.write(bytes(65536))
            problem = until(lambda: (found := state_of(file, "store"))["state"] == "problem" and found)
            assert problem["code"] == "store.full"
            assert problem["mend"]
            assert state_of(file, "meter")["state"] == "ok"
            ballast.unlink()
            until(lambda: state_of(file, "store")["code"] == "store.ok")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
