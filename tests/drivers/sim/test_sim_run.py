"""The simulated devices as a process: a real pseudo-terminal, a real Modbus port, a clean end, counters that go on."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import serial

from drivers import inverter, linky
from drivers.inverter.address import parse
from drivers.inverter.modbus import Space, open_link
from drivers.linky.frame import Decoder
from drivers.linky.group import Group
from drivers.sim.home import create
from drivers.sim.registers import Registers
from drivers.sim.run import preferred_port, resume
from gateway.clock import UtcMs, system_clock

pytestmark = pytest.mark.servers

COMMAND = [sys.executable, "-m", "drivers.sim.run"]


class Running:
    """One run, stopped at the end of the test."""

    def __init__(self, home, *options):
        self.home = home
        self.process = subprocess.Popen(
            [*COMMAND, "--home", str(home), "--seed", "5", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read().decode()
        self.ready = json.loads(line)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(timeout=10)
        self.process.stdout.close()
        said = self.process.stderr.read().decode()
        self.process.stderr.close()
        return code, said


@pytest.fixture
def run(tmp_path):
    started = []

    def start(*options):
        started.append(Running(tmp_path, *options))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()


def read_groups(tic, wanted):
    """Listen to the line as a USB dongle would until every wanted label was heard."""
    decoder, heard = Decoder(), {}
    with serial.Serial(tic, 9600, timeout=5) as port:
        while not wanted <= heard.keys():
            data = port.read(port.in_waiting or 1)
            assert data
            heard |= {event.label: event.value for event in decoder.feed(data) if isinstance(event, Group)}
    return heard


async def read_registers(port):
    link = open_link(parse(f"tcp://127.0.0.1:{port}?unit=1"))
    try:
        return await link.read(Space.HOLDING, 1, 40_000, 100)
    finally:
        await link.close()


def test_a_run_serves_a_real_line_and_a_real_port_and_ends_cleanly(run, tmp_path):
    running = run()
    tic = Path(running.ready["tic"])

    assert running.ready["pid"] == running.process.pid
    assert tic == tmp_path / "run" / "tic"
    assert stat.S_ISCHR(tic.stat().st_mode)

    heard = read_groups(str(tic), {"ADSC", "EAST", "EAIT", "SINSTS", "URMS1", "NTARF"})
    words = asyncio.run(read_registers(running.ready["modbus_port"]))
    assert heard["EAST"] > 10_000_000
    assert 207 <= heard["URMS1"] <= 253
    assert words[:2] == [0x5375, 0x6E53]
    assert 101 in words

    code, said = running.stop()
    assert (code, said) == (0, "")
    assert not tic.is_symlink()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", running.ready["modbus_port"]))


class Listener:
    """What a driver may ask of the box; hears everything."""

    def __init__(self, wanted):
        self.clock = system_clock()
        self.heard = {}
        self._wanted = wanted
        self._loop = asyncio.get_running_loop()
        self.complete = asyncio.Event()

    def publish(self, readings, *, frame_end=False):
        self._loop.call_soon_threadsafe(self._hear, readings)

    def _hear(self, readings):
        self.heard |= {reading.signal: reading.value for reading in readings}
        if self._wanted <= self.heard.keys():
            self.complete.set()

    def beat(self, beat):
        pass


async def listen(driver, wanted):
    listener = Listener(wanted)
    reading = asyncio.create_task(driver.run(listener))
    await asyncio.wait_for(listener.complete.wait(), 60)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    return listener.heard


async def test_the_drivers_of_the_box_read_both_devices(run):
    ready = run().ready
    meter = linky.create({"driver": "linky", "port": ready["tic"], "mode": "auto"})
    roof = inverter.create({"id": "roof", "url": f"tcp://127.0.0.1:{ready['modbus_port']}?unit=1", "period_s": 1.0})
    grid, pv = await asyncio.gather(
        listen(meter, {"grid.import.energy", "grid.export.energy", "grid.voltage.l1", "grid.tariff.period"}),
        listen(roof, {"pv.power", "pv.energy"}),
    )

    assert grid["grid.import.energy"] > 10_000_000
    assert grid["grid.tariff.period"] in {"hc", "hp"}
    assert pv["pv.energy"] > 5_000_000
    assert 0 <= pv["pv.power"] <= 3000


def test_a_historic_meter_speaks_historic(run):
    heard = read_groups(run("--meter", "historic").ready["tic"], {"ADCO", "HCHC", "PAPP"})

    assert heard["HCHC"] > 1_000_000


def test_a_restart_keeps_the_port_and_the_counters_go_on(run):
    first = run()
    before = read_groups(first.ready["tic"], {"EAST", "EASF01", "EASF02"})
    assert first.stop(signal.SIGINT) == (0, "")

    second = run()
    after = read_groups(second.ready["tic"], {"EAST", "EASF01", "EASF02"})

    assert second.ready["modbus_port"] == first.ready["modbus_port"]
    assert 0 <= after["EAST"] - before["EAST"] < 500


def test_the_history_and_the_run_are_one_story(run, tmp_path):
    home = create(seed=5)
    start = UtcMs(system_clock().now() // 60_000 * 60_000 - 3 * 3_600_000)
    registers = home.registers(start)
    *_, (last, values) = home.minutes(registers, start, UtcMs(start + 2 * 3_600_000))  # then off for an hour
    registers.save(tmp_path / "simulator.json")

    heard = read_groups(run().ready["tic"], {"EAST"})
    expected = home.registers(start)
    counts = expected.read(system_clock().now())

    assert last == start + 2 * 3_600_000 - 60_000
    assert values["grid.import.energy"] <= heard["EAST"] <= counts.import_wh
    assert counts.import_wh - heard["EAST"] < 50


def test_a_run_ends_when_its_parent_does(tmp_path):
    script = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen({[*COMMAND, '--home', str(tmp_path)]!r}, stdout=subprocess.PIPE)\n"
        "print(child.stdout.readline().decode(), end='', flush=True)\n"
    )
    parent = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True, timeout=60)
    orphan = psutil.Process(json.loads(parent.stdout)["pid"])

    psutil.wait_procs([orphan], timeout=20)
    assert not orphan.is_running()
    assert not (tmp_path / "run" / "tic").is_symlink()


def test_a_home_that_cannot_be_is_refused_in_one_sentence(tmp_path):
    for options in (["--timezone", "Europe/Nowhere"], ["--off-peak", "soir"]):
        done = subprocess.run(
            [*COMMAND, "--home", str(tmp_path), *options],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"LC_ALL": "fr_FR.UTF-8"},
        )
        assert done.returncode == 1
        assert done.stderr.startswith("Cette maison ne peut pas être simulée")
        assert done.stderr.count("\n") == 1


def test_counters_start_afresh_when_their_state_is_spoilt(tmp_path, capsys):
    state = tmp_path / "simulator.json"
    state.write_text("{")
    home = create(seed=5)
    registers = resume(home, state, system_clock())

    assert isinstance(registers, Registers)
    assert capsys.readouterr().err.count("\n") == 1


def test_a_port_taken_meanwhile_is_given_up(tmp_path):
    file = tmp_path / "port"
    assert preferred_port(file) == 0
    file.write_text("not a number")
    assert preferred_port(file) == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        file.write_text(str(taken.getsockname()[1]))
        assert preferred_port(file) == 0
    assert preferred_port(file) == int(file.read_text())
