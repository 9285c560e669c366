"""A past can be loaded in bulk, and the present goes on from it."""

import sqlite3

import pytest

from gateway.config import Store
from gateway.errors import FoyerError
from gateway.reading import Quality
from gateway.store.load import load_minutes
from gateway.store.read import Reader
from tests.gateway.clocks import FakeClock
from tests.gateway.store.simulated import DAY, HOUR, LINKY, START, Box

MINUTE = 60_000


def past(first, last):
    """Yield minutes of a home that buys 60 Wh a minute, or half as much in even hours."""
    register = 0
    for at in range(first, last, MINUTE):
        power = 1800 if at // HOUR % 2 else 3600
        yield (
            at,
            {
                "grid.import.energy": register,
                "grid.import.power": power,
                "grid.current.l1": 2.4,
                "grid.tariff.period": "hp" if at // HOUR % 24 > 6 else "hc",
            },
        )
        register += power // 60


def load(path, first, last, **more):
    options = {"demo": True, "clock": FakeClock(last), "settings": Store()} | more
    return load_minutes(path, past(first, last), **options)


def test_minutes_are_loaded_and_marked_as_a_demonstration(tmp_path):
    path = tmp_path / "measure.db"
    assert load(path, START - 2 * DAY, START) == 2880
    with Reader(path, FakeClock(START)) as reader:
        info = reader.info()
        assert (info.demo, info.first) == (True, START - 2 * DAY)
        points = reader.history("grid.import.power", START - 2 * HOUR, START, "1h").points
        assert points == [(START - 2 * HOUR, 3600.0, Quality.DERIVED), (START - HOUR, 1800.0, Quality.DERIVED)]
        assert reader.history("grid.current.l1", START - HOUR, START, "30m").points[0][1:] == (2.4, Quality.MEASURED)
        day = reader.energy(START - DAY, START, "1d")
        assert sum(one.import_wh for one in day) == pytest.approx(24 * 2700, abs=60)


def test_minutes_are_kept_for_the_days_asked_for_and_half_hours_for_all(tmp_path):
    path = tmp_path / "measure.db"
    load(path, START - 9 * DAY, START, minute_days=3)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM m1").fetchone() == (3 * 3 * 1440,)
    assert connection.execute("SELECT count(*) FROM m30").fetchone() == (3 * 9 * 48,)
    connection.close()


def test_the_present_goes_on_from_the_past_within_the_hour(tmp_path):
    last = START + 17 * MINUTE
    load(tmp_path / "measure.db", START - DAY, last)
    box = Box(tmp_path, start=last)
    assert box.recorder.demo
    register = sum(values["grid.import.power"] // 60 for _, values in past(START - DAY, last))
    for n in range(40 * 30):
        box.say(LINKY, {"grid.import.energy": register + n})
        box.wait(2)
    box.commit()
    for close in (False, True):
        with box.reader() as reader:
            hours = reader.energy(START - DAY, START + HOUR, "1h")
            minutes = reader.history("grid.import.energy", START, START + 57 * MINUTE, "1m").points
        assert sum(one.import_wh for one in hours) == register + 1199
        assert not any(value is None for _, value, _ in minutes)
        if not close:
            box.wait(2 * 3600)
            box.commit()
    box.close()


def test_a_file_that_is_there_gets_the_minutes_it_lacks(tmp_path):
    path = tmp_path / "measure.db"
    load(path, START - 2 * DAY, START - DAY)
    register = 100_000
    minutes = [(START - DAY + n * MINUTE, {"grid.import.energy": register + n}) for n in range(1440)]
    load_minutes(path, minutes, demo=True, clock=FakeClock(START), settings=Store())
    with Reader(path, FakeClock(START)) as reader:
        assert len(reader.energy(START - 2 * DAY, START, "1h")) == 48
        assert reader.history("grid.import.energy", START - DAY, START, "1h").points[0][1] == register


def test_gaps_in_what_is_loaded_stay_gaps(tmp_path):
    path = tmp_path / "measure.db"
    minutes = [(at, values) for at, values in past(START - DAY, START) if not START - 5 * HOUR <= at < START - 4 * HOUR]
    load_minutes(path, minutes, demo=False, clock=FakeClock(START), settings=Store())
    with Reader(path, FakeClock(START)) as reader:
        hours = reader.history("grid.import.power", START - 6 * HOUR, START - 3 * HOUR, "1h").points
        assert [value is None for _, value, _ in hours] == [False, True, False]
        assert not reader.info().demo


def test_states_that_are_loaded_are_kept_on_change(tmp_path):
    path = tmp_path / "measure.db"
    load(path, START - 2 * DAY, START)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM change").fetchone()[0] <= 5
    connection.close()


def test_an_unknown_signal_is_refused_and_leaves_no_file(tmp_path):
    with pytest.raises(FoyerError, match="no signal"):
        load_minutes(
            tmp_path / "measure.db",
            [(START, {"grid.magic": 1})],
            demo=True,
            clock=FakeClock(START),
            settings=Store(),
        )
    assert not (tmp_path / "measure.db").exists()
