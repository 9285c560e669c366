"""What is said is what is stored."""

import sqlite3

import pytest

from gateway.config import Store
from gateway.reading import Quality
from tests.gateway.store.simulated import HOUR, LINKY, ROOF, START, Box


def rows(box, sql, *parameters):
    box.fold()
    connection = sqlite3.connect(box.path)
    try:
        return connection.execute(sql, parameters).fetchall()
    finally:
        connection.close()


def test_a_round_of_a_device_is_one_row(box):
    box.say(LINKY, {"grid.import.energy": 1000}, frame_end=False)
    box.say(LINKY, {"grid.import.apparent_power": 450})
    box.wait(2)
    box.say(LINKY, {"grid.import.energy": 1001, "grid.import.apparent_power": 460})
    box.commit()
    stored = rows(
        box, 'SELECT ts, estimated, "grid.import.energy", "grid.import.apparent_power" FROM raw_linky_20260615'
    )
    assert stored == [(START, None, 1000, 450), (START + 2000, None, 1001, 460)]


def test_rounds_within_a_second_share_a_row_and_the_later_value_stands(box):
    for power in (100, 200, 300):
        box.say(LINKY, {"grid.import.apparent_power": power})
        box.wait(0.4)
    box.commit()
    assert rows(box, 'SELECT "grid.import.apparent_power" FROM raw_linky_20260615') == [(300,)]


def test_a_commit_between_two_rounds_of_one_second_loses_neither(box):
    box.say(LINKY, {"grid.import.apparent_power": 100, "grid.import.energy": 5})
    box.clock.mono += 31
    box.recorder.tick()
    box.clock.wall += 500
    box.say(LINKY, {"grid.import.apparent_power": 200})
    box.commit()
    assert rows(box, 'SELECT "grid.import.apparent_power", "grid.import.energy" FROM raw_linky_20260615') == [(200, 5)]


def test_a_source_that_never_ends_its_rounds_gets_a_row_every_two_seconds(box):
    for power in range(6):
        box.say("derive", {"home.power": power}, frame_end=False)
        box.wait(1)
    box.commit()
    assert rows(box, 'SELECT "home.power" FROM raw_derive_20260615') == [(1,), (3,), (5,)]


def test_a_slow_frame_of_a_source_that_ends_its_rounds_is_not_cut(box):
    box.say(LINKY, {"grid.import.energy": 1})
    box.wait(3)
    box.say(LINKY, {"grid.import.energy": 2}, frame_end=False)
    box.wait(3)
    box.say(LINKY, {"grid.import.apparent_power": 7})
    box.commit()
    assert rows(box, "SELECT count(*) FROM raw_linky_20260615") == [(2,)]


def test_a_withdrawn_value_is_not_stored_as_zero(box):
    box.say(ROOF, {"pv.power": None, "pv.energy": 12})
    box.commit()
    assert box.values("pv.power", "raw") == []
    assert box.values("pv.energy", "raw") == [12]


def test_a_stale_value_is_not_stored(box):
    box.say(ROOF, {"pv.power": 40}, Quality.STALE)
    box.commit()
    assert box.values("pv.power", "1m") == [None]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, "many"])
def test_a_number_that_is_none_is_refused(box, value):
    box.say(ROOF, {"pv.power": value, "pv.energy": 3})
    box.commit()
    assert box.values("pv.power", "raw") == []
    assert box.values("pv.energy", "raw") == [3]


def test_a_scaled_signal_comes_back_as_it_was(box):
    box.say(ROOF, {"battery.soc": 54.7})
    box.commit()
    assert box.values("battery.soc", "raw") == [54.7]


def test_a_signal_that_comes_later_gets_its_column(box):
    box.say(ROOF, {"pv.power": 1})
    box.commit()
    box.say(ROOF, {"pv.power": 2, "pv.dc.power.1@roof": 3})
    box.commit()
    assert rows(box, 'SELECT "pv.power", "pv.dc.power.1@roof" FROM raw_inverter_roof_20260615') == [(1, None), (2, 3)]


def test_a_signal_that_the_registry_does_not_know_is_left_out(box):
    box.say(ROOF, {"pv.magic": 1, "pv.power": 2})
    box.commit()
    assert box.values("pv.power", "raw") == [2]


def test_states_are_kept_on_change_only(box):
    for period in ("hc", "hc", "hp", "hp", "hc"):
        box.say(LINKY, {"grid.tariff.period": period})
        box.wait(2)
    box.commit()
    assert box.history("grid.tariff.period", "1m") == [
        (START, "hc", Quality.MEASURED),
        (START + 4000, "hp", Quality.MEASURED),
        (START + 8000, "hc", Quality.MEASURED),
    ]


def test_a_withdrawn_state_is_unknown_from_there_on(box):
    box.say(ROOF, {"pv.state": "producing"})
    box.wait(5)
    box.say(ROOF, {"pv.state": None})
    box.commit()
    assert box.history("pv.state", "raw")[1:] == [(START + 5000, None, Quality.STALE)]


def test_nobody_knows_the_state_while_the_box_was_off(box):
    box.say(LINKY, {"grid.tariff.period": "hc"})
    box.commit()
    box.restart(cleanly=False)
    box.wait(3600)
    box.say(LINKY, {"grid.tariff.period": "hc"})
    box.commit()
    assert [value for _, value, _ in box.history("grid.tariff.period", "raw")] == ["hc", None, "hc"]


def test_each_value_says_whether_it_was_measured_derived_or_estimated(box):
    box.say("derive", {"home.power": 1, "grid.import.power": 2}, Quality.DERIVED)
    box.wait(5)
    box.say("derive", {"home.power": 3}, Quality.ESTIMATED)
    box.wait(5)
    box.say("derive", {"home.power": 4}, Quality.DERIVED)
    box.commit()
    qualities = [quality for _, _, quality in box.history("home.power", "raw")]
    assert qualities == [Quality.DERIVED, Quality.ESTIMATED, Quality.DERIVED]
    assert box.history("home.power", "1m")[0][2] is Quality.DERIVED


def test_a_minute_made_mostly_of_estimates_is_one_before_and_after_it_is_rolled_up(box):
    for n in range(120):
        box.say("derive", {"home.power": 5}, Quality.ESTIMATED if n % 60 < 40 else Quality.DERIVED)
        box.wait(1)
    box.commit()
    before = box.history("home.power", "30m")
    assert [quality for _, _, quality in before] == [Quality.ESTIMATED]
    box.wait(2 * 3600)
    box.commit()
    assert box.history("home.power", "30m", end=START + HOUR // 2) == before


def test_raw_rows_and_minutes_go_in_time_and_half_hours_stay(tmp_path):
    box = Box(tmp_path, settings=Store(raw_days=2, minute_days=35))
    box.say(LINKY, {"grid.import.apparent_power": 500})
    box.commit()
    for _ in range(40):
        box.wait(86_400)
        box.say(LINKY, {"grid.import.apparent_power": 600})
        box.commit()
    box.wait(86_400)
    try:
        assert rows(box, "SELECT name FROM raw_table") == [("raw_linky_20260727",)]
        assert rows(box, "SELECT count(*) FROM sqlite_master WHERE name GLOB 'raw_linky*'") == [(1,)]
        assert rows(box, "SELECT min(ts) FROM m1")[0][0] > START
        assert rows(box, "SELECT count(*) FROM m30") == [(41,)]
        assert box.values("grid.import.apparent_power", "30m", end=START + 1) == [500.0]
    finally:
        box.close()


def test_an_hour_that_a_crash_left_open_is_closed_at_the_next_start(box):
    for _ in range(50):
        box.say(LINKY, {"grid.import.apparent_power": 500})
        box.wait(60)
    assert rows(box, "SELECT count(*) FROM m1") == [(0,)]
    box.restart(cleanly=False)
    box.wait(3 * 3600)
    assert rows(box, "SELECT count(*) FROM m30") == [(2,)]
    assert rows(box, "SELECT count(*) FROM m1") == [(50,)]


def test_late_rows_have_their_hour_closed_again(box):
    box.say(LINKY, {"grid.import.apparent_power": 100})
    box.wait(2 * 3600)
    box.commit()
    box.clock.wall -= 2 * HOUR - 30_000
    box.say("derive", {"home.power": 900})
    box.clock.wall += 2 * HOUR - 30_000
    box.commit()
    assert box.values("home.power", "30m", end=START + 1) == [900.0]
    assert rows(box, "SELECT count(*) FROM dirty") == [(0,)]


def test_a_restart_goes_on_where_the_last_one_stopped(box):
    box.say(LINKY, {"grid.import.energy": 1000})
    box.wait(1)
    box.restart()
    box.wait(30)
    box.say(LINKY, {"grid.import.energy": 1003})
    box.commit()
    assert box.values("grid.import.energy", "raw") == [1000, 1003]
    assert rows(box, "SELECT count(*) FROM series") == [(1,)]


def test_the_file_says_what_it_holds(box):
    box.say(LINKY, {"grid.import.energy": 1000})
    box.commit()
    with box.reader() as reader:
        info = reader.info()
    assert (info.demo, info.first, info.last, info.signals) == (False, START, START, ["grid.import.energy"])
