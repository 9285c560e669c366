"""The read side: it answers whatever state the gateway left the file in, and refuses what it should."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import from_datetime
from gateway.errors import FoyerError, Misconfigured
from gateway.reading import Quality
from gateway.signals import Kind
from gateway.store.buckets import merge, summarise, weigh, widen
from gateway.store.counters import CounterGuard
from gateway.store.read import Reader
from gateway.store.steps import Step, buckets, zone_of
from tests.gateway.clocks import FakeClock
from tests.gateway.store.simulated import DAY, HOUR, LINKY, START, Box


def speak(box, rounds, every=2, start=0):
    for n in range(rounds):
        box.say(LINKY, {"grid.import.energy": start + n, "grid.import.apparent_power": 500})
        box.wait(every)


def newest(reader, box):
    return reader.history("grid.import.energy", START, box.clock.now() + 1, "raw").points[-1][1]


def test_no_file_yet_is_an_empty_answer(tmp_path):
    with Reader(tmp_path / "none" / "measure.db", FakeClock(START)) as reader:
        assert not reader.exists
        assert reader.info().signals == []
        assert reader.history("pv.power", START - HOUR, START, "raw").points == []
        assert [value for _, value, _ in reader.history("pv.power", START - HOUR, START, "30m").points] == [None, None]
        assert reader.history("grid.overload", START - HOUR, START, "30m").points == []
        assert [one.import_wh for one in reader.energy(START - HOUR, START, "30m")] == [None, None]


def test_a_file_without_a_schema_yet_is_an_empty_answer(tmp_path):
    (tmp_path / "measure.db").touch()
    with Reader(tmp_path / "measure.db", FakeClock(START)) as reader:
        assert reader.info().first is None


def test_a_long_lived_reader_follows_stops_starts_and_new_files(box):
    reader = box.reader()
    speak(box, 30)
    box.commit()
    assert newest(reader, box) == 29  # the writer runs, its rows are in the WAL
    box.restart(cleanly=False)
    assert newest(reader, box) == 29
    reader.close()  # so that the WAL goes with the clean stop
    box.recorder.close()
    assert not box.path.with_name("measure.db-wal").exists()
    assert newest(reader, box) == 29
    box.restart()
    speak(box, 30, start=30)
    box.commit()
    assert newest(reader, box) == 59  # it noticed that the writer came back
    for file in list(box.path.parent.iterdir()):
        file.rename(file.with_name(f"old-{file.name}"))
    speak(box, 30, start=60)
    box.commit()
    assert newest(reader, box) == 89
    reader.close()


@pytest.fixture
def open_folder():
    """Return a folder that everybody may look into, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


AS_A_STRANGER = """
import os, sys
from pathlib import Path
from gateway.store.read import Reader
from gateway.store.schema import newest_version
from gateway.store.steps import zone_of
from tests.gateway.clocks import FakeClock
zone_of("Europe/Paris"), newest_version()  # a stranger may not see where Python itself is installed
os.setgid(65534); os.setuid(65534)
with Reader(Path(sys.argv[1]), FakeClock(int(sys.argv[2]))) as reader:
    print(reader.history("grid.import.energy", int(sys.argv[3]), int(sys.argv[2]), "raw").points[-1][1])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_a_process_that_may_not_write_reads_in_all_three_states(open_folder):
    box = Box(open_folder)

    def stranger():
        command = [sys.executable, "-c", AS_A_STRANGER, str(box.path), str(box.clock.now() + 1), str(START)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    speak(box, 30)
    box.commit()
    assert stranger() == "29"
    box.close()
    assert not box.path.with_name("measure.db-wal").exists()
    assert stranger() == "29"
    box = Box(open_folder, start=box.clock.wall)
    speak(box, 30, start=30)
    box.commit()
    wal = box.path.with_name("measure.db-wal").read_bytes()
    shm = box.path.with_name("measure.db-shm").read_bytes()
    image = box.path.read_bytes()
    box.close()
    for name, content in (("", image), ("-wal", wal), ("-shm", shm)):  # what a kill leaves
        box.path.with_name(f"measure.db{name}").write_bytes(content)
    assert stranger() == "59"


def test_a_wal_left_empty_by_a_reader_that_outlived_the_writer_is_read_past(box):
    speak(box, 30)
    box.commit()
    reader = box.reader()
    newest(reader, box)
    box.recorder.close()
    assert newest(reader, box) == 29
    reader.close()
    with box.reader() as another:
        assert newest(another, box) == 29


def test_a_damaged_file_is_an_error_with_words(tmp_path):
    (tmp_path / "measure.db").write_bytes(b"no database " * 1000)
    with Reader(tmp_path / "measure.db", FakeClock(START)) as reader, pytest.raises(FoyerError, match="cannot be read"):
        reader.info()


def test_a_newer_file_is_refused(tmp_path):
    connection = sqlite3.connect(tmp_path / "measure.db")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with Reader(tmp_path / "measure.db", FakeClock(START)) as reader, pytest.raises(Misconfigured):
        reader.info()


def test_an_unknown_signal_gets_near_names(box):
    with box.reader() as reader, pytest.raises(FoyerError) as caught:
        reader.history("grid.import.enrgy", START, START + HOUR, "1h")
    assert "grid.import.energy" in caught.value.mend.fr


@pytest.mark.parametrize(
    ("days", "step", "named"),
    [(4, "1m", "30m"), (200, "30m", "1h"), (2, "raw", "1m"), (400, "1h", "1d"), (30, "raw", "30m")],
)
def test_too_many_points_are_refused_with_the_step_to_use(box, days, step, named):
    with box.reader() as reader:
        with pytest.raises(FoyerError) as caught:
            reader.history("grid.import.energy", START - days * DAY, START, step)
        assert f"step {named}," in caught.value.mend.en
        assert reader.history("grid.import.energy", START - days * DAY, START, named).points


def test_more_raw_values_than_a_page_can_show_are_refused_too(box):
    speak(box, 5100)
    box.commit()
    with box.reader() as reader:
        with pytest.raises(FoyerError):
            reader.history("grid.import.energy", START, box.clock.now(), "raw")
        assert len(reader.history("grid.import.energy", START, box.clock.now(), "raw", limit=None).points) == 5100


@pytest.mark.parametrize(("start", "end", "step"), [(HOUR, HOUR, "1h"), (HOUR, 0, "1h"), (0, HOUR, "7m")])
def test_a_senseless_question_is_refused(box, start, end, step):
    with box.reader() as reader, pytest.raises(FoyerError):
        reader.history("pv.power", START + start, START + end, step)


def test_energy_has_no_raw_step_and_no_strange_time_zone(box):
    with box.reader() as reader:
        with pytest.raises(FoyerError):
            reader.energy(START, START + HOUR, "raw")
        with pytest.raises(FoyerError):
            reader.energy(START, START + HOUR, "1d", "Europe/Atlantis")


def test_a_gap_is_a_point_without_a_value(box):
    speak(box, 60)
    box.wait(180)
    speak(box, 60)
    points = box.history("grid.import.apparent_power", "1m")
    assert [value for _, value, _ in points[:6]] == [500.0, 500.0, None, None, None, 500.0]
    assert points[2][2] is Quality.STALE
    box.wait(2 * 3600)
    box.commit()
    assert box.history("grid.import.apparent_power", "1m")[:6] == points[:6]


def test_every_step_includes_the_minutes_just_gone(box):
    speak(box, 45, every=60)
    for step in ("1m", "30m", "1h", "1d", "1mo"):
        assert box.values("grid.import.apparent_power", step, START)[-1] in (500.0, None)
        assert 500.0 in box.values("grid.import.apparent_power", step, START)
        assert box.values("grid.import.energy", step, START)[0] == 0


def test_no_point_lies_in_the_future(box):
    speak(box, 30)
    box.commit()
    points = box.history("grid.import.apparent_power", "1m", START, START + DAY)
    assert points[-1][0] <= box.clock.now()


def test_a_mean_is_one_of_time_not_of_how_often_a_device_speaks(box):
    for _ in range(1800):
        box.say(LINKY, {"grid.import.apparent_power": 1000})
        box.clock.pass_s(1)
    for _ in range(30):
        box.say(LINKY, {"grid.import.apparent_power": 200})
        box.wait(60)
    box.commit()
    assert box.values("grid.import.apparent_power", "1h", end=START + 1) == [600.0]
    box.wait(2 * 3600)
    box.commit()
    assert box.values("grid.import.apparent_power", "1h", end=START + 1) == [600.0]


values = st.lists(st.one_of(st.none(), st.integers(-(10**6), 10**6)), min_size=1, max_size=30)


@given(st.lists(values, min_size=1, max_size=60), st.sampled_from([Kind.GAUGE, Kind.COUNTER]))
def test_rolling_up_a_roll_up_is_rolling_up_at_once(minutes, kind):
    made = []
    for n, minute in enumerate(minutes):
        ts = START + n * 60_000
        times = [ts + k * 1000 for k in range(len(minute))]
        if bucket := summarise(kind, ts, times, minute):
            made.append(weigh(bucket))
    hour = 60 * 60_000
    assert widen(widen(made, hour // 2), hour) == widen(made, hour)
    if len(made) > 1:
        assert merge(made[0], made[1], made[0].ts) == merge(made[1], made[0], made[0].ts)


@given(st.lists(st.tuples(st.integers(1, 10**7), st.integers(0, 10**9)), max_size=60))
def test_whatever_a_counter_says_what_is_kept_never_steps_back_within_a_segment(walk):
    guard, at, last, started = CounterGuard(), START, None, 0
    for pause, value in walk:
        at += pause
        verdict = guard.see(at, value)
        if verdict.reset:
            assert verdict.reset.before == last
            last = verdict.reset.after
            started += 1
        if verdict.keep:
            assert last is None or value >= last
            last = value
    assert started <= len(walk) // 2


@given(
    st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    st.integers(1, 400 * DAY),
    st.sampled_from([Step.DAY, Step.MONTH, Step.HOUR]),
    st.sampled_from(["Europe/Paris", "America/Martinique", "Indian/Reunion", "Pacific/Noumea", "Pacific/Marquesas"]),
)
def test_buckets_follow_each_other_and_cover_the_range(start, length, step, zone):
    first = from_datetime(datetime(start.year, start.month, start.day, 13, 7, tzinfo=UTC))
    spans = buckets(first, first + length, step, zone_of(zone))
    assert spans[0][0] <= first < spans[0][1]
    assert spans[-1][0] < first + length <= spans[-1][1]
    assert all(one[1] == two[0] for one, two in pairwise(spans))
    assert all(begin < end for begin, end in spans)
