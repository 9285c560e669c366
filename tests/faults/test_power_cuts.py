"""The power goes while the store writes: the file stays whole, and no more than a commit interval is lost.

The long run is `python benchmarks/store_power_cuts.py --cuts 200`.
"""

import fcntl
import struct

import pytest

from tests.faults.power import Disk, Trial, can_mount
from tests.gateway.store.simulated import LINKY, Box

pytestmark = pytest.mark.skipif(not can_mount(), reason="needs root, loop devices and mkfs.ext4")

EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2


def test_a_power_cut_or_a_kill_at_any_moment_costs_no_more_than_a_commit_interval(tmp_path):
    with Trial(tmp_path, commit_s=1) as trial:
        for number in range(12):
            trial.live()
            trial.cut()
            if number % 4 == 3:
                trial.kill()
        trial.live(2, 3)
    assert len(trial.lost_s) == 12
    assert len(trial.killed_lost_s) == 3
    assert trial.witness.looks >= 12


@pytest.fixture
def disk(tmp_path):
    made = Disk(tmp_path)
    yield made
    made.unmount()


def test_a_card_that_goes_away_and_comes_back_costs_nothing_that_memory_can_hold(disk):
    box = Box(disk.folder)
    for n in range(100):
        box.say(LINKY, {"grid.import.energy": n})
        box.wait(2)
    box.commit()
    with (disk.folder / "lost").open("wb") as file:
        fcntl.ioctl(file, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
    for n in range(100, 200):
        box.say(LINKY, {"grid.import.energy": n})
        box.wait(2)
    assert box.recorder.trouble.fault.code in {"store.io", "store.unwritable", "store.read-only"}
    assert box.recorder.pending_rows >= 100
    disk.unmount()
    disk.mount()
    box.commit()
    assert box.recorder.trouble is None
    assert box.values("grid.import.energy", "raw") == list(range(200))
    box.close()
