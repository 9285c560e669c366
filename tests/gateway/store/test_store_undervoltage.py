"""When the supply of a Raspberry Pi sags, what waits is committed at once."""

import threading

import pytest

from gateway.bus import Batch
from gateway.clock import SystemClock
from gateway.config import Store
from gateway.reading import Reading
from gateway.store.read import Reader
from gateway.store.undervoltage import Undervoltage, find_alarm
from gateway.store.write import Writer
from tests.gateway.clocks import FakeClock


def test_a_sagging_supply_has_what_waits_committed_at_once(tmp_path):
    alarm, clock = tmp_path / "get_throttled", SystemClock()
    alarm.write_text("0\n")
    writer = Writer(tmp_path / "measure.db", clock, Store(commit_s=300), alarm=alarm)
    writer.start()
    writer.put(Batch("linky", (Reading("grid.import.energy", 41, clock.now()),), frame_end=False))
    alarm.write_text("50005\n")
    committed, tries = [], threading.Event()
    while not committed:
        tries.wait(0.1)
        with Reader(tmp_path / "measure.db", clock) as reader:
            committed = reader.history("grid.import.energy", clock.now() - 60_000, clock.now() + 1, "raw").points
    assert committed[0][1] == 41
    writer.stop()


@pytest.mark.parametrize(
    ("said", "sags"), [("0x50005", True), ("1\n", True), ("50004", False), ("0", False), ("", False), ("what", False)]
)
def test_only_what_is_low_now_counts(tmp_path, said, sags):
    file = tmp_path / "alarm"
    file.write_text(said)
    assert Undervoltage(file, FakeClock().monotonic).sags() is sags


def test_a_supply_that_flickers_is_heard_once_in_ten_seconds(tmp_path):
    file, clock = tmp_path / "alarm", FakeClock()
    supply, heard = Undervoltage(file, clock.monotonic), 0
    for second in range(60):
        file.write_text(str(second % 2))
        heard += supply.sags()
        clock.pass_s(1)
    assert heard == 6


def test_a_machine_that_cannot_tell_is_never_low(tmp_path):
    assert find_alarm(tmp_path / "none", tmp_path) is None
    assert not Undervoltage(None, FakeClock().monotonic).sags()
    assert not Undervoltage(tmp_path / "gone", FakeClock().monotonic).sags()


def test_the_driver_of_the_pi_is_found_before_its_firmware_file(tmp_path):
    firmware = tmp_path / "get_throttled"
    firmware.write_text("0")
    assert find_alarm(firmware, tmp_path) == firmware
    for number, name in enumerate(("cpu_thermal", "rpi_volt")):
        (tmp_path / f"hwmon{number}").mkdir()
        (tmp_path / f"hwmon{number}" / "name").write_text(f"{name}\n")
        (tmp_path / f"hwmon{number}" / "in0_lcrit_alarm").write_text("0\n")
    assert find_alarm(firmware, tmp_path) == tmp_path / "hwmon1" / "in0_lcrit_alarm"
