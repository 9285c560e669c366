"""The driver on a real pseudo-terminal and on real sockets, at the pace of the wire."""

import asyncio
import contextlib
import errno
import fcntl
import os
import pty
import socket
import sys
import threading
import tty
from pathlib import Path

import pytest
import serial
import serial.rfc2217
from meters import producer, state
from tic_examples import S1_PRODUCER, wire

from drivers.contract import DeviceState
from drivers.linky import create, line, sim
from drivers.linky.live import listen
from drivers.linky.reader import LinkyDriver
from drivers.linky.simline import TicLine
from gateway.clock import SystemClock
from gateway.errors import Misconfigured

_PATIENCE_S = 60


class QuickClock(SystemClock):
    """Ages run twenty times faster: what takes seconds of silence takes a test no time."""

    def monotonic(self):
        return super().monotonic() * 20


class Box:
    """What the box offers a driver, with a way to wait for what it says."""

    def __init__(self, clock=None):
        self.clock = clock or SystemClock()
        self.loop = asyncio.get_running_loop()
        self.heard = asyncio.Event()
        self.beats = []
        self.batches = []
        self.latest = {}

    def publish(self, readings, *, frame_end=False):
        self.loop.call_soon_threadsafe(self._published, list(readings), frame_end)

    def _published(self, readings, frame_end):
        self.batches.append((readings, frame_end))
        self.latest |= {reading.signal: reading.value for reading in readings}
        self.heard.set()

    def beat(self, beat):
        self.loop.call_soon_threadsafe(self._beaten, beat)

    def _beaten(self, beat):
        self.beats.append(beat)
        self.heard.set()

    async def until(self, condition):
        async with asyncio.timeout(_PATIENCE_S):
            while not condition():
                self.heard.clear()
                await self.heard.wait()

    def codes(self):
        return [beat.code for beat in self.beats]

    def forget(self):
        self.beats.clear()
        self.batches.clear()
        self.latest.clear()


@contextlib.asynccontextmanager
async def running(*coroutines):
    tasks = [asyncio.create_task(one) for one in coroutines]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results), results


@contextlib.contextmanager
def terminal(link):
    """A bare pseudo-terminal that says nothing by itself."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    link.symlink_to(os.ttyname(slave))
    try:
        yield master, slave
    finally:
        os.close(master)
        os.close(slave)


async def opened(link):
    """Wait until the driver holds the port: what is said before is not for it."""
    port = os.open(link, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                try:
                    fcntl.flock(port, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    break
                fcntl.flock(port, fcntl.LOCK_UN)
                await asyncio.sleep(0.01)
    finally:
        os.close(port)
    await asyncio.sleep(0.05)  # the port is locked first and emptied right after


async def test_a_standard_meter_is_read_at_once_without_being_told_anything(tmp_path):
    box = Box()
    meter = TicLine(tmp_path / "tic", lambda: producer(at=box.clock.now()))
    async with running(meter.run(), create({"port": str(meter.link)}).run(box)):
        await box.until(lambda: any(end for _, end in box.batches))
        first_end = next(n for n, (_, end) in enumerate(box.batches) if end)
        assert first_end > 3  # values were published group by group, before the frame was over
        await box.until(lambda: box.latest.get("grid.export.energy") == 765_432)
        await box.until(lambda: "ok" in box.codes())
    beat = next(beat for beat in box.beats if beat.code == "ok")
    assert beat.state is DeviceState.OK
    assert beat.details["speed"] == 9600
    assert box.codes()[0] == "searching"
    assert "021961234567" not in str(box.beats)


async def test_a_historic_meter_is_read_at_once_on_a_line_that_has_no_real_speed(tmp_path):
    box = Box()
    meter = TicLine(tmp_path / "tic", state, "historic", parity=False)
    async with running(meter.run(), LinkyDriver(str(meter.link), None).run(box)):
        await box.until(lambda: box.latest.get("grid.import.apparent_power") == 1230)
    assert "no-signal" not in box.codes()


async def test_an_adapter_pulled_out_amid_a_frame_and_put_back_is_found_again(tmp_path):
    box = Box()
    meter = TicLine(tmp_path / "tic", state)
    async with running(meter.run(), LinkyDriver(str(meter.link), None).run(box)):
        await box.until(lambda: "grid.import.energy" in box.latest)
        meter.unplug()
        await box.until(lambda: "no-port" in box.codes())
        assert box.beats[-1].state is DeviceState.LOST
        assert str(meter.link) in box.beats[-1].text.en
        box.forget()
        meter.replug()
        await box.until(lambda: "ok" in box.codes() and "grid.import.energy" in box.latest)
        # the path is looked for each second: not more than a few looks went by
        assert len([code for code in box.codes() if code == "no-port"]) <= 4


async def test_a_mode_switched_from_afar_is_followed(tmp_path):
    box = Box()
    meter = TicLine(tmp_path / "tic", state)
    async with running(meter.run(), LinkyDriver(str(meter.link), None).run(box)):
        await box.until(lambda: box.latest.get("grid.voltage.l1") == 236)
        meter.mode = "historic"
        await box.until(lambda: box.latest.get("grid.import.energy.hc") == 3_000_000)
        await box.until(lambda: box.latest["grid.voltage.l1"] is None)


async def test_noise_is_a_rate_of_errors_and_a_weak_signal(tmp_path):
    box = Box(QuickClock())
    with terminal(tmp_path / "tic") as (master, _):
        async with running(LinkyDriver(str(tmp_path / "tic"), None).run(box)):
            await opened(tmp_path / "tic")
            good = wire(sim.standard_frame(state()))
            bad = good.replace(wire(b"EAST"), wire(b"EASU"))
            while "weak-signal" not in box.codes():
                os.write(master, bad)
                await box.until(lambda: len(box.batches) > 0)
                box.batches.clear()
    beat = box.beats[-1]
    assert beat.state is DeviceState.DEGRADED
    assert beat.details["rejected"].keys() == {"checksum"}
    assert 0.02 < beat.details["error_rate"] < 0.03
    assert "2,6 %" in beat.text.fr


async def test_a_silent_line_is_tried_at_both_speeds_and_reported(tmp_path):
    box = Box(QuickClock())
    meter = TicLine(tmp_path / "tic", state)
    meter.silence = True
    async with running(meter.run(), LinkyDriver(str(meter.link), None).run(box)):
        await box.until(lambda: box.codes().count("no-signal") >= 2)
        assert {beat.details["speed"] for beat in box.beats if beat.code == "no-signal"} == {9600, 1200}
        assert "I1" in box.beats[-1].mend.en
        meter.silence = False
        await box.until(lambda: "ok" in box.codes())


async def test_a_meter_that_falls_silent_is_reported_and_found_again(tmp_path):
    box = Box(QuickClock())
    meter = TicLine(tmp_path / "tic", state)
    async with running(meter.run(), LinkyDriver(str(meter.link), None).run(box)):
        await box.until(lambda: "ok" in box.codes())
        meter.silence = True
        await box.until(lambda: "no-signal" in box.codes())
        box.forget()
        meter.silence = False
        await box.until(lambda: "ok" in box.codes())


async def test_bytes_that_no_meter_sends_are_said_to_be_no_tic(tmp_path):
    box = Box(QuickClock())
    with terminal(tmp_path / "tic") as (master, _):
        async with running(LinkyDriver(str(tmp_path / "tic"), None).run(box)):
            await opened(tmp_path / "tic")
            while "not-tic" not in box.codes():
                os.write(master, b"GPS $GPGGA,1234*55\r\n")
                await asyncio.sleep(0.01)
    assert box.beats[-1].state is DeviceState.LOST


async def test_a_meter_whose_groups_are_all_damaged_is_a_weak_signal_and_no_other_device(tmp_path):
    box = Box(QuickClock())
    frame = wire(sim.standard_frame(state()))
    lines = frame.removesuffix(b"\x03").split(b"\x8d")[:-1]
    ruined = b"".join(line[:-3] + bytes([line[-3] ^ 0x11]) + line[-2:] + b"\x8d" for line in lines)
    with terminal(tmp_path / "tic") as (master, _):
        async with running(LinkyDriver(str(tmp_path / "tic"), None).run(box)):
            await opened(tmp_path / "tic")
            while "unreadable-signal" not in box.codes():
                os.write(master, ruined)
                await asyncio.sleep(0.01)
    assert box.beats[-1].state is DeviceState.LOST
    assert not box.latest


async def test_a_silent_port_that_another_program_has_open_is_said_to_be_shared(tmp_path):
    box = Box(QuickClock())
    meter = TicLine(tmp_path / "tic", state)
    meter.silence = True
    code = "import sys, time; port = open(sys.argv[1]); print(flush=True); time.sleep(600)"
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(meter.link), stdout=asyncio.subprocess.PIPE
    )
    await other.stdout.readline()
    try:
        async with running(meter.run(), LinkyDriver(str(meter.link), None).run(box)):
            await box.until(lambda: "port-busy" in box.codes())
    finally:
        other.kill()
        await other.communicate()
    beat = next(beat for beat in box.beats if beat.code == "port-busy")
    assert beat.details["pid"] == other.pid
    assert f"(numéro {other.pid})" in beat.text.fr
    assert "no-signal" not in box.codes()


async def test_a_weak_line_that_a_login_disturbs_says_that(tmp_path):
    box = Box(QuickClock())
    with terminal(tmp_path / "tic") as (master, slave):
        name = Path(os.ttyname(slave)).name
        unit = rf"sys/fs/cgroup/system.slice/system-serial\x2dgetty.slice/serial-getty@{name}.service"
        (tmp_path / unit).mkdir(parents=True)
        async with running(LinkyDriver(str(tmp_path / "tic"), None, tmp_path).run(box)):
            await opened(tmp_path / "tic")
            bad = wire(sim.standard_frame(state())).replace(wire(b"EAST"), wire(b"EASU"))
            while "serial-login" not in box.codes():
                os.write(master, bad)
                await box.until(lambda: len(box.batches) > 0)
                box.batches.clear()
    assert box.beats[-1].state is DeviceState.DEGRADED
    assert box.beats[-1].details["rejected"].keys() == {"checksum"}


async def test_a_line_of_two_values_only_is_read_at_the_slow_speed_at_once(tmp_path):
    box = Box()
    with terminal(tmp_path / "tic") as (master, _):
        async with running(LinkyDriver(str(tmp_path / "tic"), None).run(box)):
            await opened(tmp_path / "tic")
            os.write(master, b"\x00\x80\x00\x00" * 8)
            await asyncio.sleep(0.3)  # the change of speed empties the port
            os.write(master, wire(sim.historic_frame(state())))
            await box.until(lambda: "historic-mode" in box.codes())
            assert box.beats[-1].details["speed"] == 1200


async def test_a_missing_port_is_a_beat_and_not_an_error(tmp_path):
    box = Box()
    async with running(LinkyDriver(str(tmp_path / "tic"), None).run(box)):
        await box.until(lambda: "no-port" in box.codes())
    assert "[meter] port" in box.beats[-1].mend.en


async def test_a_port_in_use_says_so_and_is_read_once_it_is_free(tmp_path):
    box = Box()
    meter = TicLine(tmp_path / "tic", state)
    other = os.open(meter.link, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(other, fcntl.LOCK_EX)
    async with running(meter.run(), LinkyDriver(str(meter.link), None).run(box)):
        await box.until(lambda: "port-busy" in box.codes())
        os.close(other)
        await box.until(lambda: "ok" in box.codes())


async def test_a_port_that_may_not_be_read_comes_with_the_exact_command(tmp_path, monkeypatch):
    # root may read anything, so the refusal of the kernel is put in its place
    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(line.serial, "Serial", refused)
    (tmp_path / "tic").touch()
    box = Box()
    async with running(LinkyDriver(str(tmp_path / "tic"), None).run(box)):
        await box.until(lambda: "no-permission" in box.codes())
    assert "sudo usermod -aG " in box.beats[-1].mend.en
    assert "sudo usermod -aG " in box.beats[-1].mend.fr


async def test_a_file_that_is_no_port_is_a_fault(tmp_path):
    (tmp_path / "tic").write_text("no port")
    box = Box()
    async with running(LinkyDriver(str(tmp_path / "tic"), None).run(box)):
        await box.until(lambda: "port-fault" in box.codes())


async def test_without_a_named_port_the_adapters_of_this_machine_are_tried_in_turn(tmp_path):
    by_id = tmp_path / "dev/serial/by-id"
    by_id.mkdir(parents=True)
    box = Box(QuickClock())
    driver = LinkyDriver("auto", None, tmp_path)
    meter = TicLine(tmp_path / "tic", state)
    with terminal(by_id / "usb-FTDI_FT232R-if00-port0"):
        async with running(meter.run(), driver.run(box)):
            await box.until(lambda: "no-signal" in box.codes())
            (by_id / "usb-FTDI_FT-X_TINFO-1234-if00").symlink_to(meter.link.readlink())
            await box.until(lambda: "ok" in box.codes())


async def test_a_machine_without_an_adapter_says_so_and_finds_the_one_plugged_in_later(tmp_path):
    box = Box()
    meter = TicLine(tmp_path / "tic", state)
    async with running(meter.run(), LinkyDriver("auto", None, tmp_path).run(box)):
        await box.until(lambda: "no-port" in box.codes())
        (tmp_path / "dev/serial/by-id").mkdir(parents=True)
        (tmp_path / "dev/serial/by-id/usb-TINFO").symlink_to(meter.link.readlink())
        await box.until(lambda: "ok" in box.codes())


async def test_a_meter_behind_a_tcp_bridge_is_read_and_found_again_after_a_cut(tmp_path):
    connected = asyncio.Queue()

    async def bridge(_, writer):
        connected.put_nowait(writer)

    server = await asyncio.start_server(bridge, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    box = Box()
    async with running(LinkyDriver(f"tcp://127.0.0.1:{port}", None).run(box)):
        for _ in range(2):
            writer = await connected.get()
            box.forget()
            while box.latest.get("grid.export.apparent_power") != 1660:
                writer.write(wire(S1_PRODUCER))
                await asyncio.sleep(0.02)
            writer.close()
            await writer.wait_closed()
            await box.until(lambda: "port-fault" in box.codes())
    server.close()
    await server.wait_closed()
    while not connected.empty():
        connected.get_nowait().close()


class BareSerial(serial.Serial):
    """A pseudo-terminal has none of the lines of a modem."""

    cts = dsr = ri = cd = False
    rts = dtr = True


class Rfc2217Server(threading.Thread):
    """One client on a pseudo-terminal, by pyserial's own server side of the protocol."""

    def __init__(self, device):
        super().__init__(daemon=True)
        self.serial = BareSerial(device, timeout=0.02)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.speeds = []
        self.over = threading.Event()

    def run(self):
        client, _ = self.socket.accept()
        with client:
            client.settimeout(0.02)
            self.write = client.sendall
            manager = serial.rfc2217.PortManager(self.serial, self)
            while not self.over.is_set():
                with contextlib.suppress(TimeoutError):
                    said = client.recv(1024)
                    if not said:
                        return
                    for _ in manager.filter(said):
                        pass  # nothing is ever written to a meter
                    if self.serial.baudrate not in self.speeds[-1:]:
                        self.speeds.append(self.serial.baudrate)
                heard = self.serial.read(256)
                if heard:
                    client.sendall(b"".join(manager.escape(heard)))

    def close(self):
        self.over.set()
        self.join()
        self.socket.close()
        self.serial.close()


@pytest.mark.filterwarnings("ignore:set(Daemon|Name)")  # pyserial's client says it the old way
async def test_a_meter_behind_an_rfc2217_server_is_read_and_its_speed_is_found_from_here(tmp_path):
    box = Box()
    with terminal(tmp_path / "tic") as (master, _):
        server = Rfc2217Server(str(tmp_path / "tic"))
        server.start()
        try:
            driver = LinkyDriver(f"rfc2217://127.0.0.1:{server.port}", None)
            async with running(driver.run(box)), asyncio.timeout(_PATIENCE_S):
                while 1200 not in server.speeds:
                    os.write(master, b"\x00\x80\x00\x00" * 8)
                    await asyncio.sleep(0.05)
                while "historic-mode" not in box.codes():
                    os.write(master, wire(sim.historic_frame(state())))
                    await asyncio.sleep(0.05)
        finally:
            server.close()
    assert box.beats[-1].details["speed"] == 1200
    assert box.latest["grid.import.apparent_power"] == 1230
    assert server.speeds[:2] == [9600, 1200]


async def test_a_bridge_that_is_not_there_is_a_beat():
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    box = Box()
    async with running(LinkyDriver(f"tcp://127.0.0.1:{port}", None).run(box)):
        await box.until(lambda: "port-fault" in box.codes())


def test_a_mode_that_does_not_exist_is_a_fault_of_the_configuration():
    with pytest.raises(Misconfigured):
        create({"mode": "morse"})
    assert create({"port": "auto", "mode": "standard"}).id == "linky"


async def test_the_commands_hear_a_port_and_find_its_speed(tmp_path):
    meter = TicLine(tmp_path / "tic", state)
    said = bytearray()

    def hear():
        for data in listen(str(meter.link), QuickClock()):
            said.extend(data)
            if b"\x83" in said or said.count(0x82) > 1:
                return

    async with running(meter.run()):
        await asyncio.to_thread(hear)
    assert wire(b"\nADSC\t021961234567") in said


async def test_a_simulated_line_strips_parity_makes_noise_and_says_more_on_demand(tmp_path):
    meter = TicLine(tmp_path / "tic", state, parity=False)
    meter.noise = 0.01
    meter.extra = b"\x04"
    port = os.open(meter.link, os.O_RDONLY | os.O_NOCTTY)
    said = bytearray()
    async with running(meter.run()):
        while len(said) < 800:
            said += await asyncio.to_thread(os.read, port, 64)
    os.close(port)
    clean = b"\x04" + sim.standard_frame(state())
    assert max(said) < 0x80
    wrong = sum(a != b for a, b in zip(said, clean, strict=False))
    assert 0 < wrong < 200


async def test_a_line_nobody_listens_to_does_not_block(tmp_path):
    meter = TicLine(tmp_path / "tic", state)
    for _ in range(100):
        meter.say(b"x" * 1000)
    assert meter.written == 100_000
    meter.replug()
    meter.unplug()
    meter.unplug()
    meter.say(b"x")
    assert not meter.plugged
