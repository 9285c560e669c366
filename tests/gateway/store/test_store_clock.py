"""A box without a clock of its own: nothing is stamped wrongly that can still be stamped right."""

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.bus import Batch
from gateway.config import Store
from gateway.reading import Reading
from gateway.store.recorder import Recorder
from gateway.store.trust import Trust, boot_id, is_calendar_set
from tests.gateway.store.simulated import HOUR, LINKY, START, Box

FAKE_HWCLOCK = START - 8 * HOUR


class WatchedBox(Box):
    """A box whose calendar is only believed when something vouches for it. `is_set` is what the kernel says."""

    def __init__(self, folder, start=START, *, is_set=True, boot="one"):
        self.is_set, self.boot = is_set, boot
        super().__init__(folder, start)
        self._watch()

    def _watch(self):
        self.recorder._disconnect()
        self.trust = Trust(self.clock, lambda: self.is_set, self.boot)
        self.recorder = Recorder(self.path, self.clock, Store(), self.trust)
        self.recorder.open()

    def restart(self, *, cleanly=True, boot=None):
        self.boot = boot or self.boot
        if cleanly:
            self.recorder.close()
        self._watch()

    def speak(self, rounds, start=0, every=2):
        for n in range(start, start + rounds):
            self.say(LINKY, {"grid.import.energy": n, "grid.tariff.period": "hp"})
            self.wait(every)

    def rows(self):
        there = self.history("grid.import.energy", "raw", START - 12 * HOUR, START + 12 * HOUR)
        return [(at, value) for at, value, _ in there]


@pytest.fixture
def watched(tmp_path):
    box = WatchedBox(tmp_path)
    yield box
    box.recorder.close()


def test_the_machine_answers_whether_its_calendar_is_set():
    assert is_calendar_set() in {True, False}
    assert boot_id()


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_step_while_running_mends_what_is_not_committed_and_loses_nothing(watched, hours):
    watched.speak(60)
    watched.commit()
    watched.speak(10, start=60)
    watched.clock.wall += hours * HOUR
    watched.speak(600, start=70)
    watched.commit()
    rows = watched.rows()
    assert [value for _, value in rows] == sorted(value for _, value in rows)
    mended = [at for at, value in rows if 60 <= value < 70]
    true = [at for at, value in rows if 70 <= value < 80]
    assert mended == [at - 20_000 for at in true]
    with watched.reader() as reader:
        buckets = reader.energy(START - 2 * HOUR, watched.clock.now(), "30m")
    assert all((one.import_wh or 0) >= 0 for one in buckets)


def test_a_step_of_a_second_is_none(watched):
    watched.speak(5)
    watched.clock.wall += 1500
    watched.speak(5, start=5)
    watched.commit()
    assert [value for _, value in watched.rows()] == list(range(10))
    assert watched.rows()[4][0] == START + 8000


@pytest.mark.parametrize("wrong", [12_000, FAKE_HWCLOCK])
def test_rows_wait_until_the_calendar_is_set_and_get_their_true_time(tmp_path, wrong):
    box = WatchedBox(tmp_path, wrong, is_set=False)
    box.speak(100)
    assert (box.rows(), box.recorder.pending_rows) == ([], 100)
    box.clock.wall = START
    box.is_set = True
    box.speak(20, start=100)
    box.commit()
    assert box.rows() == [(START - 200_000 + 2000 * n, n) for n in range(120)]
    box.close()


def test_a_kill_after_ten_minutes_without_a_date_loses_no_more_than_a_commit(tmp_path):
    box = WatchedBox(tmp_path, 12_000, is_set=False)
    box.speak(400)
    connection = sqlite3.connect(box.path)
    saved = connection.execute("SELECT count(*) FROM undated").fetchone()[0]
    connection.close()
    assert 400 - saved <= 16
    box.restart(cleanly=False)
    box.speak(30, start=400)
    box.clock.wall, box.is_set = START, True
    box.speak(5, start=430)
    box.commit()
    rows = box.rows()
    assert [value for _, value in rows] == [*range(saved), *range(400, 435)]
    assert rows[0][0] == START - 860_000
    connection = sqlite3.connect(box.path)
    assert connection.execute("SELECT count(*) FROM undated").fetchone()[0] == 0
    connection.close()
    box.close()


def test_a_clean_stop_keeps_what_has_no_date_yet(tmp_path):
    box = WatchedBox(tmp_path, FAKE_HWCLOCK, is_set=False)
    box.speak(30)
    box.restart()
    box.clock.wall, box.is_set = START, True
    box.speak(1, start=30)
    box.commit()
    assert [value for _, value in box.rows()] == list(range(31))
    box.close()


def test_rows_of_an_earlier_boot_stand_between_what_came_before_and_this_boot(tmp_path):
    box = WatchedBox(tmp_path, START)
    box.speak(10)
    box.commit()
    box.is_set = False
    box.restart(boot="two")
    box.speak(10, start=10)
    box.clock.mono = 5.0
    box.restart(boot="three")
    box.speak(10, start=20)
    box.clock.wall += HOUR
    box.is_set = True
    box.speak(5, start=30)
    box.commit()
    assert [value for _, value in box.rows()] == list(range(35))
    box.close()


def test_the_meter_vouches_for_a_calendar_that_nothing_else_does(tmp_path):
    box = WatchedBox(tmp_path, START, is_set=False)
    box.trust.meter(-3)
    box.speak(10)
    box.commit()
    assert box.rows()[0] == (START, 0)
    box.close()


def test_the_meter_sets_right_a_calendar_that_is_hours_behind(tmp_path):
    box = WatchedBox(tmp_path, FAKE_HWCLOCK, is_set=False)
    box.speak(10)
    box.trust.meter(8 * 3600)
    box.speak(10, start=10)
    box.commit()
    box.clock.wall += 8 * HOUR
    box.is_set = True
    box.speak(10, start=20)
    box.commit()
    rows = box.rows()
    assert [value for _, value in rows] == list(range(30))
    assert rows[:20] == [(START + 2000 * n, n) for n in range(20)]
    box.close()


def test_what_the_meter_said_goes_stale(tmp_path):
    box = WatchedBox(tmp_path, START, is_set=False)
    box.trust.meter(0)
    box.clock.pass_s(601)
    assert box.trust.shift_ms is None
    box.close()


def test_a_box_that_nothing_ever_vouches_for_believes_its_calendar_after_an_hour(tmp_path):
    box = WatchedBox(tmp_path, START, is_set=False)
    box.speak(2000)
    box.commit()
    assert box.rows() == [(START + 2000 * n, n) for n in range(2000)]
    box.close()


def test_a_row_stamped_more_than_a_minute_ahead_is_refused(watched):
    for n, ahead in enumerate((50_000, 70_000)):
        readings = (Reading("grid.import.energy", n, watched.clock.now() + ahead),)
        watched.recorder.take(watched.clock.monotonic(), Batch(LINKY, readings, frame_end=True))
        watched.wait(1)
    watched.commit()
    watched.wait(60)
    assert [value for _, value in watched.rows()] == [0]
    assert watched.recorder.dropped_rows == 1


STEPS = st.tuples(st.integers(1, 90), st.integers(-2 * HOUR, 2 * HOUR))


@settings(max_examples=20, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=4))
def test_whatever_the_clock_does_no_row_is_lost_that_is_last_and_energy_is_never_negative(tmp_path_factory, steps):
    box = WatchedBox(tmp_path_factory.mktemp("steps"))
    said = 0
    for rounds, step in steps:
        box.speak(rounds, start=said)
        said += rounds
        box.clock.wall += step
    box.speak(60, start=said)
    box.commit()
    rows = box.rows()
    last_at, last = max(rows, key=lambda row: row[1])
    assert last == said + 59
    if len(steps) == 1:
        # what a calendar that was ahead stamped after now gives way when now gets there
        registers = [value for at, value in rows if at <= last_at]
        assert registers == sorted(set(registers))
    with box.reader() as reader:
        buckets = reader.energy(START - 12 * HOUR, last_at, "1m")
    assert all((one.import_wh or 0) >= 0 for one in buckets)
    box.close()
