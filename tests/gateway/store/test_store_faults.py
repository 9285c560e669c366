"""Disks fill up and break, files get damaged, clocks jump, processes are killed: the store goes on, and says so."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.config import Store
from gateway.errors import Misconfigured
from gateway.store.faults import diagnose
from gateway.store.write import Writer
from tests.gateway.store.simulated import DAY, HOUR, LINKY, START, Box

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")


def speak(box, rounds, every=2, start=0):
    for n in range(rounds):
        box.say(LINKY, {"grid.import.energy": start + n})
        box.wait(every)


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@needs_root
def test_a_full_disk_keeps_rows_in_memory_says_so_and_recovers_by_itself(small_disk):
    box = Box(small_disk)
    speak(box, 60)
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    speak(box, 120, start=60)
    trouble = box.recorder.trouble
    assert trouble is not None
    assert trouble.fault.code == "store.full"
    waiting = box.recorder.pending_rows
    assert waiting >= 60  # what the last few free pages took is written
    stored = box.values("grid.import.energy", "raw")
    assert stored == list(range(180 - waiting))
    with box.reader() as reader:
        assert all((one.import_wh or 0) >= 0 for one in reader.energy(START, box.clock.now(), "1m"))
    ballast.unlink()
    box.commit()
    assert box.recorder.trouble is None
    assert (box.recorder.pending_rows, box.recorder.dropped_rows) == (0, 0)
    assert box.values("grid.import.energy", "raw") == list(range(180))
    box.close()


@needs_root
def test_a_disk_full_for_hours_costs_a_bounded_memory_and_the_oldest_rows(small_disk):
    box = Box(small_disk)
    speak(box, 20)
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    speak(box, 9000, every=1, start=20)
    assert box.recorder.pending_rows <= 7200 + 60  # and those since the last try
    assert box.recorder.dropped_rows > 1000
    ballast.unlink()
    box.commit()
    assert box.values("grid.import.energy", "1h")[-1] is not None
    assert box.recorder.trouble is None
    box.close()


@needs_root
def test_a_disk_that_turns_read_only_is_named_as_such(small_disk):
    box = Box(small_disk)
    speak(box, 20)
    # a lazy remount: the writer still has its file open, as when the kernel gives a card up
    subprocess.run(["mount", "-o", "remount,ro", "-f", small_disk], check=False)
    box.recorder._disconnect()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    speak(box, 20, start=20)
    assert box.recorder.trouble is not None
    assert box.recorder.trouble.fault.code in {"store.read-only", "store.unwritable"}
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    box.commit()
    assert box.recorder.trouble is None
    assert box.values("grid.import.energy", "raw") == list(range(40))
    box.close()


def test_a_folder_that_is_a_file_is_a_fault_not_a_crash(tmp_path):
    (tmp_path / "state").write_text("in the way")
    box = Box(tmp_path / "state")
    speak(box, 20)
    assert box.recorder.trouble.fault.code in {"store.unwritable", "store.io"}
    assert box.recorder.pending_rows > 0
    box.close()


@pytest.mark.parametrize("how", ["not a database", "torn in the middle"])
def test_a_damaged_file_is_set_aside_and_a_new_one_goes_on(tmp_path, how):
    box = Box(tmp_path)
    for n in range(400):
        box.say(LINKY, {"grid.import.energy": n, "grid.tariff.period": "hp"})
        box.wait(20)
    box.close()
    size = box.path.stat().st_size
    with box.path.open("r+b") as file:
        if how == "not a database":
            file.write(b"this is no database at all")
        else:
            file.seek(4096)
            file.write(os.urandom(size - 4096))
    box = Box(tmp_path, start=box.clock.wall)
    speak(box, 60, start=400)
    box.commit()
    assert box.recorder.damaged is not None
    assert box.recorder.damaged.name.startswith("measure.db.damaged-2026")
    assert box.recorder.trouble is None
    assert box.values("grid.import.energy", "raw", start=box.clock.wall - HOUR)[-1] == 459
    box.close()


def test_damage_that_shows_while_running_loses_no_row_that_waits(tmp_path):
    box = Box(tmp_path)
    for n in range(200):
        box.say(LINKY, {"grid.import.energy": n, "grid.tariff.period": "hp"})
        box.wait(2)
    box.commit()
    box.recorder._disconnect()
    with box.path.open("r+b") as file:
        file.write(b"no longer a database")
    speak(box, 30, start=200)
    box.commit()
    assert box.values("grid.import.energy", "raw")[-30:] == list(range(200, 230))
    assert box.values("grid.tariff.period", "raw") == ["hp"]
    box.close()


def test_the_status_tells_of_a_file_set_aside_until_it_is_gone(tmp_path):
    (tmp_path / "measure.db").write_bytes(b"garbage" * 100)
    writer = Writer(tmp_path / "measure.db", SystemClock(), Store())
    writer.start()
    writer.stop()
    status = writer.status()
    assert (status.state, status.code) == ("problem", "store.replaced")
    assert "foyer restore" in status.mend.fr
    next(tmp_path.glob("*.damaged-*")).unlink()
    assert writer.status().state == "ok"


def test_a_file_deleted_under_the_writer_is_made_anew(box):
    speak(box, 30)
    for file in box.path.parent.iterdir():
        file.unlink()
    speak(box, 30, start=30)
    box.commit()
    assert box.values("grid.import.energy", "raw")[-1] == 59


def test_a_newer_file_is_refused_with_what_to_do(tmp_path):
    connection = sqlite3.connect(tmp_path / "measure.db")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    writer = Writer(tmp_path / "measure.db", SystemClock(), Store())
    with pytest.raises(Misconfigured, match="newer version"):
        writer.start()


def test_every_fault_has_words_for_people():
    for code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CORRUPT):
        error = sqlite3.OperationalError()
        error.sqlite_errorcode = code
        fault = diagnose(error)
        assert fault.code.startswith("store.")
        assert fault.text.fr
        assert fault.mend.en


def test_a_clock_that_jumps_forward_leaves_a_gap_and_no_more(box):
    speak(box, 60)
    box.clock.wall += HOUR
    speak(box, 60, start=60)
    box.commit()
    assert box.values("grid.import.energy", "1h") == [0, 60]


def test_a_clock_that_jumps_back_replaces_step_by_step_what_it_stamped_too_early(box):
    speak(box, 1800)
    box.clock.wall -= HOUR // 2
    speak(box, 300, start=1800)
    box.commit()
    end = box.clock.now() - 120_000 - box.clock.now() % 60_000
    registers = box.values("grid.import.energy", "raw", end=end)
    assert registers == sorted(registers)
    with box.reader() as reader:
        buckets = reader.energy(START, end, "1m")
    assert all(one.import_wh >= 0 for one in buckets)
    assert sum(one.import_wh for one in buckets) == registers[-1] + 1


def test_a_clock_that_jumps_back_over_a_closed_hour_has_it_closed_again(box):
    speak(box, 3000)
    box.clock.wall -= HOUR
    speak(box, 3000, start=3000)
    box.wait(2 * 3600)
    box.commit()
    with box.reader() as reader:
        buckets = reader.energy(START, START + 3 * HOUR, "30m")
    assert sum(one.import_wh or 0 for one in buckets) == 5999


def test_rows_of_a_clock_that_was_never_set_get_their_true_time_when_it_is(tmp_path):
    box = Box(tmp_path, start=12_000)
    speak(box, 60)
    assert box.recorder.pending_rows == 60
    box.clock.wall = START
    speak(box, 10, start=60)
    box.commit()
    points = box.history("grid.import.energy", "raw", START - HOUR)
    assert [value for _, value, _ in points] == list(range(70))
    assert points[0][0] == START - 120_000
    box.close()


def test_a_box_that_wakes_in_the_past_waits_for_its_clock(box):
    speak(box, 60)
    box.commit()
    box.clock.wall -= 30 * DAY
    box.restart()
    speak(box, 60, start=60)
    assert box.recorder.pending_rows == 60
    box.clock.wall += 31 * DAY
    speak(box, 5, start=120)
    box.commit()
    assert box.values("grid.import.energy", "raw", box.clock.wall - HOUR) == list(range(60, 125))


def test_a_clock_that_was_far_ahead_is_believed_again_after_an_hour(box):
    box.clock.wall += 3650 * DAY
    speak(box, 60)
    box.commit()
    box.clock.wall -= 3650 * DAY
    speak(box, 1900, start=60)
    box.commit()
    assert box.values("grid.import.energy", "raw")[-1] == 1959
    assert box.values("grid.import.energy", "1h")[-1] is not None
    with box.reader() as reader:
        assert reader.info().last < box.clock.now()


def test_a_calendar_that_leaps_ahead_deletes_nothing_at_once(box):
    speak(box, 60)
    box.commit()
    box.clock.pass_s(2 * 3600)
    box.clock.wall += 3650 * DAY
    speak(box, 60, start=60)
    box.commit()
    assert len(box.values("grid.import.energy", "raw", end=START + HOUR)) == 60
    connection = sqlite3.connect(box.path)
    assert connection.execute("SELECT count(*) FROM raw_linky_20260615").fetchone() == (60,)
    connection.close()


CHILD = """
import sys, time
from pathlib import Path
from gateway.bus import Batch
from gateway.clock import SystemClock, UtcMs
from gateway.config import Store
from gateway.reading import Reading
from gateway.store.write import Writer

class Fast(SystemClock):
    # fifty seconds of calendar a second, so that each round is a row of its own
    def __init__(self): self.origin = super().now()
    def now(self): return UtcMs(self.origin + (super().now() - self.origin) * 50)

clock = Fast()
writer = Writer(Path(sys.argv[1]), clock, Store(commit_s=int(sys.argv[2])))
writer.start()
n = int(sys.argv[3])
while True:
    writer.put(Batch("linky", (Reading("grid.import.energy", n, clock.now()),), True))
    sys.stdout.write(f"{n} {clock.monotonic()}\\n")
    sys.stdout.flush()
    n += 1
    time.sleep(0.05)
"""


def test_kill_9_at_any_moment_loses_no_more_than_a_commit_interval(tmp_path):
    path, commit_s, start = tmp_path / "measure.db", 1, 0
    for cut in (1.2, 1.7, 2.3, 2.9, 3.4):
        lines = _run_and_kill(path, commit_s, start, cut)
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        tables = connection.execute("SELECT name FROM raw_table").fetchall()
        found = [
            connection.execute(f'SELECT max("grid.import.energy") FROM {name}').fetchone()[0] for (name,) in tables
        ]
        connection.close()
        stored = max(found, default=None)
        said = {int(n): float(when) for n, when in lines}
        newest = max(said)
        lost = [when for n, when in said.items() if n > (stored if stored is not None else -1)]
        # the writer's thread looks once a second; on a busy machine it may come late
        assert not lost or said[newest] - min(lost) <= commit_s + 3
        start = newest + 1


def _run_and_kill(path: Path, commit_s: int, start: int, seconds: float) -> list[list[str]]:
    """Return what the child said it had put, until it was killed after so many of its own seconds."""
    command = [sys.executable, "-c", CHILD, str(path), str(commit_s), str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        lines = [child.stdout.readline().split()]
        while float(lines[-1][1]) - float(lines[0][1]) < seconds:
            lines.append(child.stdout.readline().split())
        child.send_signal(signal.SIGKILL)
        lines += [line.split() for line in child.stdout.read().splitlines() if line.count(" ") == 1]
    return lines
