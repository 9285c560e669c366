"""Whoever follows the store sees every row, in the order it came, late and restamped ones again."""

import sqlite3
from pathlib import Path

from gateway.clock import SystemClock
from gateway.config import Store
from gateway.reading import Quality
from gateway.store.arrivals import Arrivals
from gateway.store.write import Writer
from tests.gateway.clocks import FakeClock
from tests.gateway.store.simulated import DAY, HOUR, LINKY, ROOF, START, Box

STORED = Path(__file__).parents[2] / "data" / "store"


def follow(box, seq=0, limit=1000):
    with Arrivals(box.path, box.clock) as arrivals:
        return arrivals.after(seq, limit)


def test_an_empty_store_has_no_arrivals(tmp_path):
    with Arrivals(tmp_path / "measure.db", FakeClock()) as arrivals:
        assert (arrivals.after(0, 10), arrivals.newest(), arrivals.oldest()) == ([], 0, None)
        assert arrivals.remembered("influxdb") is None


def test_rows_and_states_come_in_their_units_with_what_is_estimated(box):
    box.say(ROOF, {"battery.soc": 54.7, "pv.power": 12})
    box.say(LINKY, {"grid.tariff.period": "hc"})
    box.wait(1)
    box.say("derive", {"home.power": 900}, Quality.ESTIMATED)
    box.commit()
    found = [(one.at, one.source, dict(one.values), one.estimated) for one in follow(box)]
    assert found == [
        (START, ROOF, {"battery.soc": 54.7, "pv.power": 12}, frozenset()),
        (START + 1000, "derive", {"home.power": 900}, {"home.power"}),
        (START, LINKY, {"grid.tariff.period": "hc"}, frozenset()),
    ]


def test_numbers_grow_strictly_and_any_cut_goes_on_where_it_stopped(box):
    for n in range(200):
        box.say(LINKY, {"grid.import.energy": n})
        box.say(ROOF, {"pv.energy": n})
        box.wait(2)
    box.commit()
    whole = follow(box)
    numbers = [one.seq for one in whole]
    assert len(whole) == 400
    assert numbers == sorted(set(numbers))
    with Arrivals(box.path, box.clock) as arrivals:
        assert (arrivals.oldest(), arrivals.newest()) == (numbers[0], numbers[-1])
        again, seq = [], 0
        while part := arrivals.after(seq, 7):
            again += part
            seq = part[-1].seq
    assert again == whole


def test_numbers_stay_when_hours_are_closed_and_the_box_restarts(box):
    for n in range(1000):
        box.say(LINKY, {"grid.import.energy": n})
        box.wait(2)
    box.commit()
    before = follow(box)
    box.wait(2 * 3600)
    box.commit()
    box.restart(cleanly=False)
    assert follow(box)[: len(before)] == before
    box.say(LINKY, {"grid.import.energy": 1000})
    box.commit()
    assert [one.values["grid.import.energy"] for one in follow(box, before[-1].seq)] == [1000]


def test_a_late_row_comes_with_a_new_number(box):
    box.say(LINKY, {"grid.import.energy": 1})
    box.wait(3 * 3600)
    box.say(LINKY, {"grid.import.energy": 2})
    box.commit()
    seen = follow(box)[-1].seq
    box.clock.wall -= 2 * HOUR
    box.say("derive", {"home.power": 7})
    box.clock.wall += 2 * HOUR
    box.commit()
    assert [(one.source, one.at < START + 2 * HOUR) for one in follow(box, seen)] == [("derive", True)]


def test_a_row_that_replaces_one_comes_again(box):
    box.say(LINKY, {"grid.import.apparent_power": 5})
    box.commit()
    seen = follow(box)[-1].seq
    box.clock.wall -= 30_500
    box.say(LINKY, {"grid.import.apparent_power": 6})
    box.commit()
    assert [dict(one.values) for one in follow(box, seen)] == [{"grid.import.apparent_power": 6}]


def test_what_is_dropped_is_passed_over_and_numbers_go_on(tmp_path):
    box = Box(tmp_path, settings=Store(raw_days=2))
    for n in range(40):
        box.say(LINKY, {"grid.import.energy": n})
        box.wait(86_400)
    box.commit()
    first, *_, last = follow(box)
    with Arrivals(box.path, box.clock) as arrivals:
        assert arrivals.oldest() == first.seq
    assert first.at > START + 25 * DAY
    assert last.values["grid.import.energy"] == 39
    connection = sqlite3.connect(box.path)
    assert connection.execute("SELECT count(*) FROM arrival").fetchone()[0] < 15
    connection.close()
    box.close()


def test_an_older_file_is_followed_from_its_first_week(tmp_path):
    connection = sqlite3.connect(tmp_path / "measure.db")
    connection.executescript((STORED / "v1.sql").read_text(encoding="utf-8"))
    connection.close()
    box = Box(tmp_path, start=START + 2 * HOUR)
    whole = follow(box)
    assert whole[0].at == START
    assert len({one.seq for one in whole}) == len(whole) > 100
    box.say(LINKY, {"grid.import.energy": 9000})
    box.commit()
    # twice at most: the week in which the file was brought up to date is followed whole
    assert {one.values["grid.import.energy"] for one in follow(box, whole[-1].seq)} == {9000}
    box.close()


def test_a_writer_remembers_words_for_others(tmp_path):
    clock = SystemClock()
    writer = Writer(tmp_path / "measure.db", clock, Store())
    writer.start()
    writer.remember("influxdb", "41")
    writer.remember("influxdb", "42")
    writer.stop()
    with Arrivals(tmp_path / "measure.db", clock) as arrivals:
        assert arrivals.remembered("influxdb") == "42"
        assert arrivals.remembered("another") is None
